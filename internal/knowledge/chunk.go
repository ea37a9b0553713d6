package knowledge

import (
	"strings"

	"github.com/scailabs/scaigrid/internal/text"
)

// Sizes of a chunk in estimated tokens.
const (
	targetTokens  = 500 // cut here, at the next seam
	maxTokens     = 600 // never more, unless one line of code is longer
	overlapTokens = 50  // repeated from the end of the chunk before
)

// headingSeparator stands between the headings of a path.
const headingSeparator = " › "

// piece is a chunk before it has an id.
type piece struct {
	heading string
	text    string
}

// cut makes chunks of a document: never across headings, at paragraphs where
// it can, at sentences where it must. A list cut in two repeats its lead-in.
func cut(src source) []piece {
	var out []piece
	var path [7]string
	var section []block
	flush := func() {
		h := headingPath(path[1:], src.title)
		for _, t := range cutSection(section) {
			out = append(out, piece{heading: h, text: t})
		}
		section = nil
	}
	for _, b := range src.blocks {
		if b.kind != heading {
			section = append(section, b)
			continue
		}
		flush()
		path[b.level] = b.text
		clear(path[b.level+1:])
	}
	flush()
	return out
}

func headingPath(path []string, title string) string {
	var parts []string
	for _, h := range path {
		if h != "" && (len(parts) > 0 || h != title) {
			parts = append(parts, h)
		}
	}
	return strings.Join(parts, headingSeparator)
}

// unit is what is put into a chunk whole.
type unit struct {
	text   string
	sep    string // before it, when it is not the first
	tokens int
	lead   string // what to repeat when a chunk begins here
	prose  bool   // its end may be repeated as overlap
}

func cutSection(blocks []block) []string {
	units := unitsOf(blocks)
	total := 0
	for _, u := range units {
		total += u.tokens
	}
	if total == 0 {
		return nil
	}
	// Equal parts rather than full ones and a crumb.
	goal := maxTokens
	if total > maxTokens {
		parts := (total + targetTokens - 1) / targetTokens
		goal = (total + parts - 1) / parts
	}
	var out []string
	var c chunkWriter
	for i, u := range units {
		if c.fresh > 0 && (c.tokens+u.tokens > maxTokens || c.tokens >= goal) {
			out = append(out, c.b.String())
			c.begin(u, units[i-1])
		}
		c.add(u)
	}
	return append(out, c.b.String())
}

type chunkWriter struct {
	b      strings.Builder
	tokens int
	fresh  int // tokens that are not repeated
}

func (c *chunkWriter) begin(u, prev unit) {
	c.b.Reset()
	c.tokens, c.fresh = 0, 0
	repeat := u.lead
	if repeat == "" && prev.prose {
		repeat = tail(prev.text, overlapTokens)
	}
	if n := text.CountTokens(repeat); repeat != "" && n+u.tokens <= maxTokens {
		c.b.WriteString(repeat)
		c.tokens = n
	}
}

func (c *chunkWriter) add(u unit) {
	if c.b.Len() > 0 {
		c.b.WriteString(u.sep)
	}
	c.b.WriteString(u.text)
	c.tokens += u.tokens
	c.fresh += u.tokens
}

// unitsOf splits what is too long for a chunk, and ties list entries to the
// sentence that introduces them.
func unitsOf(blocks []block) []unit {
	var out []unit
	lead := ""
	for i, b := range blocks {
		sep := "\n\n"
		if (b.kind == item || b.kind == row) && i > 0 && blocks[i-1].kind == b.kind {
			sep = "\n"
		}
		switch b.kind {
		case item:
			if i > 0 && blocks[i-1].kind == paragraph {
				lead = leadIn(blocks[i-1].text)
				sep = "\n"
			} else if i == 0 {
				lead = ""
			}
			out = appendUnits(out, b.text, sep, lead, false)
		case code:
			out = append(out, codeUnits(b.text, sep)...)
		default:
			lead = ""
			out = appendUnits(out, b.text, sep, "", b.kind == paragraph)
		}
	}
	return out
}

// leadIn is the last sentence of a paragraph, where it announces a list.
func leadIn(p string) string {
	ss := text.Sentences(p)
	if len(ss) == 0 {
		return ""
	}
	last := ss[len(ss)-1].Of(p)
	if text.CountTokens(last) > overlapTokens || !strings.HasSuffix(last, ":") && !strings.HasSuffix(last, "：") {
		return ""
	}
	return last
}

func appendUnits(out []unit, s, sep, lead string, prose bool) []unit {
	if n := text.CountTokens(s); n <= maxTokens/2 {
		return append(out, unit{text: s, sep: sep, tokens: n, lead: lead, prose: prose})
	}
	end := 0
	for _, p := range text.Sentences(s) {
		for i, part := range hardSplit(p.Of(s)) {
			gap := " "
			switch {
			case i > 0:
			case end == 0:
				gap = sep
			case strings.Contains(s[end:p.Start], "\n"):
				gap = "\n"
			case end == p.Start:
				gap = ""
			}
			out = append(out, unit{text: part, sep: gap, tokens: text.CountTokens(part), lead: lead, prose: prose})
		}
		end = p.End
	}
	return out
}

// hardSplit cuts what has no sentences at words, and what has no words at
// characters.
func hardSplit(s string) []string {
	if text.CountTokens(s) <= maxTokens {
		return []string{s}
	}
	var out []string
	start, space, n := 0, -1, 0
	for i, r := range s {
		if r == ' ' || r == '\n' {
			space = i
		}
		if n++; n%64 != 0 || text.CountTokens(s[start:i]) < targetTokens {
			continue
		}
		at := i
		if space > start {
			at = space
		}
		out = append(out, strings.TrimSpace(s[start:at]))
		start = at
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// codeUnits keeps a code block whole where it fits, else cuts it at lines and
// fences each part.
func codeUnits(s, sep string) []unit {
	if n := text.CountTokens(s); n <= maxTokens {
		return []unit{{text: s, sep: sep, tokens: n}}
	}
	body := strings.TrimSuffix(strings.TrimPrefix(s, "```\n"), "\n```")
	var out []unit
	var part []string
	n := 0
	flush := func() {
		if len(part) > 0 {
			t := "```\n" + strings.Join(part, "\n") + "\n```"
			out = append(out, unit{text: t, sep: sep, tokens: text.CountTokens(t)})
		}
		part, n = nil, 0
	}
	for l := range strings.SplitSeq(body, "\n") {
		for _, h := range hardSplit(l) {
			k := text.CountTokens(h)
			if n+k > targetTokens {
				flush()
			}
			part = append(part, h)
			n += k
		}
	}
	flush()
	return out
}

// tail is the last sentences of s that fit into n tokens.
func tail(s string, n int) string {
	ss := text.Sentences(s)
	from := len(s)
	for i := len(ss) - 1; i >= 0; i-- {
		if text.CountTokens(s[ss[i].Start:]) > n {
			break
		}
		from = ss[i].Start
	}
	return s[from:]
}
