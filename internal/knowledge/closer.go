package knowledge

import (
	"math"
	"slices"
)

// look is a candidate seen closely.
type look struct {
	spots    [][]int // by word of the query: ascending positions in the text
	title    []bool  // by word of the query: it stands in title or heading
	match    []float64
	best     int     // ordinal of the best sentence, -1 where none has a word
	sentence float64 // worth of the words that stand in the best sentence or the title
	covered  float64 // worth of the words that stand anywhere in the chunk
	pair     float64
	near     float64
	gram     float64 // how much of the question's letters stand here; about 1: all
	asked    float64 // 0–1: how far the title is the question
}

// seer looks closely at candidates for one question.
type seer struct {
	x      *index
	q      []word
	total  float64               // worth of all words
	forms  map[string][]wordForm // by term
	grams  gramTable
	tf, tt []float32 // of the grams in the chunk at hand: in the text, in the title
	ends   []int
	sums   []float64
}

// wordForm says that a term stands for a word of the question.
type wordForm struct {
	word  int
	match float64
}

// closer judges candidates again by how the question's words stand in them
// and sorts them.
func (x *index) closer(q []word, all []found) error {
	s := x.newSeer(q)
	for i := range all {
		f := &all[i]
		if err := s.see(f); err != nil {
			return err
		}
		l := &f.look
		f.score += x.wt.pair*l.pair + x.wt.near*l.near + x.wt.sentence*l.sentence + s.total*(x.wt.gram*l.gram+x.wt.asked*l.asked)
	}
	slices.SortFunc(all, func(a, b found) int { return better(a.candidate, b.candidate) })
	return nil
}

func (x *index) newSeer(q []word) *seer {
	s := &seer{x: x, q: q, forms: map[string][]wordForm{}}
	for i := range q {
		s.total += q[i].worth()
		for _, f := range q[i].forms {
			t := x.vocab.term(f.term)
			s.forms[t] = append(s.forms[t], wordForm{i, f.match})
		}
	}
	s.grams = x.newGramTable(q)
	s.tf, s.tt = make([]float32, len(s.grams.worth)), make([]float32, len(s.grams.worth))
	return s
}

// see fills in f.look.
func (s *seer) see(f *found) error {
	l := look{spots: make([][]int, len(s.q)), title: make([]bool, len(s.q)), match: make([]float64, len(s.q)), best: -1}
	clear(s.tf)
	clear(s.tt)
	head, err := scanTerms(f.terms, func(term []byte, title, body int, at []byte) {
		gramsOf(term, func(k uint64) {
			if j := s.grams.find(k); j >= 0 {
				s.tf[j] += float32(body)
				s.tt[j] += float32(title)
			}
		})
		for _, w := range s.forms[string(term)] {
			l.match[w.word] = max(l.match[w.word], w.match)
			l.title[w.word] = l.title[w.word] || title > 0
			had := len(l.spots[w.word]) > 0
			l.spots[w.word] = positionsOf(at, l.spots[w.word])
			if had {
				slices.Sort(l.spots[w.word])
			}
		}
	})
	if err != nil {
		return err
	}
	inTitle := 0.0
	for i := range s.q {
		worth := s.q[i].worth()
		l.covered += l.match[i] * worth
		if l.title[i] {
			inTitle += worth
		}
	}
	l.proximity(s.q, s.x.wt)
	s.sentences(&l, head.sentences)
	l.gram = s.gramShare(f.chunk)
	if inTitle > 0 && s.total > 0 {
		l.asked = 2 * inTitle / (s.total + max(inTitle, float64(s.x.titleIDF[f.chunk])))
	}
	f.look = l
	return nil
}

// proximity adds up what neighbours of the question that stand together in
// the text are worth.
func (l *look) proximity(q []word, wt *weights) {
	for i := 1; i < len(q); i++ {
		apart := q[i].pos - q[i-1].pos
		if len(l.spots[i-1]) == 0 || len(l.spots[i]) == 0 || apart > 100 {
			continue
		}
		o, u := together(l.spots[i-1], l.spots[i], apart, wt.window)
		weight := min(q[i-1].worth(), q[i].worth())
		l.pair += weight * o / (o + wt.k1)
		l.near += weight * u / (u + wt.k1)
	}
}

