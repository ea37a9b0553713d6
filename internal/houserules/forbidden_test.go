package houserules

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ban is a name that may not be used in some places.
type ban struct {
	pkg     string   // import path
	names   []string // of that package; empty: all
	in      []string // folders, and those below; empty: everywhere
	except  []string // folders, and those below
	files   *regexp.Regexp
	instead string
	reason  string // the word of the comment that allows it
}

var bans = []ban{
	{
		pkg: "net/http", names: []string{"DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"},
		instead: "a client of your own with time limits (internal/outbound for addresses that a user gave)", reason: "allow",
	},
	{
		pkg: "net/http", names: []string{"DefaultServeMux", "Handle", "HandleFunc", "ListenAndServe", "ListenAndServeTLS"},
		instead: "a mux and a server of your own with time limits", reason: "allow",
	},
	{
		pkg: "time", names: []string{"Now", "Since", "Until"},
		in:      []string{".", "internal/turn", "internal/store", "internal/auth", "internal/knowledge"},
		instead: "the clock that the room was given", reason: "clock",
	},
	{
		pkg: "os", names: []string{"Exit"}, except: []string{"cmd"},
		instead: "an error that main turns into an exit code", reason: "allow",
	},
	{
		pkg: "log", except: []string{"cmd"},
		instead: "the slog.Logger that the part was given", reason: "allow",
	},
	{
		pkg: "fmt", names: []string{"Print", "Printf", "Println"}, except: []string{"cmd"},
		instead: "the slog.Logger or the io.Writer that the part was given", reason: "allow",
	},
	{
		pkg: "github.com/danielgtaylor/huma/v2", names: []string{"Register", "AutoRegister", "Get", "Post", "Put", "Patch", "Delete", "Head"},
		files:   regexp.MustCompile(`^internal/httpapi/route[^/]*\.go$`),
		instead: "a row of the route table in internal/httpapi/route*.go, so that it says who may call", reason: "allow",
	},
}

func within(folder string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return folder == f || f != "." && strings.HasPrefix(folder, f+"/")
	})
}

func (b ban) holds(s source) bool {
	switch {
	case len(b.in) > 0 && !within(s.folder(), b.in):
		return false
	case within(s.folder(), b.except):
		return false
	case b.files != nil && b.files.MatchString(s.path):
		return false
	}
	return true
}

// find reports the lines of s on which b is broken, with what was used.
func (b ban) find(s source) map[int]string {
	name := ""
	for _, imp := range s.file.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == b.pkg {
			name = defaultName(p)
			if imp.Name != nil {
				name = imp.Name.Name
			}
		}
	}
	out := map[int]string{}
	if name == "" {
		return out
	}
	allowed := s.reasons(b.reason)
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || id.Name != name || len(b.names) > 0 && !slices.Contains(b.names, sel.Sel.Name) {
			return true
		}
		if line := s.line(sel.Pos()); allowed[line] == "" {
			out[line] = name + "." + sel.Sel.Name
		}
		return true
	})
	return out
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

func defaultName(importPath string) string {
	base := path.Base(importPath)
	if majorVersion.MatchString(base) {
		base = path.Base(path.Dir(importPath))
	}
	return base
}

func TestForbiddenCalls(t *testing.T) {
	p := loadPlan(t)
	for _, s := range sources(t) {
		if s.isTest() || p.isTestOnly(s.folder()) || within(s.folder(), []string{"tools", "bench", "scripts"}) {
			continue
		}
		for _, b := range bans {
			if !b.holds(s) {
				continue
			}
			for line, used := range b.find(s) {
				t.Errorf("%s:%d: %s is forbidden here; use %s, or write // %s: reason on the line", s.path, line, used, b.instead, b.reason)
			}
		}
	}
}

// A handler that is hung on a mux outside of the route table would be a route
// of which nobody said who may call it.
func TestRoutesAreDeclared(t *testing.T) {
	declared := regexp.MustCompile(`^internal/httpapi/route[^/]*\.go$`)
	for _, s := range sources(t) {
		if s.isTest() || s.folder() != "internal/httpapi" || declared.MatchString(s.path) {
			continue
		}
		for line, call := range muxCalls(s) {
			t.Errorf("%s:%d: %s declares a route outside of internal/httpapi/route*.go", s.path, line, call)
		}
	}
}

// muxCalls finds x.Handle("…", …) and x.HandleFunc("…", …): two arguments, the first a pattern.
func muxCalls(s source) map[int]string {
	out := map[int]string{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Handle" || sel.Sel.Name == "HandleFunc") {
			out[s.line(call.Pos())] = sel.Sel.Name
		}
		return true
	})
	return out
}

func TestNoInitFunctions(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s:%d: init runs before anybody asked; build it where internal/app builds the parts", s.path, s.line(f.Pos()))
			}
		}
	}
}
