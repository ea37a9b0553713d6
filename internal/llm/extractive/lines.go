package extractive

import (
	"regexp"
	"strings"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/text"
)

// lineKind is what a line of a passage is.
type lineKind uint8

const (
	prose lineKind = iota
	listItem
	codeBlock
)

// line is the smallest piece of a passage that can be said: a sentence, an
// entry of a list, a row of a table, a block of code.
type line struct {
	passage int
	order   int // in the passage
	kind    lineKind
	text    string // words of the passage, unchanged, without the list mark
	mark    string // "- ", "2. "
	lead    int    // order of the line that introduces this entry, or -1
	section int    // grows with each blank line

	terms []string
	set   map[string]bool
}

var itemMark = regexp.MustCompile(`^\s*(?:[-*•]|\d{1,3}[.)])\s+`)

// linesOf takes a passage apart.
func linesOf(i int, p scaigrid.Passage) []line {
	var out []line
	add := func(l line) {
		l.passage, l.order = i, len(out)
		out = append(out, l)
	}
	section, lead := 0, -1
	for para := range strings.SplitSeq(p.Text, "\n\n") {
		section++
		if strings.HasPrefix(para, "```") {
			add(line{kind: codeBlock, text: para, lead: lead, section: section})
			continue
		}
		for l := range strings.SplitSeq(para, "\n") {
			if m := itemMark.FindString(l); m != "" && len(m) < len(l) {
				add(line{kind: listItem, text: strings.TrimSpace(l[len(m):]), mark: strings.TrimSpace(m) + " ", lead: lead, section: section})
				continue
			}
			for _, s := range text.Sentences(l) {
				add(line{text: s.Of(l), lead: -1, section: section})
			}
			lead = -1
			if n := len(out); n > 0 && announces(out[n-1].text) {
				lead = n - 1
			}
		}
	}
	return out
}

// announces tells whether a sentence introduces what follows it.
func announces(s string) bool {
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
}
