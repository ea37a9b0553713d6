package knowledge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/text"
)

// word is one word of a question with all forms under which it is searched.
type word struct {
	stem   string // in the main language of the documents
	forms  []form
	weight float64 // 1 for the question, less for function words and for what was said before
	idf    float64 // of its most frequent form; the highest there is for an unknown word
	exact  bool    // the word itself stands in the documents, not only its like
	said   bool    // by an earlier message
	joint  bool    // a compound, beside its parts
	pos    int     // ordinal; words of different messages stand far apart
}

// worth is what it counts to find the word.
func (w *word) worth() float64 { return w.weight * w.idf }

// form is a term of the index that may stand for a word.
type form struct {
	term  int     // number in the vocabulary
	match float64 // 1: the same word
}

// Bounds of what is searched for one question.
const (
	maxQueryBytes = 32 << 10
	maxWords      = 64 // the ones worth most are searched
	maxLikeWords  = 24 // of these, the ones whose like is searched too
	maxLanguages  = 3  // of the documents, the most frequent ones
)

// parse analyses a question and what was said before it in the languages of
// the documents.
func (x *index) parse(question string, history []scaigrid.PromptMessage) []word {
	words := x.analyse(question, 1, 0)
	if len(words) == 0 {
		return nil
	}
	have := map[string]bool{}
	for _, w := range words {
		have[w.stem] = true
	}
	weight := x.wt.history
	for i, n := len(history)-1, 1; i >= 0 && n <= historyMessages; i-- {
		if history[i].Role != scaigrid.RoleVisitor {
			continue
		}
		for _, w := range x.analyse(history[i].Content, weight, n*maxQueryBytes) {
			if !have[w.stem] {
				have[w.stem] = true
				w.said = true
				words = append(words, w)
			}
		}
		weight *= x.wt.historyFade
		n++
	}
	words = heaviest(words)
	x.addLikes(words)
	return words
}

// historyMessages is how many of the visitor's last messages help to
// understand a question.
const historyMessages = 3

// heaviest keeps the words that are worth most, in their order.
func heaviest(words []word) []word {
	if len(words) <= maxWords {
		return words
	}
	order := make([]int, len(words))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(words[b].worth(), words[a].worth()) })
	order = order[:maxWords]
	slices.Sort(order)
	out := make([]word, 0, maxWords)
	for _, i := range order {
		out = append(out, words[i])
	}
	return out
}

// analyse returns the words of one message, each once.
func (x *index) analyse(message string, weight float64, from int) []word {
	if len(message) > maxQueryBytes {
		message = strings.ToValidUTF8(message[:maxQueryBytes], "")
	}
	var all []word
	content := false
	spoken := text.Detect(message)
	for li, a := range x.analyzers() {
		for i, t := range a.Terms(message) {
			if li == 0 {
				w := word{stem: t.Text, weight: weight, pos: from + t.Pos}
				if t.Stop || text.IsFunctionWord(spoken, text.Lower(message[t.Start:t.End])) {
					w.weight = 0
				}
				content = content || w.weight > 0
				w.joint = t.Joint
				all = append(all, w)
			}
			if n := x.vocab.find(t.Text); n >= 0 {
				all[i].addForm(n, 1)
			}
		}
	}
	seen := map[string]bool{}
	out := all[:0]
	for _, w := range all {
		// A compound that the documents do not have is asked for by its parts.
		if seen[w.stem] || (w.joint && len(w.forms) == 0) {
			continue
		}
		seen[w.stem] = true
		if w.weight == 0 {
			w.weight = weight * x.wt.function
			if !content {
				w.weight = weight
			}
		}
		w.idf = x.idfOf(w.forms)
		w.exact = len(w.forms) > 0
		out = append(out, w)
	}
	return out
}

func (x *index) analyzers() []*text.Analyzer {
	var out []*text.Analyzer
	for _, l := range x.langs[:min(len(x.langs), maxLanguages)] {
		out = append(out, text.NewAnalyzer(l))
	}
	return out
}

// idfOf is that of the most frequent of the forms. An unknown word tells as
// much as one that stands in a single chunk: how rare it is, nobody knows.
func (x *index) idfOf(forms []form) float64 {
	df := 1
	for _, f := range forms {
		df = max(df, int(x.post[f.term].df))
	}
	return idf(len(x.ids), df)
}

// addLikes lets words also be found by terms that resemble them.
func (x *index) addLikes(words []word) {
	scratch := x.scratch.Get().(*[]float32)
	defer x.scratch.Put(scratch)
	left := maxLikeWords
	for i := range words {
		w := &words[i]
		if len([]rune(w.stem)) < 4 || w.weight == 0 || left == 0 {
			continue
		}
		left--
		for _, l := range x.grams.likes(w.stem, *scratch) {
			w.addForm(l.term, x.wt.like*l.match*l.match)
		}
		if !w.exact {
			w.idf = x.idfOf(w.forms)
		}
	}
}

func (w *word) addForm(term int, match float64) {
	for _, f := range w.forms {
		if f.term == term {
			return
		}
	}
	w.forms = append(w.forms, form{term, match})
}
