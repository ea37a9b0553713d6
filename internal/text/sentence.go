package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a piece of a text by byte offsets.
type Span struct{ Start, End int }

// Of returns the piece of s.
func (p Span) Of(s string) string { return s[p.Start:p.End] }

// Sentences returns the sentences of s in order, without the white space
// around them. A line end ends a sentence: line breaks inside of paragraphs
// were removed when the text was read.
func Sentences(s string) []Span {
	var out []Span
	start := 0
	add := func(end int) {
		a, b := start, end
		for a < b {
			r, n := utf8.DecodeRuneInString(s[a:b])
			if !unicode.IsSpace(r) {
				break
			}
			a += n
		}
		for a < b {
			r, n := utf8.DecodeLastRuneInString(s[a:b])
			if !unicode.IsSpace(r) {
				break
			}
			b -= n
		}
		if a < b {
			out = append(out, Span{a, b})
		}
		start = end
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch r {
		case '\n', '\r', '\u2028', '\u2029':
			add(i)
		case '.', '!', '?', '…':
			end := closers(s, i)
			if ends(s, start, i, end, r) {
				add(end)
				i = end
			}
		case '。', '！', '？', '।', '؟', '｡', '॥':
			i = closers(s, i)
			add(i)
		}
	}
	add(len(s))
	return out
}

// closers skips quotation marks and brackets that belong to a sentence's end.
func closers(s string, i int) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !strings.ContainsRune("\"'”’»)]」』）.!?", r) {
			break
		}
		i += n
	}
	return i
}

// ends tells whether the mark before offset at, of the sentence that began at
// start, really ends it.
func ends(s string, start, at, end int, mark rune) bool {
	if end >= len(s) {
		return true
	}
	next, n := utf8.DecodeRuneInString(s[end:])
	if !unicode.IsSpace(next) {
		return spaceless(next) || spaceless(lastLetter(s[:at]))
	}
	rest := strings.TrimLeftFunc(s[end+n:], unicode.IsSpace)
	after, _ := utf8.DecodeRuneInString(strings.TrimLeft(rest, "\"'“‘«([¿¡"))
	if unicode.IsLower(after) {
		return false
	}
	return mark != '.' || !abbreviated(s[start:at-1], after)
}

func lastLetter(s string) rune {
	s = strings.TrimRight(s, ".!?…")
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// abbreviated tells whether the text before a full stop ends in an
// abbreviation or initial.
func abbreviated(before string, after rune) bool {
	i := strings.LastIndexFunc(before, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == '[' || r == '"' })
	word := before[i+1:]
	if word == "" {
		return false
	}
	if utf8.RuneCountInString(word) == 1 {
		r, _ := utf8.DecodeRuneInString(word)
		return unicode.IsUpper(r) || (unicode.IsDigit(r) && i < 0)
	}
	if strings.Contains(word, ".") && utf8.RuneCountInString(word) <= 5 && !startsWithDigit(word) {
		return true // U.S, e.g, z.B
	}
	if startsWithDigit(word) {
		// "3. Mai", "am 12. März": an ordinal when it stands first or before a month; leave full dates and years alone.
		return i < 0 && len(word) <= 3
	}
	_, ok := abbreviations[strings.ToLower(word)]
	return ok || (unicode.IsDigit(after) && (strings.EqualFold(word, "no") || strings.EqualFold(word, "nr")))
}

var abbreviations = func() map[string]struct{} {
	m := map[string]struct{}{}
	for _, w := range strings.Fields(`mr mrs ms dr prof st sr jr vs etc cf fig figs eq vol inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec
		approx al ca bzw usw ggf bspw evtl inkl exkl zzgl nr abs art tel str hr hrn fr ing dipl bv blz mevr dhr drs ir mw o.a d.h
		mme mlle mm env p pp ex sig sigg dott avv sra srta ud uds pág núm aprox tab ref dept est gov sen rep gen col lt sgt capt rev hon mt ft`) {
		m[w] = struct{}{}
	}
	return m
}()
