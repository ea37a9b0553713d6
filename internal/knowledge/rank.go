package knowledge

import (
	"cmp"
	"container/heap"
	"slices"
)

// weights are the ranking's constants, measured on several question sets at
// once; see docs/decisions/0002-ranking.md.
type weights struct {
	k1       float64 // how soon more of the same word stops helping
	bBody    float64 // how much long chunks are held back
	bTitle   float64
	title    float64 // a word in title or heading, beside one in the text
	function float64 // a function word, beside a word of content
	like     float64 // a term that resembles the word, beside the word

	gram     float64 // the letters of the question stand in the text
	pair     float64 // neighbours of the question are neighbours in the text
	near     float64 // they stand within window words
	window   int
	sentence float64 // the best sentence holds much of the question
	titled   float64 // share of a word in the title that counts for every sentence
	asked    float64 // the title or heading is the question

	history     float64 // the visitor's message before this one
	historyFade float64 // each earlier one, beside the one after it
}

func standardWeights() weights {
	return weights{
		k1: 0.8, bBody: 0.5, bTitle: 0.3, title: 0.6, function: 0.15, like: 0.25,
		gram: 0.5, pair: 0.5, near: 0.25, window: 8, sentence: 1, titled: 0.8, asked: 1,
		history: 0.45, historyFade: 0.5,
	}
}

// candidate is a chunk with what it scored.
type candidate struct {
	chunk int32
	score float64
}

func better(a, b candidate) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.chunk, b.chunk))
}

// match scores all chunks that hold a word of the query, or one like it, and
// returns the best n, best first; equal scores keep the order of documents.
func (x *index) match(q []word, n int) []candidate {
	buf := x.scores.Get().(*[]float32)
	defer x.scores.Put(buf)
	scores := *buf
	for i := range q {
		for _, f := range q[i].forms {
			x.add(scores, f.term, float32(q[i].worth()*f.match))
		}
	}
	top := make(lowest, 0, n)
	for i, s := range scores {
		scores[i] = 0
		switch {
		case s <= 0:
		case len(top) < n:
			heap.Push(&top, candidate{int32(i), float64(s)})
		case float64(s) > top[0].score:
			top[0] = candidate{int32(i), float64(s)}
			heap.Fix(&top, 0)
		}
	}
	slices.SortFunc(top, better)
	return top
}

// lowest is a heap of candidates, the worst on top.
type lowest []candidate

func (h lowest) Len() int           { return len(h) }
func (h lowest) Less(i, j int) bool { return better(h[j], h[i]) < 0 }
func (h lowest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lowest) Push(v any)        { *h = append(*h, v.(candidate)) }
func (h *lowest) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}

// add adds what a term is worth to the score of every chunk that has it.
func (x *index) add(scores []float32, term int, weight float32) {
	k, kt := float32(x.wt.k1+1), weight*float32(x.wt.title*(x.wt.k1+1))
	x.post[term].each(func(c int32, title, body int) {
		if body > 0 {
			tf := float32(body)
			scores[c] += weight * k * tf / (tf + x.norm[c])
		}
		if title > 0 {
			tf := float32(title)
			scores[c] += kt * tf / (tf + x.titleNorm(c))
		}
	})
}

func (x *index) titleNorm(c int32) float32 {
	return float32(x.wt.k1 * (1 - x.wt.bTitle + x.wt.bTitle*float64(x.titles[c])/x.avgTit))
}
