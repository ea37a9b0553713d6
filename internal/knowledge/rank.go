package knowledge

import (
	"slices"
)

// The ranking's constants, measured on several question sets at once; see
// docs/decisions/0002-ranking.md.
var (
	k1          = 0.9 // how soon more of the same word stops helping
	bBody       = 0.4 // how much long chunks are held back
	bTitle      = 0.3
	titleWeight = 0.4
)

// candidate is a chunk with what it scored.
type candidate struct {
	chunk int32
	score float64
}

// match scores all chunks that hold a word of the query and returns the best
// n, best first; equal scores keep the order of the documents.
func (x *index) match(q []word, n int) []candidate {
	scores := make([]float32, len(x.ids))
	for _, w := range q {
		for _, f := range w.forms {
			x.score(scores, f.term, w.weight*w.idf*f.match)
		}
	}
	var out []candidate
	for i, s := range scores {
		if s > 0 {
			out = append(out, candidate{int32(i), float64(s)})
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return int(a.chunk - b.chunk)
	})
	return out[:min(n, len(out))]
}

func (x *index) score(scores []float32, term int, weight float64) {
	x.post[term].each(func(c int32, title, body int) {
		s := 0.0
		if body > 0 {
			tf := float64(body)
			s += tf * (k1 + 1) / (tf + k1*(1-bBody+bBody*float64(x.length[c])/x.avgLen))
		}
		if title > 0 {
			tf := float64(title)
			s += titleWeight * tf * (k1 + 1) / (tf + k1*(1-bTitle+bTitle*float64(x.titles[c])/x.avgTit))
		}
		scores[c] += float32(weight * s)
	})
}
