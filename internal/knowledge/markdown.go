package knowledge

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var (
	htmlComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	htmlHidden  = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)\s*>`)
	htmlTag     = regexp.MustCompile(`(?s)</?[a-zA-Z][^<>]*>`)
)

// readMarkdown reads CommonMark with tables and definition lists, and the
// front matter before it.
func readMarkdown(s string) source {
	title, body := frontMatter(s)
	raw := []byte(body)
	md := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList, extension.DefinitionList))
	root := md.Parser().Parse(gtext.NewReader(raw), parser.WithContext(parser.NewContext()))
	r := markdownReader{src: raw}
	r.children(root)
	src := source{title: title, blocks: r.out}
	if src.title == "" {
		for _, b := range r.out {
			if b.kind == heading {
				if b.level == 1 {
					src.title = b.text
				}
				break
			}
		}
	}
	return src
}

// frontMatter returns the title that a YAML or TOML head gives, and the rest.
func frontMatter(s string) (title, body string) {
	for _, fence := range []string{"---\n", "+++\n"} {
		if !strings.HasPrefix(s, fence) {
			continue
		}
		head, rest, ok := strings.Cut(s[len(fence):], "\n"+fence[:3])
		if !ok || len(head) > 1<<16 || (rest != "" && rest[0] != '\n') {
			continue
		}
		known := false
		for l := range strings.Lines(head) {
			key, val, found := strings.Cut(l, map[bool]string{true: ":", false: "="}[fence[0] == '-'])
			known = known || found
			if found && strings.TrimSpace(key) == "title" {
				title = squeeze(strings.Trim(strings.TrimSpace(val), `"'`))
			}
		}
		if known || strings.TrimSpace(head) == "" {
			return title, rest
		}
	}
	return "", s
}

type markdownReader struct {
	src []byte
	out []block
}

func (r *markdownReader) add(k kind, level int, text string) {
	if strings.TrimSpace(text) != "" {
		r.out = append(r.out, block{kind: k, level: level, text: text})
	}
}

func (r *markdownReader) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.block(c)
	}
}

func (r *markdownReader) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		r.add(heading, n.Level, squeeze(r.inline(n)))
	case *ast.Paragraph, *ast.TextBlock:
		r.add(paragraph, 0, unwrap(r.inline(n)))
	case *ast.List:
		r.list(n, 0)
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		if t := strings.TrimRight(r.lines(n), "\n "); t != "" {
			r.add(code, 0, "```\n"+t+"\n```")
		}
	case *ast.HTMLBlock:
		t := r.lines(n)
		if n.HasClosure() {
			t += string(n.ClosureLine.Value(r.src))
		}
		r.add(paragraph, 0, unwrap(stripHTML(t)))
	case *east.Table:
		r.table(n)
	case *east.DefinitionList:
		r.definitions(n)
	case *ast.ThematicBreak:
	default:
		r.children(n)
	}
}

func stripHTML(s string) string {
	s = htmlTag.ReplaceAllString(htmlHidden.ReplaceAllString(htmlComment.ReplaceAllString(s, " "), " "), " ")
	return html.UnescapeString(s)
}

func (r *markdownReader) lines(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.Write(seg.Value(r.src))
	}
	return b.String()
}

// list adds every entry as a block of its own; what stands under an entry is
// joined to it, lists in lists are indented.
func (r *markdownReader) list(l *ast.List, depth int) {
	if depth > 20 {
		return
	}
	n := l.Start
	for c := l.FirstChild(); c != nil; c = c.NextSibling() {
		mark := "- "
		if l.IsOrdered() {
			mark = fmt.Sprintf("%d. ", n)
			n++
		}
		var own []string
		for p := c.FirstChild(); p != nil; p = p.NextSibling() {
			switch p.(type) {
			case *ast.Paragraph, *ast.TextBlock:
				own = append(own, squeeze(r.inline(p)))
			default:
				if len(own) > 0 {
					r.add(item, 0, strings.Repeat("  ", depth)+mark+strings.Join(own, " "))
					own = nil
				}
				if sub, ok := p.(*ast.List); ok {
					r.list(sub, depth+1)
				} else {
					r.block(p)
				}
			}
		}
		if text := strings.Join(own, " "); text != "" {
			r.add(item, 0, strings.Repeat("  ", depth)+mark+text)
		}
	}
}

// table turns every row into a line that says what each cell is.
func (r *markdownReader) table(t *east.Table) {
	var names []string
	for c := t.FirstChild(); c != nil; c = c.NextSibling() {
		var cells []string
		for d := c.FirstChild(); d != nil; d = d.NextSibling() {
			cells = append(cells, squeeze(r.inline(d)))
		}
		if _, ok := c.(*east.TableHeader); ok {
			names = cells
			continue
		}
		r.add(row, 0, tableRow(names, cells))
	}
}

func tableRow(names, cells []string) string {
	var parts []string
	for i, cell := range cells {
		switch {
		case cell == "":
		case i < len(names) && names[i] != "":
			parts = append(parts, names[i]+": "+cell)
		default:
			parts = append(parts, cell)
		}
	}
	return strings.Join(parts, "; ")
}

func (r *markdownReader) definitions(l *east.DefinitionList) {
	term := ""
	for c := l.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Kind() == east.KindDefinitionTerm {
			term = squeeze(r.inline(c))
			continue
		}
		r.add(item, 0, "- "+term+": "+squeeze(r.deepText(c)))
	}
}

// deepText is the text of a node and all below it, in one line.
func (r *markdownReader) deepText(n ast.Node) string {
	if n.FirstChild() == nil || n.FirstChild().Type() == ast.TypeInline {
		if n.Type() == ast.TypeBlock && n.FirstChild() == nil && n.Kind() != ast.KindThematicBreak {
			return r.lines(n)
		}
		return r.inline(n)
	}
	var parts []string
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		parts = append(parts, r.deepText(c))
	}
	return strings.Join(parts, " ")
}

// inline is the text of a block's content, without emphasis, links and tags.
func (r *markdownReader) inline(n ast.Node) string {
	var b strings.Builder
	r.write(&b, n)
	return b.String()
}

func (r *markdownReader) write(b *strings.Builder, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if _, ok := n.(*ast.CodeSpan); ok {
				b.Write(c.Segment.Value(r.src))
			} else {
				b.Write(plainOf(c.Segment.Value(r.src)))
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(r.src))
		case *ast.RawHTML:
			b.WriteByte(' ')
		default:
			r.write(b, c)
		}
	}
}

// plainOf resolves backslashes and entities.
func plainOf(b []byte) []byte {
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(b)))
}
