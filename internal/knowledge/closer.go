package knowledge

import (
	"math"
	"slices"
	"sort"
)

// look is a candidate seen closely.
type look struct {
	spots    [][]int // by word of the query: ascending positions in the text
	title    []bool  // by word of the query: it stands in title or heading
	best     int     // ordinal of the best sentence, -1 where none has a word
	sentence float64 // worth of the words that stand in the best sentence or the title
	covered  float64 // worth of the words that stand anywhere in the chunk
	pair     float64
	near     float64
	gram     float64 // 0–1: how much of the question's letters stand here
	asked    float64 // 0–1: how far the title is the question
}

// closer judges candidates again by how the question's words stand in them
// and sorts them.
func (x *index) closer(q []word, all []found) {
	g := x.gramQuery(q)
	total := 0.0
	for i := range q {
		total += q[i].worth()
	}
	for i := range all {
		f := &all[i]
		f.look = x.see(q, g, f, total)
		l := &f.look
		f.score += x.wt.pair*l.pair + x.wt.near*l.near + x.wt.sentence*l.sentence + total*(x.wt.gram*l.gram+x.wt.asked*l.asked)
	}
	slices.SortFunc(all, func(a, b found) int { return better(a.candidate, b.candidate) })
}

func (x *index) see(q []word, g *gramQuery, f *found, total float64) look {
	l := look{spots: make([][]int, len(q)), title: make([]bool, len(q)), best: -1}
	inTitle := 0.0
	for i := range q {
		w := &q[i]
		here := 0.0
		for _, fm := range w.forms {
			t := f.terms.find(x.vocab.term(fm.term))
			if t == nil {
				continue
			}
			here = max(here, fm.match)
			l.title[i] = l.title[i] || t.title > 0
			switch {
			case len(t.positions) == 0:
			case l.spots[i] == nil:
				l.spots[i] = t.positions
			default:
				l.spots[i] = append(slices.Clone(l.spots[i]), t.positions...)
				slices.Sort(l.spots[i])
			}
		}
		l.covered += here * w.worth()
		if l.title[i] {
			inTitle += w.worth()
		}
	}
	l.proximity(q, x.wt)
	l.sentences(q, x.wt, &f.terms)
	l.gram = g.share(x, f)
	if inTitle > 0 && total > 0 {
		l.asked = 2 * inTitle / (total + max(inTitle, float64(x.titleIDF[f.chunk])))
	}
	return l
}

// find returns the term's place in a chunk, or nil.
func (a *analysed) find(term string) *termSpot {
	i := sort.Search(len(a.terms), func(i int) bool { return a.terms[i].term >= term })
	if i < len(a.terms) && a.terms[i].term == term {
		return &a.terms[i]
	}
	return nil
}

// proximity adds up what neighbours of the question that stand together in
// the text are worth.
func (l *look) proximity(q []word, wt *weights) {
	for i := 1; i < len(q); i++ {
		a, b := l.spots[i-1], l.spots[i]
		apart := q[i].pos - q[i-1].pos
		if len(a) == 0 || len(b) == 0 || apart > 100 {
			continue
		}
		o, u := 0.0, 0.0
		from := 0
		for _, x := range a {
			for from < len(b) && b[from] < x-wt.window {
				from++
			}
			for _, y := range b[from:] {
				d := y - x
				if d > wt.window {
					break
				}
				if d == 0 {
					continue
				}
				u++
				if d > 0 && d <= apart {
					o++
				}
			}
		}
		weight := min(q[i-1].worth(), q[i].worth())
		l.pair += weight * o / (o + wt.k1)
		l.near += weight * u / (u + wt.k1)
	}
}

// sentences finds the sentence that holds most of the question.
func (l *look) sentences(q []word, wt *weights, a *analysed) {
	sums := make([]float64, len(a.sentences))
	ends := make([]int, len(a.sentences))
	end := 0
	for i, n := range a.sentences {
		end += n
		ends[i] = end
	}
	head := 0.0
	for i := range q {
		last, own := -1, q[i].worth()
		if l.title[i] {
			head += own * wt.titled
			own *= 1 - wt.titled
		}
		for _, p := range l.spots[i] {
			s, ok := slices.BinarySearch(ends, p)
			if ok {
				s++
			}
			if s != last && s < len(sums) {
				sums[s] += own
				last = s
			}
		}
	}
	for i, s := range sums {
		if s > l.sentence {
			l.sentence, l.best = s, i
		}
	}
	l.sentence += head
}

// gramQuery is a question by its runs of letters.
type gramQuery struct {
	at    map[uint64]int // gram → ordinal
	worth []float64      // by ordinal: weight of its word times its idf
	total float64
}

// gramQuery prepares the comparison of letters.
func (x *index) gramQuery(q []word) *gramQuery {
	g := &gramQuery{at: map[uint64]int{}}
	n := float64(len(x.ids))
	for i := range q {
		gramsOf(q[i].stem, func(k uint64) {
			j, again := g.at[k]
			if !again {
				j = len(g.worth)
				g.at[k] = j
				miss := 1.0
				for _, t := range x.grams.with(k) {
					miss *= 1 - float64(x.post[t].df)/(n+1)
				}
				g.worth = append(g.worth, 0)
				g.worth[j] = math.Log(1 + (n*miss+0.5)/(n*(1-miss)+0.5))
				g.total += g.worth[j] * q[i].weight
				g.worth[j] *= q[i].weight
			}
		})
	}
	return g
}

// share is how much of the question's letters stand in a chunk: BM25 of the
// grams, beside what it would be were each there once in an average chunk.
func (g *gramQuery) share(x *index, f *found) float64 {
	if g.total == 0 {
		return 0
	}
	tf := make([]float64, len(g.worth))
	tt := make([]float64, len(g.worth))
	for i := range f.terms.terms {
		t := &f.terms.terms[i]
		gramsOf(t.term, func(k uint64) {
			if j, ok := g.at[k]; ok {
				tf[j] += float64(len(t.positions))
				tt[j] += float64(t.title)
			}
		})
	}
	sum, norm := 0.0, float64(x.norm[f.chunk])
	for j, w := range g.worth {
		sum += w * (x.wt.k1 + 1) * (tf[j]/(tf[j]+norm) + x.wt.title*tt[j]/(tt[j]+x.wt.k1))
	}
	return sum / g.total
}
