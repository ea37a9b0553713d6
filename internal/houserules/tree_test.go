package houserules

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/scailabs/scaigrid"
)

// pkg is what go list says of one package.
type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// Path is the package's folder in the repository, "." for the root.
func (p pkg) Path() string { return local(p.ImportPath) }

// local turns an import path of ours into a folder, and any other into "".
func local(importPath string) string {
	if importPath == module {
		return "."
	}
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return rest
}

var listOnce = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(stderr.String()))
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
})

func packages(t *testing.T) []pkg {
	t.Helper()
	pkgs, err := listOnce()
	if err != nil {
		t.Fatalf("go list ./...: %v", err)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list ./... found no package")
	}
	return pkgs
}

// skipped are folders with nothing of ours in them.
var skipped = map[string]bool{".git": true, "node_modules": true, "bin": true, "dist": true, "data": true, "testdata": true, ".build": true}

// walk visits every file and folder of the repository that is ours; path is relative to the root.
func walk(t *testing.T, visit func(path string, d fs.DirEntry)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && skipped[d.Name()] {
			return filepath.SkipDir
		}
		visit(filepath.ToSlash(rel), d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// source is a parsed Go file.
type source struct {
	path string // relative to the root
	fset *token.FileSet
	file *ast.File
}

func (s source) folder() string { return filepath.ToSlash(filepath.Dir(s.path)) }
func (s source) isTest() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) line(p token.Pos) int {
	return s.fset.Position(p).Line
}

// sources parses every Go file of the repository, generated ones left out.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	walk(t, func(path string, d fs.DirEntry) {
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(root, path), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !ast.IsGenerated(f) {
			out = append(out, source{path, fset, f})
		}
	})
	return out
}

// reasons gives, for each line that a comment "// word: why" stands on or above, that reason.
func (s source) reasons(word string) map[int]string {
	out := map[int]string{}
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			why, ok := strings.CutPrefix(c.Text, "// "+word+": ")
			if !ok || strings.TrimSpace(why) == "" {
				continue
			}
			out[s.line(c.Pos())] = why
			out[s.line(group.End())+1] = why
		}
	}
	return out
}
