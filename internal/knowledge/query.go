package knowledge

import (
	"strings"

	"github.com/scailabs/scaigrid/internal/text"
)

// word is one word of a question with all forms under which it is searched.
type word struct {
	surface string // lower case
	forms   []form
	weight  float64 // 1 for the question, less for what was said before
	idf     float64 // of the most frequent exact form; the highest there is for an unknown word
	known   bool    // some form stands in the documents
	pos     int     // ordinal in the question
	joint   bool
}

// form is a term of the index that may stand for a word.
type form struct {
	term  int     // number in the vocabulary
	match float64 // 1: the same word
}

// query is a question in the words of an index.
type query struct {
	words []word
}

// Bounds of what is searched for one question.
const (
	maxQueryBytes = 16 << 10
	maxWords      = 64 // the heaviest are kept
	maxLanguages  = 3
)

// parse analyses a question in the languages of the documents.
func (x *index) parse(question string, weight float64) []word {
	if len(question) > maxQueryBytes {
		question = strings.ToValidUTF8(question[:maxQueryBytes], "")
	}
	langs := x.langs[:min(len(x.langs), maxLanguages)]
	if len(langs) == 0 {
		return nil
	}
	spoken := text.Detect(question)
	var out []word
	allStop := true
	for li, lang := range langs {
		for i, t := range text.NewAnalyzer(lang).Terms(question) {
			if li == 0 {
				stop := t.Stop || text.IsFunctionWord(spoken, strings.ToLower(question[t.Start:t.End]))
				w := word{surface: strings.ToLower(question[t.Start:t.End]), weight: weight, pos: t.Pos}
				if stop {
					w.weight = 0
				} else {
					allStop = false
				}
				out = append(out, w)
			}
			if n := x.vocab.find(t.Text); n >= 0 {
				out[i].addForm(n, 1)
			}
		}
	}
	if allStop {
		for i := range out {
			out[i].weight = weight
		}
	}
	n := len(x.ids)
	kept := out[:0]
	for _, w := range out {
		if w.weight == 0 {
			continue
		}
		df := 0
		for _, f := range w.forms {
			df = max(df, int(x.post[f.term].df))
		}
		w.known = df > 0
		w.idf = idf(n, df)
		kept = append(kept, w)
	}
	return kept
}

func (w *word) addForm(term int, match float64) {
	for _, f := range w.forms {
		if f.term == term {
			return
		}
	}
	w.forms = append(w.forms, form{term, match})
}
