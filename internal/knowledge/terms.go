package knowledge

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"

	"github.com/scailabs/scaigrid/internal/text"
)

// analysed is a chunk as the ranking sees it.
type analysed struct {
	lang      string
	length    int        // words of the text
	titleLen  int        // words of title and headings
	sentences []int      // words of each sentence
	terms     []termSpot // sorted by term
}

// termSpot says where a term stands in a chunk.
type termSpot struct {
	term      string
	title     int   // times in title and headings
	positions []int // ordinals of words of the text, ascending
}

// termsVersion is the first byte of the stored form. A chunk with another one
// is analysed again when its bot's index is built.
const termsVersion = 1

var errTerms = errors.New("knowledge: the stored terms of a chunk are damaged")

// analyse takes a chunk apart.
func analyse(a *text.Analyzer, title, heading, body string) analysed {
	out := analysed{lang: a.Language()}
	spots := map[string]*termSpot{}
	spot := func(t string) *termSpot {
		s := spots[t]
		if s == nil {
			s = &termSpot{term: t}
			spots[t] = s
		}
		return s
	}
	for _, t := range a.Terms(title + "\n" + heading) {
		spot(t.Text).title++
		out.titleLen++
	}
	terms := a.Terms(body)
	for _, t := range terms {
		s := spot(t.Text)
		s.positions = append(s.positions, t.Pos)
		out.length = max(out.length, t.Pos+1)
	}
	i, from := 0, 0
	for _, sp := range text.Sentences(body) {
		for i < len(terms) && terms[i].Start < sp.End {
			i++
		}
		to := from
		if i > 0 {
			to = max(from, terms[i-1].Pos+1)
		}
		if to > from {
			out.sentences = append(out.sentences, to-from)
			from = to
		}
	}
	out.terms = make([]termSpot, 0, len(spots))
	for _, s := range spots {
		slices.Sort(s.positions)
		out.terms = append(out.terms, *s)
	}
	sort.Slice(out.terms, func(i, j int) bool { return out.terms[i].term < out.terms[j].term })
	return out
}

// encode writes the stored form: about three bytes a word.
func (a *analysed) encode() []byte {
	b := make([]byte, 0, 8*len(a.terms)+len(a.sentences)+16)
	b = append(b, termsVersion, byte(len(a.lang)))
	b = append(b, a.lang...)
	b = binary.AppendUvarint(b, uint64(a.length))
	b = binary.AppendUvarint(b, uint64(a.titleLen))
	b = binary.AppendUvarint(b, uint64(len(a.sentences)))
	for _, n := range a.sentences {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(a.terms)))
	prev := ""
	for _, t := range a.terms {
		n := commonPrefix(prev, t.term)
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(len(t.term)-n))
		b = append(b, t.term[n:]...)
		b = binary.AppendUvarint(b, uint64(t.title))
		b = binary.AppendUvarint(b, uint64(len(t.positions)))
		last := 0
		for _, p := range t.positions {
			b = binary.AppendUvarint(b, uint64(p-last))
			last = p
		}
		prev = t.term
	}
	return b
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// reader reads the stored form; after an error all it returns is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint(limit int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(limit) {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// maxCount bounds every number of the stored form.
const maxCount = 1 << 24

// termsHead is what stands before the terms.
func (r *reader) head(a *analysed) (terms int) {
	if v := r.bytes(2); len(v) < 2 || v[0] != termsVersion {
		r.bad = true
		return 0
	} else {
		a.lang = string(r.bytes(int(v[1])))
	}
	a.length = r.uint(maxCount)
	a.titleLen = r.uint(maxCount)
	n := r.uint(min(maxCount, len(r.b)))
	a.sentences = make([]int, n)
	for i := range a.sentences {
		a.sentences[i] = r.uint(maxCount)
	}
	return r.uint(min(maxCount, len(r.b)))
}

// scanTerms calls f for each term of the stored form: how often it stands in
// title and text, and its positions for positionsOf. Slices are valid only
// during the call. It returns what stands before the terms.
func scanTerms(b []byte, f func(term []byte, title, body int, at []byte)) (analysed, error) {
	var a analysed
	r := reader{b: b}
	n := r.head(&a)
	prev := make([]byte, 0, 64)
	for range n {
		keep, add := r.uint(len(prev)), r.uint(len(r.b))
		prev = append(prev[:min(keep, len(prev))], r.bytes(add)...)
		title, body := r.uint(maxCount), r.uint(len(r.b))
		at := r.skip(body)
		if r.bad {
			return analysed{}, errTerms
		}
		f(prev, title, body, at)
	}
	if r.bad {
		return analysed{}, errTerms
	}
	return a, nil
}

// skip passes over n numbers and returns their bytes.
func (r *reader) skip(n int) []byte {
	i := 0
	for ; n > 0 && i < len(r.b); i++ {
		if r.b[i] < 0x80 {
			n--
		}
	}
	if n > 0 {
		r.bad, r.b = true, nil
		return nil
	}
	return r.bytes(i)
}

// positionsOf appends the positions that scanTerms found to dst.
func positionsOf(at []byte, dst []int) []int {
	last := 0
	for len(at) > 0 {
		v, n := binary.Uvarint(at)
		if n <= 0 {
			break
		}
		at = at[n:]
		last += int(min(v, maxCount))
		dst = append(dst, last)
	}
	return dst
}
