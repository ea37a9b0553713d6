package houserules

import (
	"go/parser"
	"go/token"
	"testing"
)

func parse(t *testing.T, path, text string) source {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return source{path, fset, f}
}

// The checker itself: what it must find, and what it must let pass.
func TestBansAreFound(t *testing.T) {
	for _, c := range []struct {
		name, path, text string
		want             int
	}{
		{"clock in a room", "internal/turn/x.go", "package x\nimport \"time\"\nvar _ = time.Now()", 1},
		{"clock in a subpackage of a room", "internal/store/deep/x.go", "package x\nimport \"time\"\nvar _ = time.Since", 1},
		{"renamed import", "internal/auth/x.go", "package x\nimport clock \"time\"\nvar _ = clock.Now", 1},
		{"clock with a reason", "internal/turn/x.go", "package x\nimport \"time\"\nvar _ = time.Now // clock: enters here", 0},
		{"reason on the line above", "internal/turn/x.go", "package x\nimport \"time\"\n\n// clock: enters here\nvar _ = time.Now", 0},
		{"reason left empty", "internal/turn/x.go", "package x\nimport \"time\"\nvar _ = time.Now // clock: ", 1},
		{"clock outside of the rooms", "internal/app/x.go", "package x\nimport \"time\"\nvar _ = time.Now()", 0},
		{"a duration is no clock", "internal/turn/x.go", "package x\nimport \"time\"\nvar _ = time.Second", 0},
		{"default client", "internal/llm/x.go", "package x\nimport \"net/http\"\nvar _ = http.DefaultClient", 1},
		{"exit outside of cmd", "internal/app/x.go", "package x\nimport \"os\"\nfunc f() { os.Exit(1) }", 1},
		{"exit in cmd", "cmd/scaigrid/x.go", "package x\nimport \"os\"\nfunc f() { os.Exit(1) }", 0},
		{"route in the table", "internal/httpapi/routes_bots.go", "package x\nimport \"github.com/danielgtaylor/huma/v2\"\nvar _ = huma.Register", 0},
		{"route elsewhere", "internal/httpapi/bots.go", "package x\nimport \"github.com/danielgtaylor/huma/v2\"\nvar _ = huma.Register", 1},
	} {
		s := parse(t, c.path, c.text)
		got := 0
		for _, b := range bans {
			if b.holds(s) {
				got += len(b.find(s))
			}
		}
		if got != c.want {
			t.Errorf("%s: found %d, want %d", c.name, got, c.want)
		}
	}
	if n := len(muxCalls(parse(t, "x.go", "package x\nfunc f(m mux) { m.Handle(\"GET /\", nil); m.Handle(1) }"))); n != 1 {
		t.Errorf("mux calls: found %d, want 1", n)
	}
}
