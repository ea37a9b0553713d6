package extractive

import (
	"math"
	"slices"
	"strings"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/text"
)

// Weights of what makes a sentence an answer, measured on several question
// sets; see docs/answer-quality.md.
const (
	passageWeight = 0.5
	lengthHold    = 0.3
	typeWeight    = 0.15
	pairWeight    = 0.4
	beforeWeight  = 0.25
	titleWeight   = 0.15
	headingWeight = 1.2
	headingFits   = 0.6 // from here on a heading asks the visitor's question, and its first lines answer it
)

// scored is a line with what it is worth.
type scored struct {
	line
	score float64
}

// choose returns the lines that answer, in reading order.
func choose(question string, passages []scaigrid.Passage) []line {
	q := newQuestion(question, passages)
	var all []scored
	top := 0.0
	for _, p := range passages {
		top = max(top, p.Score)
	}
	for i, p := range passages {
		all = append(all, q.score(i, p, passageWeight*p.Score/max(top, 1e-9))...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	best := all[0].line
	chosen := []line{best}
	for _, s := range all[1:] {
		if len(chosen) < 2 && s.passage == best.passage && s.text != best.text {
			chosen = append(chosen, s.line)
			break
		}
	}
	slices.SortStableFunc(chosen, func(a, b line) int { return a.order - b.order })
	return chosen
}

// questionView is a question as the sentences of the passages see it.
type questionView struct {
	kind      asks
	raw       map[string]bool // words as asked
	analyzers map[string]*text.Analyzer
	terms     map[string][]string // by language
	question  string
	weights   map[string]float64
	langs     []string // by passage
	lines     [][]line
}

func newQuestion(question string, passages []scaigrid.Passage) *questionView {
	q := &questionView{kind: wants(question), raw: map[string]bool{}, analyzers: map[string]*text.Analyzer{}, terms: map[string][]string{}, question: question, weights: map[string]float64{}}
	for _, t := range text.Tokens(question) {
		q.raw[t.Text] = true
	}
	df, n := map[string]int{}, 0
	for i, p := range passages {
		lang := text.Detect(p.Text)
		q.langs = append(q.langs, lang)
		a := q.analyzer(lang)
		ls := linesOf(i, p)
		for j := range ls {
			ls[j].set = map[string]bool{}
			for _, t := range a.Terms(ls[j].text) {
				if !t.Stop {
					ls[j].terms = append(ls[j].terms, t.Text)
					if !ls[j].set[t.Text] {
						ls[j].set[t.Text] = true
						df[t.Text]++
					}
				}
			}
			n++
		}
		q.lines = append(q.lines, ls)
	}
	for _, terms := range q.terms {
		for _, t := range terms {
			q.weights[t] = math.Log(1 + (float64(n)-float64(df[t])+0.5)/(float64(df[t])+0.5))
		}
	}
	return q
}

// analyzer returns that of a language and analyses the question with it.
func (q *questionView) analyzer(lang string) *text.Analyzer {
	a := q.analyzers[lang]
	if a == nil {
		a = text.NewAnalyzer(lang)
		q.analyzers[lang] = a
		var all, terms []string
		for _, t := range a.Terms(q.question) {
			all = append(all, t.Text)
			if !t.Stop {
				terms = append(terms, t.Text)
			}
		}
		if len(terms) == 0 {
			terms = all
		}
		q.terms[lang] = terms
	}
	return a
}

// sharedPairs is the share of the question's neighbouring words that are
// neighbours here too.
func sharedPairs(terms []string, pairs map[[2]string]bool) float64 {
	hit := 0
	for j := 1; j < len(terms); j++ {
		if pairs[[2]string{terms[j-1], terms[j]}] {
			hit++
		}
	}
	if len(pairs) == 0 {
		return 0
	}
	return min(1, float64(hit)/float64(len(pairs)))
}

// headingFit tells how far a passage's own heading asks what is asked: 1 where
// the two hold the same words.
func (q *questionView) headingFit(path, lang string, distinct []string, total float64) float64 {
	own := path
	if i := strings.LastIndex(path, "›"); i >= 0 {
		own = path[i+len("›"):]
	}
	heading, shared := map[string]bool{}, 0.0
	for _, t := range q.analyzer(lang).Terms(own) {
		if !t.Stop {
			heading[t.Text] = true
		}
	}
	hits := 0
	for _, t := range distinct {
		if heading[t] {
			shared += q.weights[t]
			hits++
		}
	}
	if hits == 0 || total == 0 {
		return 0
	}
	precision, recall := float64(hits)/float64(len(heading)), shared/total
	return 2 * precision * recall / (precision + recall)
}

func (q *questionView) score(i int, p scaigrid.Passage, base float64) []scored {
	lang := q.langs[i]
	terms := q.terms[lang]
	total, pairs := 0.0, map[[2]string]bool{}
	distinct := slices.Compact(slices.Sorted(slices.Values(terms)))
	for _, t := range distinct {
		total += q.weights[t]
	}
	for j := 1; j < len(terms); j++ {
		pairs[[2]string{terms[j-1], terms[j]}] = true
	}
	title := map[string]bool{}
	for _, t := range q.analyzer(lang).Terms(p.Title + "\n" + p.Heading) {
		title[t.Text] = true
	}
	words := 0
	for _, l := range q.lines[i] {
		words += len(l.terms)
	}
	avg := max(8, float64(words)/float64(max(1, len(q.lines[i]))))
	asks := q.headingFit(p.Heading, lang, distinct, total)
	var before map[string]bool
	var out []scored
	for j, l := range q.lines[i] {
		own, prev, head := 0.0, 0.0, 0.0
		for _, t := range distinct {
			switch {
			case l.set[t]:
				own += q.weights[t]
			default:
				if before[t] {
					prev += q.weights[t]
				}
				if title[t] {
					head += q.weights[t]
				}
			}
		}
		total := max(total, 1e-9)
		v := own / total / max(0.6, 1-lengthHold+lengthHold*float64(len(l.terms))/avg)
		v += pairWeight*sharedPairs(l.terms, pairs) + beforeWeight*prev/total + titleWeight*head/total + typeWeight*q.kind.fits(l.text, lang, q.raw) + base
		if asks >= headingFits {
			v += headingWeight * asks / (1 + 0.35*float64(j))
		}
		if strings.HasSuffix(l.text, "?") || strings.HasSuffix(l.text, "？") {
			v -= 0.4
		}
		if len(l.terms) < 4 {
			v -= 0.3
		}
		out = append(out, scored{l, v})
		before = l.set
	}
	return out
}
