package houserules

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:(v?[0-9][^ |]*) \\| )?(\\S.*) \\|$")
	requireLine   = regexp.MustCompile(`(?m)^(?:require |\t)(\S+\.\S+) (v\S+)`)
)

// documented reads one table of docs/dependencies.md: name → version, "" in a table without one.
func documented(t *testing.T, section string) map[string]string {
	t.Helper()
	_, text, ok := strings.Cut(read(t, "docs/dependencies.md"), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("docs/dependencies.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	out := map[string]string{}
	for _, m := range dependencyRow.FindAllStringSubmatch(text, -1) {
		out[m[1]] = m[2]
		if len(m[3]) < 5 {
			t.Errorf("docs/dependencies.md: %s has no reason", m[1])
		}
	}
	return out
}

// required reads the versions of a go.mod.
func required(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range requireLine.FindAllStringSubmatch(read(t, path), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// imported is the part of required that packages in dir import themselves, tests included.
func imported(t *testing.T, dir string, versions map[string]string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-f", `{{join .Imports "\n"}}{{"\n"}}{{join .TestImports "\n"}}{{"\n"}}{{join .XTestImports "\n"}}`, "./...")
	cmd.Dir = filepath.Join(root, dir)
	list, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for path := range strings.Lines(string(list)) {
		path = strings.TrimSpace(path)
		best := ""
		for m := range versions {
			if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
				best = m
			}
		}
		if best != "" {
			out[best] = versions[best]
		}
	}
	return out
}

func compare(t *testing.T, section string, want map[string]string) {
	t.Helper()
	got := documented(t, section)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		version, ok := got[name]
		switch {
		case !ok:
			t.Errorf("docs/dependencies.md, %s: add `%s` %s with one line why", section, name, want[name])
		case version != want[name]:
			t.Errorf("docs/dependencies.md, %s: %s has %s, the page says %s", section, name, want[name], version)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("docs/dependencies.md, %s: %s is not used", section, name)
		}
	}
}

func TestDependenciesAreDocumented(t *testing.T) {
	compare(t, "Go", imported(t, ".", required(t, "go.mod")))

	versions := required(t, "tools/go.mod")
	tools := imported(t, "tools", versions)
	_, list, _ := strings.Cut(read(t, "tools/go.mod"), "\ntool (\n")
	list, _, _ = strings.Cut(list, ")")
	for name := range strings.FieldsSeq(list) {
		tools[name] = versions[name]
	}
	compare(t, "Go tools", tools)

	var npm struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal([]byte(read(t, "web/package.json")), &npm); err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{}
	maps.Copy(packages, npm.Dependencies)
	maps.Copy(packages, npm.DevDependencies)
	for name, version := range packages {
		if !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`).MatchString(version) {
			t.Errorf("web/package.json: %s is %q, it must be an exact version", name, version)
		}
	}
	compare(t, "npm", packages)

	debian := map[string]string{}
	for line := range strings.Lines(read(t, "scripts/packages.txt")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] != "#" && !strings.HasPrefix(line, "#") {
			debian[f[0]] = ""
		}
	}
	compare(t, "Debian packages", debian)
}
