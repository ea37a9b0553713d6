package knowledge

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	blankLines = regexp.MustCompile(`\n[ \t]*\n\s*`)
	listMark   = regexp.MustCompile(`^\s*(?:[-*•–]|\d{1,3}[.)])\s+`)
)

// maxTitleRunes: a longer first line is text, not a title.
const maxTitleRunes = 120

// readPlain reads text without markup: paragraphs between blank lines, lists
// by their marks, and a short first line on its own as the title.
func readPlain(s string) source {
	var src source
	for i, para := range blankLines.Split(strings.TrimSpace(s), -1) {
		if strings.TrimSpace(para) == "" {
			continue
		}
		if i == 0 && !strings.Contains(para, "\n") && utf8.RuneCountInString(para) <= maxTitleRunes && !strings.HasSuffix(para, ".") {
			src.title = squeeze(para)
			continue
		}
		src.blocks = append(src.blocks, plainBlocks(para)...)
	}
	if len(src.blocks) == 0 && src.title != "" {
		src.blocks = []block{{kind: paragraph, text: src.title}}
	}
	return src
}

// plainBlocks splits a paragraph at its list marks.
func plainBlocks(para string) []block {
	var out []block
	var lines []string
	k := paragraph
	flush := func() {
		if len(lines) == 0 {
			return
		}
		if t := unwrap(strings.Join(lines, "\n")); t != "" {
			if k == item {
				t = "- " + t
			}
			out = append(out, block{kind: k, text: t})
		}
		lines = nil
	}
	for l := range strings.SplitSeq(para, "\n") {
		if m := listMark.FindString(l); m != "" && len(l) > len(m) {
			flush()
			k, l = item, l[len(m):]
		}
		lines = append(lines, l)
	}
	flush()
	return out
}
