package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
)

// Token is one word of a text, or one n-gram of a script without spaces.
type Token struct {
	Text  string // lower case; possessive and elided parts removed
	Whole string // lower case, as it stood
	Start int    // byte offsets in the source
	End   int
	Gram  bool // part of a run of Chinese, Japanese, Thai, Lao, Khmer or Burmese
	Stop  bool // of a Gram: most of it belongs to function words
	Joint bool // additional form that spans the tokens before it ("covid19" of "COVID-19")
}

// maxWordBytes: what is longer is data, not a word; its head is kept.
const maxWordBytes = 96

// gramSize is how many characters of a script without spaces make a term.
func gramSize(r rune) int {
	if unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r) {
		return 2
	}
	return 3
}

func spaceless(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// Undivided tells whether a language is written without spaces between words.
func Undivided(lang string) bool {
	switch lang {
	case "zh", "ja", "th", "lo", "km", "my":
		return true
	}
	return false
}

// Tokens splits s at Unicode word boundaries, compounds and identifiers also
// at their joints, and scripts without spaces into overlapping n-grams.
func Tokens(s string) []Token {
	t := tokenizer{src: s, out: make([]Token, 0, len(s)/6+1)}
	runStart, runEnd := -1, -1
	it := words.FromString(s)
	for it.Next() {
		w, start, end := it.Value(), it.Start(), it.End()
		r, _ := utf8.DecodeRuneInString(w)
		if spaceless(r) || (runStart >= 0 && runEnd == start && unicode.Is(unicode.Mn, r)) {
			if runStart < 0 || runEnd != start {
				t.grams(runStart, runEnd)
				runStart = start
			}
			runEnd = end
			continue
		}
		t.grams(runStart, runEnd)
		runStart, runEnd = -1, -1
		if hasWordRune(w) {
			t.word(w, start, end)
		} else {
			t.joint(w)
		}
	}
	t.grams(runStart, runEnd)
	return t.out
}

type tokenizer struct {
	src  string
	out  []Token
	last int // index of the token that a hyphen may join on to, plus one
}

func hasWordRune(w string) bool {
	for _, r := range w {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return true
		}
	}
	return false
}

// joint remembers that a hyphen, slash or ampersand stands right after a word.
func (t *tokenizer) joint(w string) {
	if n := len(t.out); n > 0 && (w == "-" || w == "‐" || w == "‑") && t.last == -n {
		t.last = n
		return
	}
	t.last = 0
}

func (t *tokenizer) word(w string, start, end int) {
	joins := t.last > 0 && t.last == len(t.out)
	low := Lower(w)
	if len(low) > maxWordBytes {
		low = strings.ToValidUTF8(low[:maxWordBytes], "")
	}
	parts := splitIdentifier(w)
	if len(parts) > 1 {
		at := start
		for _, p := range parts {
			i := strings.Index(t.src[at:end], p) + at
			t.out = append(t.out, Token{Text: Lower(p), Whole: Lower(p), Start: i, End: i + len(p)})
			at = i + len(p)
		}
		t.out = append(t.out, Token{Text: strings.NewReplacer("_", "", ".", "").Replace(low), Whole: low, Start: start, End: end, Joint: true})
		t.last = 0
		return
	}
	text := strip(low)
	if text == "" {
		t.last = 0
		return
	}
	if joins {
		prev := t.out[len(t.out)-1]
		t.out = append(t.out, Token{Text: text, Whole: low, Start: start, End: end},
			Token{Text: prev.Text + text, Whole: prev.Text + text, Start: prev.Start, End: end, Joint: true})
		t.last = 0
		return
	}
	t.out = append(t.out, Token{Text: text, Whole: low, Start: start, End: end})
	t.last = -len(t.out)
}

// strip removes elided articles ("l'eau"), possessives ("Bob's") and the
// separators of thousands ("1,000").
func strip(w string) string {
	if strings.ContainsAny(w, "'’") {
		w = strings.ReplaceAll(w, "’", "'")
		head, tail, _ := strings.Cut(w, "'")
		switch {
		case tail == "" || tail == "s":
			w = head
		case elided(head):
			w = tail
		case len(tail) <= 2:
			w = head
		}
		w = strings.ReplaceAll(w, "'", "")
	}
	if len(w) > 3 && w[0] >= '0' && w[0] <= '9' {
		return number(w)
	}
	return w
}

// elided are words of French, Italian and Catalan that lose their last vowel
// before another word.
func elided(w string) bool {
	switch w {
	case "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "presqu", "quelqu",
		"un", "all", "dell", "nell", "sull", "dall", "coll", "quest", "quell", "bell", "sant", "gl", "dov", "com", "cos":
		return true
	}
	return false
}

// number joins groups of three digits: 1,000 and 1.000.000.
func number(w string) string {
	for _, sep := range []string{",", ".", "\u00a0", "\u202f"} {
		groups := strings.Split(w, sep)
		if len(groups) < 2 || len(groups[0]) > 3 || len(groups[0]) == 0 {
			continue
		}
		ok := true
		for _, g := range groups[1:] {
			ok = ok && len(g) == 3 && strings.Trim(g, "0123456789") == ""
		}
		// "3.141" is as likely a fraction; only a comma or several groups are sure.
		if ok && (sep == "," || len(groups) > 2) {
			return strings.Join(groups, "")
		}
	}
	return strings.ReplaceAll(w, ",", ".")
}

// splitIdentifier takes camelCase, snake_case and dotted names apart.
func splitIdentifier(w string) []string {
	if strings.ContainsAny(w, "_") || (strings.Contains(w, ".") && !startsWithDigit(w)) {
		return strings.FieldsFunc(w, func(r rune) bool { return r == '_' || r == '.' })
	}
	var cuts []int
	var prev rune
	for i, r := range w {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(prev) {
			cuts = append(cuts, i)
		}
		prev = r
	}
	if len(cuts) == 0 {
		return nil
	}
	parts := make([]string, 0, len(cuts)+1)
	from := 0
	for _, c := range append(cuts, len(w)) {
		parts = append(parts, w[from:c])
		from = c
	}
	return parts
}

func startsWithDigit(w string) bool { return w != "" && w[0] >= '0' && w[0] <= '9' }

// grams adds the n-grams of the run of characters without spaces.
func (t *tokenizer) grams(start, end int) {
	if start < 0 {
		return
	}
	var at []int
	first := rune(0)
	for i, r := range t.src[start:end] {
		if first == 0 {
			first = r
		}
		at = append(at, start+i)
	}
	at = append(at, end)
	n := min(gramSize(first), len(at)-1)
	stop := functionRunes(t.src[start:end])
	for i := 0; i+n < len(at); i++ {
		g := Lower(t.src[at[i]:at[i+n]])
		stops := 0
		for _, s := range stop[i : i+n] {
			if s {
				stops++
			}
		}
		t.out = append(t.out, Token{Text: g, Whole: g, Start: at[i], End: at[i+n], Gram: true, Stop: 2*stops >= n})
	}
	t.last = 0
}
