package docsite

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// blocks renders what may be wider than the page, so that it scrolls by itself
// and can be reached with the keyboard; and a mermaid sequence as a drawing.
type blocks struct{}

func (b blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, b.code)
	r.Register(ast.KindCodeBlock, b.code)
	r.Register(ast.KindHeading, b.heading)
	r.Register(extast.KindTable, b.table)
}

func (blocks) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	var body strings.Builder
	lines := n.Lines()
	for i := range lines.Len() {
		line := lines.At(i)
		body.Write(line.Value(source))
	}
	language := ""
	if f, ok := n.(*ast.FencedCodeBlock); ok {
		language = string(f.Language(source))
	}
	if language == "mermaid" {
		if d, ok := parseSequence(body.String()); ok {
			d.draw(w)
			return ast.WalkSkipChildren, nil
		}
	}
	_, _ = w.WriteString(`<pre tabindex="0"><code`)
	if language != "" {
		_, _ = w.WriteString(` class="language-`)
		_, _ = w.Write(util.EscapeHTML([]byte(language)))
		_, _ = w.WriteString(`"`)
	}
	_, _ = w.WriteString(`>`)
	_, _ = w.Write(util.EscapeHTML([]byte(body.String())))
	_, _ = w.WriteString("</code></pre>\n")
	return ast.WalkSkipChildren, nil
}

// heading carries a link to itself, so that a place in a page can be handed on.
func (blocks) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	level := "0123456"[h.Level]
	id, _ := h.AttributeString("id")
	anchor, _ := id.([]byte)
	if entering {
		_, _ = w.WriteString(`<h` + string(level) + ` id="`)
		_, _ = w.Write(util.EscapeHTML(anchor))
		_, _ = w.WriteString(`"><a class="anchor" href="#`)
		_, _ = w.Write(util.EscapeHTML(anchor))
		_, _ = w.WriteString(`">`)
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString(`</a></h` + string(level) + ">\n")
	return ast.WalkContinue, nil
}

func (blocks) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="wide" tabindex="0" role="region" aria-label="Table"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}
