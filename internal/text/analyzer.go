package text

// Term is a word in the form in which it is searched.
type Term struct {
	Text  string // stemmed and folded
	Start int    // byte offsets in the source
	End   int
	Pos   int  // ordinal of the word; a joint form has that of its last part
	Stop  bool // a function word
	Joint bool // a compound whose parts are terms of their own
}

// maxStems bounds the memory of an Analyzer.
const maxStems = 50_000

// Analyzer turns text of one language into terms. It is not safe for use by
// several goroutines at once.
type Analyzer struct {
	lang  string
	stems map[string]Term
}

// NewAnalyzer returns an analyzer for the language; "" stems nothing.
func NewAnalyzer(lang string) *Analyzer {
	return &Analyzer{lang: lang, stems: map[string]Term{}}
}

// Language is the one that the analyzer was made for.
func (a *Analyzer) Language() string { return a.lang }

// Terms analyses s. Documents and questions go through it alike.
func (a *Analyzer) Terms(s string) []Term {
	tokens := Tokens(s)
	out := make([]Term, 0, len(tokens))
	pos := 0
	for _, t := range tokens {
		term := a.term(t)
		term.Start, term.End, term.Pos = t.Start, t.End, pos
		if t.Joint {
			term.Pos, term.Stop, term.Joint = max(0, pos-1), false, true
		} else {
			pos++
		}
		out = append(out, term)
	}
	return out
}

func (a *Analyzer) term(t Token) Term {
	if t.Gram {
		return Term{Text: t.Text, Stop: t.Stop}
	}
	if c, ok := a.stems[t.Text]; ok {
		return c
	}
	c := Term{Text: a.Stem(t.Text), Stop: IsFunctionWord(a.lang, t.Text) || (t.Whole != t.Text && IsFunctionWord(a.lang, t.Whole))}
	if len(a.stems) >= maxStems {
		clear(a.stems)
	}
	a.stems[t.Text] = c
	return c
}

// Stem returns the searched form of a lower-case word.
func (a *Analyzer) Stem(word string) string {
	s := stem(a.lang, word)
	if a.lang == "vi" {
		return s // tones tell Vietnamese words apart
	}
	return Fold(s)
}
