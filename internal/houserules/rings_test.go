package houserules

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// plan is the ring table of ARCHITECTURE.md.
type plan struct {
	ringOf   map[string]string          // listed package → ring
	may      map[string]map[string]bool // ring → rings and packages it may import
	testOnly map[string]bool
}

var quoted = regexp.MustCompile("`([^`]+)`")

// readPlan reads the two tables under "## The rings".
func readPlan(text string) (plan, error) {
	p := plan{map[string]string{}, map[string]map[string]bool{}, map[string]bool{}}
	_, section, ok := strings.Cut(text, "\n## The rings\n")
	if !ok {
		return p, fmt.Errorf("ARCHITECTURE.md has no section %q", "The rings")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		switch len(cells) {
		case 3:
			p.addRing(strings.TrimSpace(cells[0]), quoted.FindAllStringSubmatch(cells[1], -1), cells[2])
		case 2:
			for _, m := range quoted.FindAllStringSubmatch(cells[0], -1) {
				p.testOnly[m[1]] = true
			}
		default:
			return p, fmt.Errorf("ring table: row %q has %d cells", line, len(cells))
		}
	}
	if len(p.ringOf) == 0 || len(p.testOnly) == 0 {
		return p, fmt.Errorf("ring table: found %d packages and %d test-only packages", len(p.ringOf), len(p.testOnly))
	}
	return p, nil
}

func (p plan) addRing(ring string, packages [][]string, may string) {
	if len(packages) == 0 {
		return // the head of the table
	}
	for _, m := range packages {
		p.ringOf[m[1]] = ring
	}
	p.may[ring] = map[string]bool{}
	for _, m := range strings.FieldsFunc(may, func(r rune) bool { return r == ',' || r == ' ' || r == '`' }) {
		p.may[ring][m] = true
	}
}

// room is the listed package that path is or lies below; "" where there is none.
func (p plan) room(path string) string {
	best := ""
	for listed := range maps.Keys(p.ringOf) {
		if path == listed || strings.HasPrefix(path, listed+"/") {
			if len(listed) > len(best) {
				best = listed
			}
		}
	}
	return best
}

func (p plan) isTestOnly(path string) bool {
	for listed := range p.testOnly {
		if path == listed || strings.HasPrefix(path, listed+"/") {
			return true
		}
	}
	return false
}

// fault says what is wrong with from importing to; "" where nothing is.
func (p plan) fault(from, to string) string {
	if p.isTestOnly(to) {
		return "is for tests alone"
	}
	here, there := p.room(from), p.room(to)
	if there == "" {
		return "is not in the ring table"
	}
	may := p.may[p.ringOf[here]]
	if here == there || may[p.ringOf[there]] || may[there] {
		return ""
	}
	return fmt.Sprintf("is in ring %q, which ring %q must not import", p.ringOf[there], p.ringOf[here])
}

func loadPlan(t *testing.T) plan {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPlan(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestImportsGoInward(t *testing.T) {
	p := loadPlan(t)
	for _, k := range packages(t) {
		if p.isTestOnly(k.Path()) {
			continue
		}
		if p.room(k.Path()) == "" {
			t.Errorf("%s is not in the ring table of ARCHITECTURE.md", k.Path())
			continue
		}
		for _, imported := range k.Imports {
			to := local(imported)
			if to == "" {
				continue
			}
			if fault := p.fault(k.Path(), to); fault != "" {
				t.Errorf("%s imports %s, which %s; declare a small interface in doors.go and bind it in internal/app", k.Path(), to, fault)
			}
		}
	}
}

// The words are spoken everywhere, so they bring nothing along.
func TestWordsImportTheStandardLibraryAlone(t *testing.T) {
	for _, k := range packages(t) {
		if k.Path() != "." {
			continue
		}
		for _, imported := range k.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
				t.Errorf("the root package imports %s; it may use the standard library only", imported)
			}
		}
	}
}

func TestListedPackagesExist(t *testing.T) {
	p := loadPlan(t)
	all := packages(t)
	for _, listed := range slices.Concat(slices.Sorted(maps.Keys(p.ringOf)), slices.Sorted(maps.Keys(p.testOnly))) {
		if !slices.ContainsFunc(all, func(k pkg) bool { return k.Path() == listed || strings.HasPrefix(k.Path(), listed+"/") }) {
			t.Errorf("ARCHITECTURE.md lists %s, which does not exist", listed)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, k := range packages(t) {
		if len(k.GoFiles) > 0 && k.Doc == "" {
			t.Errorf("%s has no package comment: say what the room is for, what it never does, what it promises", k.Path())
		}
	}
}

func TestFoldersAreNamedAfterWhatTheyHold(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib", "base"}
	walk(t, func(path string, d fs.DirEntry) {
		if d.IsDir() && slices.Contains(empty, strings.ToLower(d.Name())) {
			t.Errorf("%s: the name says nothing; name the folder after the noun that it holds", path)
		}
	})
}

// The checker itself: a table that is wrong must be found out.
func TestPlanFindsFaults(t *testing.T) {
	p, err := readPlan(strings.ReplaceAll(`
## The rings

| Ring | Packages | May import |
|---|---|---|
| words | '.' | |
| leaves | 'leaf' | words |
| rooms | 'a' 'b' | words, 'leaf' |
| hall | 'hall' | words, leaves, rooms |

| Test-only package | What it is for |
|---|---|
| 'a/atest' | trying a |

## Next
`, "'", "`"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"a", ".", true},
		{"a", "leaf", true},
		{"a", "a/deep", true},
		{"a/deep", "a", true},
		{"hall", "b", true},
		{"a", "b", false},
		{"a/deep", "b/deep", false},
		{"b", "hall", false},
		{".", "leaf", false},
		{"hall", "a/atest", false},
		{"a", "a/atest", false},
		{"a", "unlisted", false},
		{"hall", "hallway", false},
	} {
		if got := p.fault(c.from, c.to); (got == "") != c.ok {
			t.Errorf("%s importing %s: fault %q, want allowed=%t", c.from, c.to, got, c.ok)
		}
	}
	if _, err := readPlan("no such section"); err == nil {
		t.Error("a page without the table was taken for one with it")
	}
}