// together counts how often b follows a within the distance that they have in
// the question, and how often the two stand within a window.
func together(a, b []int, apart, window int) (ordered, near float64) {
	from := 0
	for _, x := range a {
		for from < len(b) && b[from] < x-window {
			from++
		}
		for _, y := range b[from:] {
			d := y - x
			if d > window {
				break
			}
			if d == 0 {
				continue
			}
			near++
			if d > 0 && d <= apart {
				ordered++
			}
		}
	}
	return ordered, near
}

// sentences finds the sentence that holds most of the question.
func (s *seer) sentences(l *look, lengths []int) {
	s.ends, s.sums = s.ends[:0], s.sums[:0]
	end := 0
	for _, n := range lengths {
		end += n
		s.ends, s.sums = append(s.ends, end), append(s.sums, 0)
	}
	head := 0.0
	for i := range s.q {
		last, own := -1, s.q[i].worth()
		if l.title[i] {
			head += own * s.x.wt.titled
			own *= 1 - s.x.wt.titled
		}
		for _, p := range l.spots[i] {
			at, ok := slices.BinarySearch(s.ends, p)
			if ok {
				at++
			}
			if at != last && at < len(s.sums) {
				s.sums[at] += own
				last = at
			}
		}
	}
	for i, v := range s.sums {
		if v > l.sentence {
			l.sentence, l.best = v, i
		}
	}
	l.sentence += head
}

// gramTable holds the runs of letters of a question.
type gramTable struct {
	keys  []uint64 // open addressing; 0 is free
	at    []int32
	worth []float64 // by ordinal: weight of its word times its idf
	total float64
}

func (x *index) newGramTable(q []word) gramTable {
	n := 0
	for i := range q {
		gramsOf(q[i].stem, func(uint64) { n++ })
	}
	size := 64
	for size < 4*n {
		size *= 2
	}
	g := gramTable{keys: make([]uint64, size), at: make([]int32, size)}
	chunks := float64(len(x.ids))
	for i := range q {
		gramsOf(q[i].stem, func(k uint64) {
			slot := g.slot(k)
			if g.keys[slot] == k {
				return
			}
			g.keys[slot], g.at[slot] = k, int32(len(g.worth))
			miss := 1.0
			for _, t := range x.grams.with(k) {
				miss *= 1 - float64(x.post[t].df)/(chunks+1)
			}
			w := q[i].weight * math.Log(1+(chunks*miss+0.5)/(chunks*(1-miss)+0.5))
			g.worth = append(g.worth, w)
			g.total += w
		})
	}
	return g
}

func (g *gramTable) slot(key uint64) int {
	mask := len(g.keys) - 1
	i := int(key*0x9E3779B97F4A7C15>>40) & mask
	for g.keys[i] != 0 && g.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

func (g *gramTable) find(key uint64) int {
	if i := g.slot(key); g.keys[i] == key {
		return int(g.at[i])
	}
	return -1
}

// gramShare is how much of the question's letters stand in the chunk at hand:
// BM25 of the grams, beside what it would be were each there once in a chunk
// of average length.
func (s *seer) gramShare(chunk int32) float64 {
	if s.grams.total == 0 {
		return 0
	}
	wt := s.x.wt
	sum, norm := 0.0, float64(s.x.norm[chunk])
	for j, w := range s.grams.worth {
		if tf := float64(s.tf[j]); tf > 0 {
			sum += w * (wt.k1 + 1) * tf / (tf + norm)
		}
		if tt := float64(s.tt[j]); tt > 0 {
			sum += w * (wt.k1 + 1) * wt.title * tt / (tt + wt.k1)
		}
	}
	return sum / s.grams.total
}
