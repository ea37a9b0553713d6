package knowledge

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"

	"github.com/scailabs/scaigrid/internal/text"
)

// Documents about one thing resemble each other: there even a question that
// they do not answer finds much of itself, and a good one stands out less.
// Documents about many things are the other way round. So each bot is
// measured on its own documents: questions made of words of a passage are
// asked of all the others, and what these score says what chance looks like.
const (
	samplePassages = 64
	sampleDepth    = 40
	leastChunks    = 20   // of which a bot can be measured
	leastDocuments = 10   // so many that one may be left out whole
	usualChance    = -1.7 // the logit that a fifth of such questions stays below, on the corpora of the fit
	chanceWeight   = 0.3
)

// sample is a passage kept for measuring.
type sample struct {
	chunk int32
	terms []byte
}

// sampler keeps some passages of a stream, each with the same chance.
type sampler struct {
	kept []sample
	seen int
	rand *rand.Rand
}

func newSampler() *sampler {
	return &sampler{rand: rand.New(rand.NewPCG(1, 2))} // the same documents give the same scores
}

func (s *sampler) add(chunk int32, terms []byte) {
	s.seen++
	at := len(s.kept)
	if at == samplePassages {
		if at = s.rand.IntN(s.seen); at >= samplePassages {
			return
		}
		s.kept[at] = sample{chunk, slices.Clone(terms)}
		return
	}
	s.kept = append(s.kept, sample{chunk, slices.Clone(terms)})
}

// calibrate measures an index and sets its shift.
func (l *Library) calibrate(ctx context.Context, botID string, x *index, s *sampler) error {
	if len(x.ids) < leastChunks || text.Undivided(x.mainLanguage()) {
		return nil
	}
	var chance []float64
	for _, p := range s.kept {
		q := x.pseudo(p.terms, s.rand)
		if len(q) == 0 {
			continue
		}
		cand := x.match(q, sampleDepth)
		cand = slices.DeleteFunc(cand, func(c candidate) bool { return x.related(c.chunk, p.chunk) })
		all, err := l.look(ctx, botID, x, q, cand)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			chance = append(chance, logit(all, 0, worthOf(q)))
		}
	}
	if len(chance) < samplePassages/4 {
		return nil
	}
	slices.Sort(chance)
	x.shift = chanceWeight * min(1, max(-0.5, chance[len(chance)/5]-usualChance))
	return nil
}

// related tells whether two chunks may hold the same: of one document, or
// neighbours in it where there are few documents.
func (x *index) related(a, b int32) bool {
	if x.docs[a] != x.docs[b] {
		return false
	}
	d := x.pos[a] - x.pos[b]
	return len(x.docIDs) >= leastDocuments || (d >= -1 && d <= 1)
}

// pseudo makes a question of some words of one sentence of a passage.
func (x *index) pseudo(terms []byte, r *rand.Rand) []word {
	type spot struct {
		pos  int
		term string
	}
	var spots []spot
	head, err := scanTerms(terms, func(term []byte, _, body int, at []byte) {
		t := string(term)
		if body > 0 && !text.IsFunctionWord(x.mainLanguage(), t) {
			for _, p := range positionsOf(at, nil) {
				spots = append(spots, spot{p, t})
			}
		}
	})
	if err != nil || len(head.sentences) == 0 {
		return nil
	}
	slices.SortFunc(spots, func(a, b spot) int { return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.term, b.term)) })
	chosen := r.IntN(len(head.sentences))
	from := 0
	for _, n := range head.sentences[:chosen] {
		from += n
	}
	to := from + head.sentences[chosen]
	spots = slices.DeleteFunc(spots, func(s spot) bool { return s.pos < from || s.pos >= to })
	if len(spots) < 6 {
		return nil
	}
	at := r.Perm(len(spots))[:min(len(spots), 4+r.IntN(3))]
	slices.Sort(at)
	var q []word
	have := map[string]bool{}
	for i, j := range at {
		p := spots[j]
		n := x.vocab.find(p.term)
		if n < 0 || have[p.term] {
			continue
		}
		have[p.term] = true
		w := word{stem: p.term, weight: 1, pos: i, exact: true, forms: []form{{n, 1}}}
		w.idf = x.idfOf(w.forms)
		q = append(q, w)
	}
	x.addLikes(q)
	return q
}
