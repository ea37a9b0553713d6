// Package docs is the user documentation: Markdown files, embedded, in the
// order in which a newcomer reads them. The server shows them under /docs, and
// the demo's bot answers from them.
//
// It renders nothing and knows no address but the path of a page. It promises
// that every embedded page has a title and stands in the table of sections.
package docs

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/goccy/go-yaml"
)

// FS holds the Markdown files, as they lie in this folder.
//
//go:embed index.md quickstart.md troubleshooting.md faq.md
//go:embed tutorials/*.md concepts/*.md reference/*.md deploy/*.md
var FS embed.FS

// Page is one page of the documentation.
type Page struct {
	Path    string // without ".md", such as "tutorials/embed-on-your-site"; "index" for the first
	Section string // where it stands in the table of contents
	Title   string
	Summary string // one sentence
	Body    string // Markdown, without the front matter
}

// URL is the address of the page on the server that shows it.
func (p Page) URL() string {
	if p.Path == "index" {
		return "/docs"
	}
	return "/docs/" + p.Path
}

// Generated is the text of pages that are made from the running program. A
// field left empty leaves the page as its file has it, which says where the
// text would come from.
type Generated struct {
	API    string // Markdown; what every endpoint takes and gives
	Widget string // Markdown; every attribute, option and CSS variable
}

// marks are the places in files where generated text goes.
const (
	markAPI    = "<!-- generated: api -->"
	markWidget = "<!-- generated: widget -->"
)

var sections = []struct {
	name  string
	pages []string
}{
	{"Start", []string{"index", "quickstart", "tutorials/embed-on-your-site", "tutorials/build-with-the-admin-ui"}},
	{"Concepts", []string{"concepts/turns", "concepts/visitors", "concepts/tokens", "concepts/knowledge", "concepts/conversations"}},
	{"Reference", []string{"reference/widget", "reference/api", "reference/errors", "reference/cli", "reference/configuration"}},
	{"Run it", []string{"deploy/caddy", "deploy/nginx", "deploy/systemd", "deploy/container"}},
	{"Help", []string{"troubleshooting", "faq"}},
}

// Pages returns every page, in the order of the table of contents.
func Pages(g Generated) ([]Page, error) {
	var out []Page
	for _, s := range sections {
		for _, name := range s.pages {
			text, err := FS.ReadFile(name + ".md")
			if err != nil {
				return nil, fmt.Errorf("docs: %w", err)
			}
			p, err := parse(name, string(text))
			if err != nil {
				return nil, fmt.Errorf("docs: %s.md: %w", name, err)
			}
			p.Section = s.name
			p.Body = g.fill(p.Body)
			out = append(out, p)
		}
	}
	return out, nil
}

func (g Generated) fill(body string) string {
	for mark, text := range map[string]string{markAPI: g.API, markWidget: g.Widget} {
		before, after, found := strings.Cut(body, mark)
		if !found {
			continue
		}
		if text == "" {
			body = before + after
			continue
		}
		// What stands behind the mark speaks of the text's absence.
		body = before + text
	}
	return body
}

// parse splits a file into its front matter and its text.
func parse(name, text string) (Page, error) {
	head, body, ok := strings.Cut(strings.TrimPrefix(text, "---\n"), "\n---\n")
	if !ok || !strings.HasPrefix(text, "---\n") {
		return Page{}, fmt.Errorf("has no front matter between two lines of ---")
	}
	var meta struct {
		Title   string `yaml:"title"`
		Summary string `yaml:"summary"`
		Path    string `yaml:"path"`
		Status  string `yaml:"status"`
	}
	if err := yaml.Unmarshal([]byte(head), &meta); err != nil {
		return Page{}, fmt.Errorf("front matter: %w", err)
	}
	if meta.Title == "" || meta.Summary == "" {
		return Page{}, fmt.Errorf("front matter needs a title and a summary")
	}
	if meta.Path != "" && meta.Path != path.Clean(name) {
		return Page{}, fmt.Errorf("front matter says path %q", meta.Path)
	}
	return Page{Path: name, Title: meta.Title, Summary: meta.Summary, Body: strings.TrimLeft(body, "\n")}, nil
}
