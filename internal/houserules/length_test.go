package houserules

import (
	"go/ast"
	"strings"
	"testing"
)

const (
	maxFileLines     = 500
	maxFunctionLines = 60
)

// TestNothingIsTooLong holds files at 500 lines and functions at 60. What must
// be longer says why: "// long: reason" before the package clause, or in the
// comment of the function. Functions of tests, which are often one table, are free.
func TestNothingIsTooLong(t *testing.T) {
	p := loadPlan(t)
	for _, s := range sources(t) {
		if n := s.line(s.file.FileEnd); n > maxFileLines && !fileHasReason(s) {
			t.Errorf("%s has %d lines, %d is the limit: split it by noun, or write // long: reason above the package clause", s.path, n, maxFileLines)
		}
		if s.isTest() || p.isTestOnly(s.folder()) {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > maxFunctionLines && !hasReason(f.Doc) {
				t.Errorf("%s:%d: %s has %d lines, %d is the limit: give its parts names, or write // long: reason in its comment",
					s.path, s.line(f.Pos()), f.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

func fileHasReason(s source) bool {
	for _, g := range s.file.Comments {
		if g.Pos() < s.file.Package && hasReason(g) {
			return true
		}
	}
	return false
}

func hasReason(g *ast.CommentGroup) bool {
	if g == nil {
		return false
	}
	for _, c := range g.List {
		if why, ok := strings.CutPrefix(c.Text, "// long: "); ok && strings.TrimSpace(why) != "" {
			return true
		}
	}
	return false
}
