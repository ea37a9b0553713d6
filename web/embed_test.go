package web

import (
	"io/fs"
	"strings"
	"testing"
)

// A binary without the widget still answers its script, which says on the
// page's console what to do.
func TestStandInSaysHowToBuild(t *testing.T) {
	script, err := fs.ReadFile(folder("unbuilt"), "widget.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"console.error('scaibot[not-built]", "make build"} {
		if !strings.Contains(string(script), want) {
			t.Errorf("%q is missing in %s", want, script)
		}
	}
}

// Widget is the built one exactly where Built says so.
func TestWidgetIsWhatBuiltSays(t *testing.T) {
	script, err := fs.ReadFile(Widget(), "widget.js")
	if err != nil {
		t.Fatal(err)
	}
	if standIn := strings.Contains(string(script), "scaibot[not-built]"); standIn == Built() {
		t.Errorf("Built() = %v, stand-in = %v", Built(), standIn)
	}
	if _, err := fs.Stat(Widget(), "manifest.json"); (err == nil) != Built() {
		t.Errorf("manifest: %v", err)
	}
}
