package knowledge

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"unicode/utf8"
)

// gramIndex finds the terms of a vocabulary that share runs of four letters,
// so that a misspelt, compounded or unusually inflected word still finds its
// like. The beginning and the end of a word count as letters.
type gramIndex struct {
	keys  []uint64 // sorted
	ends  []uint32 // end of each key's list in terms
	terms []uint32
	count []uint8 // grams of each term
}

// maxGramRunes bounds what is looked at of a long term.
const maxGramRunes = 32

const (
	wordBegin = 0x01
	wordEnd   = 0x02
)

// gramsOf calls f for each run of four letters of a term, its ends included.
func gramsOf[T string | []byte](term T, f func(uint64)) {
	key, n := uint64(wordBegin), 1
	for i := 0; i < len(term) && n <= maxGramRunes; {
		r, size := rune(term[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(string(term[i:min(len(term), i+utf8.UTFMax)]))
		}
		i += size
		key = key<<16 | uint64(uint16(r))
		if n++; n >= 4 {
			f(key)
		}
	}
	key = key<<16 | wordEnd
	if n++; n >= 4 {
		f(key)
	} else {
		f(key) // the whole of a short word
	}
}

// newGramIndex indexes a vocabulary.
func newGramIndex(v *vocabulary) gramIndex {
	type entry struct {
		key  uint64
		term uint32
	}
	g := gramIndex{count: make([]uint8, v.len())}
	all := make([]entry, 0, 8*v.len())
	for i := range v.len() {
		gramsOf(v.term(i), func(k uint64) {
			all = append(all, entry{k, uint32(i)})
			g.count[i]++
		})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.term, b.term))
	})
	for i, e := range all {
		if i > 0 && all[i-1] == e {
			continue
		}
		if n := len(g.keys); n == 0 || g.keys[n-1] != e.key {
			g.keys = append(g.keys, e.key)
			g.ends = append(g.ends, 0)
		}
		g.terms = append(g.terms, e.term)
		g.ends[len(g.ends)-1] = uint32(len(g.terms))
	}
	g.keys, g.ends, g.terms = slices.Clip(g.keys), slices.Clip(g.ends), slices.Clip(g.terms)
	return g
}

func (g *gramIndex) bytes() int64 {
	return int64(12*len(g.keys) + 4*len(g.terms) + len(g.count))
}

// with returns the terms that hold the gram.
func (g *gramIndex) with(key uint64) []uint32 {
	i := sort.Search(len(g.keys), func(i int) bool { return g.keys[i] >= key })
	if i == len(g.keys) || g.keys[i] != key {
		return nil
	}
	from := uint32(0)
	if i > 0 {
		from = g.ends[i-1]
	}
	return g.terms[from:g.ends[i]]
}

// like is a term that resembles another.
type like struct {
	term  int
	match float64 // 0–1
}

const (
	leastLikeness = 0.45
	maxLikes      = 30
)

// likes returns the terms that resemble t, most alike first. The scratch has
// an entry for every term of the vocabulary, all zero before and after.
func (g *gramIndex) likes(t string, scratch []float32) []like {
	var touched []uint32
	total, n := 0.0, 0
	gramsOf(t, func(k uint64) {
		list := g.with(k)
		w := math.Log(1 + float64(len(g.count))/float64(1+len(list)))
		total += w
		n++
		for _, x := range list {
			if scratch[x] == 0 {
				touched = append(touched, x)
			}
			scratch[x] += float32(w)
		}
	})
	var out []like
	for _, x := range touched {
		s := 2 * float64(scratch[x]) / total * float64(n) / float64(n+int(g.count[x]))
		scratch[x] = 0
		if s >= leastLikeness {
			out = append(out, like{int(x), min(1, s)})
		}
	}
	slices.SortFunc(out, func(a, b like) int { return cmp.Or(cmp.Compare(b.match, a.match), cmp.Compare(a.term, b.term)) })
	return out[:min(len(out), maxLikes)]
}
