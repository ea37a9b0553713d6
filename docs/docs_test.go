package docs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/docs"
	"github.com/scailabs/scaigrid/internal/config"
	"github.com/scailabs/scaigrid/web"
)

func pages(t *testing.T, g docs.Generated) map[string]docs.Page {
	t.Helper()
	list, err := docs.Pages(g)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]docs.Page{}
	for _, p := range list {
		out[p.Path] = p
	}
	return out
}

func TestEveryFileIsAPage(t *testing.T) {
	have := pages(t, docs.Generated{})
	err := fs.WalkDir(docs.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if _, ok := have[strings.TrimSuffix(path, ".md")]; !ok {
				t.Errorf("%s is embedded, but does not stand in the table of sections", path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range have {
		if strings.Contains(p.Body, "\n---\ntitle:") || strings.HasPrefix(p.Body, "---") {
			t.Errorf("%s: the front matter is left in its text", p.Path)
		}
	}
}

func TestGeneratedTextTakesThePlaceOfTheWordsAboutItsAbsence(t *testing.T) {
	without := pages(t, docs.Generated{})
	with := pages(t, docs.Generated{API: "THE API", Widget: "THE WIDGET"})
	for path, text := range map[string]string{"reference/api": "THE API", "reference/widget": "THE WIDGET"} {
		if got := strings.TrimSpace(with[path].Body); got != text {
			t.Errorf("%s: %q, want %q alone", path, got, text)
		}
		if got := without[path].Body; strings.TrimSpace(got) == "" || strings.Contains(got, "<!--") {
			t.Errorf("%s without generated text: %q, want words that say so", path, got)
		}
	}
}

// The tutorial is the product's own, and ours must stay the same to the byte.
func TestTutorialIsUnchanged(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("..", "..", "shared", "spec", "embed-on-your-site.md"))
	if err != nil {
		t.Skipf("the product's own copy is not beside the checkout: %v", err)
	}
	got, err := os.ReadFile("tutorials/embed-on-your-site.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/tutorials/embed-on-your-site.md differs from the product's own copy")
	}
}

var errorRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| ([0-9]+) \\|")

func TestEveryErrorCodeIsExplained(t *testing.T) {
	rows := errorRow.FindAllStringSubmatch(pages(t, docs.Generated{})["reference/errors"].Body, -1)
	codes := scaigrid.Codes()
	seen := map[scaigrid.Code]bool{}
	for _, row := range rows {
		code := scaigrid.Code(row[1])
		status, ok := codes[code]
		switch {
		case !ok:
			t.Errorf("reference/errors.md explains %s, which there is not", code)
		case strconv.Itoa(status) != row[2]:
			t.Errorf("reference/errors.md gives %s the status %s, it has %d", code, row[2], status)
		case seen[code]:
			t.Errorf("reference/errors.md explains %s twice", code)
		}
		seen[code] = true
	}
	for code := range codes {
		if !seen[code] {
			t.Errorf("reference/errors.md does not explain %s", code)
		}
	}
}

func TestConfigurationPageIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := config.WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("reference/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/reference/configuration.md is old; run make generate")
	}
}

// Where the widget is built into the binary, its reference is too.
func TestWidgetPageIsMadeFromTheWidget(t *testing.T) {
	if !web.Built() {
		t.Skip(web.HowToBuild)
	}
	body := pages(t, docs.Generated{Widget: web.Reference()})["reference/widget"].Body
	for _, want := range []string{"`data-token-url`", "`--scaibot-primary`"} {
		if !strings.Contains(body, want) {
			t.Errorf("the widget's page lacks %s; is dist/widget/reference.md built (make web)?", want)
		}
	}
}
