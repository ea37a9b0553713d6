package docsite

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/scailabs/scaigrid/docs"
)

// heading is an entry of "On this page".
type heading struct{ ID, Text string }

// rendered is a page as HTML.
type rendered struct {
	html     string
	headings []heading // of the second level
	broken   []string  // link targets without a page
}

// markdown turns pages into HTML. Raw HTML in them is left out and links with
// a scheme other than http, https, mailto or tel lose their target, both by
// goldmark's default.
type markdown struct {
	engine goldmark.Markdown
	urls   map[string]string // "/docs/<path>" → address
}

func newMarkdown(pages []docs.Page) *markdown {
	m := &markdown{urls: map[string]string{}}
	for _, p := range pages {
		m.urls[Prefix+"/"+p.Path] = p.URL()
	}
	m.urls[Prefix], m.urls[Prefix+"/"] = Prefix, Prefix
	m.engine = goldmark.New(
		// Alignment as an attribute: the policy of the pages refuses styles in the text.
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), extension.Strikethrough),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(blocks{}, 100))),
	)
	return m
}

func (m *markdown) render(p *docs.Page) (rendered, error) {
	source := []byte(p.Body)
	tree := m.engine.Parser().Parse(text.NewReader(source))
	dropTitle(tree)
	var r rendered
	err := ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			m.resolve(p, n, &r)
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok && n.Level == 2 {
				r.headings = append(r.headings, heading{string(id.([]byte)), plain(n, source)})
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return r, err
	}
	var b bytes.Buffer
	if err := m.engine.Renderer().Render(&b, source, tree); err != nil {
		return r, err
	}
	r.html = b.String()
	return r, nil
}

// dropTitle removes a first-level heading at the top: the layout shows the title.
func dropTitle(tree ast.Node) {
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 {
			tree.RemoveChild(tree, n)
			return
		}
		if n.Kind() != ast.KindHTMLBlock {
			return
		}
	}
}

// resolve makes a relative link to another page absolute, so that it holds
// whatever form of the page's own address was asked for.
func (m *markdown) resolve(p *docs.Page, link *ast.Link, r *rendered) {
	dest := string(link.Destination)
	u, err := url.Parse(dest)
	if err != nil {
		r.broken = append(r.broken, dest)
		return
	}
	if u.IsAbs() || u.Host != "" {
		link.SetAttributeString("rel", []byte("noopener"))
		return
	}
	if u.Path == "" || strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(u.Path, Prefix+"/") && u.Path != Prefix {
		return // within this page, or another place of this server
	}
	base := &url.URL{Path: Prefix + "/" + p.Path}
	full := base.ResolveReference(&url.URL{Path: strings.TrimSuffix(u.Path, ".md")})
	to, ok := m.urls[full.Path]
	if !ok {
		r.broken = append(r.broken, dest)
		return
	}
	if u.Fragment != "" {
		to += "#" + u.Fragment
	}
	link.Destination = []byte(to)
}

// plain is the text of a node without its markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
