package text

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed functionwords.txt
var functionWordList string

// lexicon holds the function words of all languages that we have lists of.
type lexicon struct {
	order []string                       // languages as in the list
	words map[string]map[string]struct{} // language → words, as written and folded
	tells map[string][]vote              // word as written → languages
	runs  map[rune][]string              // words of scripts without spaces by their first letter, longest first
}

type vote struct {
	lang   int
	weight float64
}

// readLexicon is built once, at first use, from the embedded list.
var readLexicon = sync.OnceValue(func() *lexicon {
	l := &lexicon{words: map[string]map[string]struct{}{}, tells: map[string][]vote{}, runs: map[rune][]string{}}
	for line := range strings.Lines(functionWordList) {
		lang, list, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		set := map[string]struct{}{}
		for _, w := range strings.Fields(list) {
			if r, _ := utf8.DecodeRuneInString(w); spaceless(r) {
				l.runs[r] = append(l.runs[r], w)
				continue
			}
			if _, again := set[w]; !again {
				l.tells[w] = append(l.tells[w], vote{lang: len(l.order)})
			}
			set[w] = struct{}{}
			set[Fold(w)] = struct{}{}
		}
		l.words[lang] = set
		l.order = append(l.order, lang)
	}
	for _, ws := range l.runs {
		slices.SortFunc(ws, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	}
	for _, votes := range l.tells {
		for i := range votes {
			votes[i].weight = 1 / float64(len(votes))
		}
	}
	return l
})

// IsFunctionWord tells whether a lower-case word only holds sentences of the
// language together. Languages without a list have none.
func IsFunctionWord(lang, word string) bool {
	_, ok := readLexicon().words[lang][word]
	return ok
}

// functionRunes tells for each character of a run without spaces whether it
// belongs to a function word.
func functionRunes(run string) []bool {
	lex := readLexicon()
	out := make([]bool, utf8.RuneCountInString(run))
	n, until := 0, 0
	for i, r := range run {
		if n >= until {
			for _, w := range lex.runs[r] {
				if strings.HasPrefix(run[i:], w) {
					until = n + utf8.RuneCountInString(w)
					break
				}
			}
		}
		out[n] = n < until
		n++
	}
	return out
}

// scripts that stand for one language, or for a group told apart by words.
var scripts = []struct {
	table *unicode.RangeTable
	lang  string // "" : told apart by function words
}{
	{unicode.Latin, ""},
	{unicode.Han, "zh"},
	{unicode.Hiragana, "ja"},
	{unicode.Katakana, "ja"},
	{unicode.Cyrillic, ""},
	{unicode.Arabic, ""},
	{unicode.Greek, "el"},
	{unicode.Devanagari, "hi"},
	{unicode.Thai, "th"},
	{unicode.Hangul, "ko"},
	{unicode.Hebrew, "he"},
	{unicode.Tamil, "ta"},
}

// detectRunes bounds how much of a text is read to tell its language.
const detectRunes = 6000

// Detect returns the ISO 639-1 code of the language of s, or "" where the
// text is too short or too mixed to tell. It reads at most its first 6000
// characters.
func Detect(s string) string {
	counts := make([]int, len(scripts))
	letters, read := 0, 0
	for _, r := range s {
		if read++; read > detectRunes {
			break
		}
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		if r < 0x250 {
			counts[0]++
			continue
		}
		for i := range scripts {
			if unicode.Is(scripts[i].table, r) {
				counts[i]++
				break
			}
		}
	}
	if counts[2]+counts[3] > letters/10 {
		return "ja"
	}
	best := 0
	for i, n := range counts {
		if n > counts[best] {
			best = i
		}
	}
	if counts[best]*2 < letters || letters == 0 {
		return ""
	}
	if l := scripts[best].lang; l != "" {
		return l
	}
	return detectByWords(s)
}

// detectByWords lets function words vote; the winner must be clear.
func detectByWords(s string) string {
	lex := readLexicon()
	votes := make([]float64, len(lex.order))
	read := 0
	for _, t := range Tokens(s) {
		if read++; read > detectRunes/6 {
			break
		}
		for _, v := range lex.tells[t.Text] {
			votes[v.lang] += v.weight
		}
		if head, tail, ok := strings.Cut(t.Whole, "'"); ok {
			for _, w := range []string{head, tail} {
				for _, v := range lex.tells[w] {
					votes[v.lang] += v.weight
				}
			}
		}
	}
	best, second := -1, 0.0
	for i, v := range votes {
		switch {
		case best < 0 || v > votes[best]:
			if best >= 0 {
				second = votes[best]
			}
			best = i
		case v > second:
			second = v
		}
	}
	if best < 0 || votes[best] < 0.6 || votes[best] < second*1.15 {
		return ""
	}
	return lex.order[best]
}
