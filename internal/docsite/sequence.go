package docsite

import (
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

// sequence is a diagram of who says what to whom, in mermaid's notation.
type sequence struct {
	names  []string       // shown, left to right
	column map[string]int // participant → place in names
	steps  []step
}

type step struct {
	from, to int
	dashed   bool // an answer
	text     string
}

var (
	participantForm = regexp.MustCompile(`^participant\s+(\w+)(?:\s+as\s+(.+))?$`)
	arrowForm       = regexp.MustCompile(`^(\w+)(--?)>>(\w+)\s*:\s*(.+)$`)
)

// parseSequence reads a sequenceDiagram of participants and arrows; ok is false
// for anything else, which is then shown as text.
func parseSequence(source string) (d sequence, ok bool) {
	d.column = map[string]int{}
	for i, line := range strings.Split(strings.TrimSpace(source), "\n") {
		line = strings.TrimSpace(line)
		p, a := participantForm.FindStringSubmatch(line), arrowForm.FindStringSubmatch(line)
		switch {
		case i == 0 && line == "sequenceDiagram", line == "":
		case i == 0:
			return d, false
		case p != nil:
			name := p[2]
			if name == "" {
				name = p[1]
			}
			d.column[p[1]] = len(d.names)
			d.names = append(d.names, name)
		case a != nil:
			from, known := d.column[a[1]]
			to, known2 := d.column[a[3]]
			if !known || !known2 || from == to {
				return d, false
			}
			d.steps = append(d.steps, step{from, to, a[2] == "--", a[4]})
		default:
			return d, false
		}
	}
	return d, len(d.names) > 1 && len(d.steps) > 0
}

const (
	columnWidth = 230
	boxWidth    = 140
	boxHeight   = 36
	stepHeight  = 46
)

// draw writes the diagram as SVG. Colours come from the style sheet, and the
// steps stand in it as text, for those who cannot see it.
func (d sequence) draw(w io.Writer) {
	center := func(column int) int { return columnWidth/2 + column*columnWidth }
	width, height := columnWidth*len(d.names), boxHeight+stepHeight*len(d.steps)+24
	var said strings.Builder
	for _, s := range d.steps {
		fmt.Fprintf(&said, "%s to %s: %s. ", d.names[s.from], d.names[s.to], s.text)
	}
	fmt.Fprintf(w, `<figure class="wide" tabindex="0"><svg class="sequence" role="img" aria-label="%s" viewBox="0 0 %d %d" width="%d" height="%d">`,
		html.EscapeString(strings.TrimSpace(said.String())), width, height, width, height)
	for i, name := range d.names {
		fmt.Fprintf(w, `<line class="life" x1="%d" y1="%d" x2="%d" y2="%d"/><rect x="%d" y="1" width="%d" height="%d" rx="8"/><text class="who" x="%d" y="23">%s</text>`,
			center(i), boxHeight, center(i), height, center(i)-boxWidth/2, boxWidth, boxHeight, center(i), html.EscapeString(name))
	}
	for i, s := range d.steps {
		y := boxHeight + stepHeight*(i+1)
		tip, back := center(s.to), -7
		if s.to < s.from {
			back = 7
		}
		class := "says"
		if s.dashed {
			class = "answers"
		}
		fmt.Fprintf(w, `<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d"/><path d="M%d %d l%d -4 v8 z"/><text x="%d" y="%d">%s</text>`,
			class, center(s.from), y, tip+back, y, tip, y, back, (center(s.from)+tip)/2, y-8, html.EscapeString(s.text))
	}
	_, _ = io.WriteString(w, "</svg></figure>\n")
}
