package docsite

import (
	"bytes"
	"html/template"

	"github.com/scailabs/scaigrid/docs"
)

// layout puts a rendered page between head, contents and foot.
type layout struct {
	tmpl    *template.Template
	version string // of the style sheet
}

type section struct {
	Name  string
	Pages []docs.Page
}

type view struct {
	Version  string
	Page     docs.Page
	Content  template.HTML
	Headings []heading
	Sections []section
	Prev     *docs.Page
	Next     *docs.Page
}

func (l *layout) page(pages []docs.Page, i int, r rendered) ([]byte, error) {
	v := view{
		Version: l.version, Page: pages[i], Headings: r.headings, Sections: contents(pages),
		// Made by goldmark without raw HTML, from pages in this binary.
		Content: template.HTML(r.html), //nolint:gosec // see above
	}
	if i > 0 {
		v.Prev = &pages[i-1]
	}
	if i < len(pages)-1 {
		v.Next = &pages[i+1]
	}
	return l.execute(v)
}

func (l *layout) missing(pages []docs.Page) (file, error) {
	body, err := l.execute(view{
		Version: l.version, Sections: contents(pages),
		Page: docs.Page{Path: "-", Title: "There is no such page", Summary: "It may have moved: every page is listed in the contents."},
	})
	return newFile("text/html; charset=utf-8", body), err
}

func (l *layout) execute(v view) ([]byte, error) {
	var b bytes.Buffer
	err := l.tmpl.Execute(&b, v)
	return b.Bytes(), err
}

func contents(pages []docs.Page) []section {
	var out []section
	for _, p := range pages {
		if len(out) == 0 || out[len(out)-1].Name != p.Section {
			out = append(out, section{Name: p.Section})
		}
		last := &out[len(out)-1]
		last.Pages = append(last.Pages, p)
	}
	return out
}
