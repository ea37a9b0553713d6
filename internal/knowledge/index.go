package knowledge

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/scailabs/scaigrid/internal/text"
)

// index is the inverted form of a bot's chunks: which terms stand in which
// chunks, how often. It is never changed once built.
type index struct {
	version  int64
	ids      []string // passage ids
	docs     []int32  // ordinal of the document of a chunk
	docIDs   []string
	pos      []int32 // position of the chunk in its document
	length   []uint32
	titles   []uint16
	avgLen   float64
	avgTit   float64
	langs    []string // of the chunks, most frequent first
	vocab    vocabulary
	post     []posting // by term number
	grams    gramIndex
	norm     []float32 // of a chunk's length, as BM25 wants it
	titleIDF []float32 // of the words in a chunk's title and heading
	wt       *weights
	shift    float64 // what this bot's own documents add to the logit of a score
	size     int64   // bytes held, estimated

	scores  sync.Pool // *[]float32, one for each chunk, all zero
	scratch sync.Pool // *[]float32, one for each term, all zero
}

// posting lists the chunks of a term: for each, the distance to the one
// before, shifted by three; bit 0 says that a title count follows, bits 1–2
// are the count in the text, 3 meaning that it follows.
type posting struct {
	df   int32
	data []byte
}

// vocabulary maps terms to numbers; terms are sorted.
type vocabulary struct {
	arena string
	ends  []uint32
}

func (v *vocabulary) len() int { return len(v.ends) }

func (v *vocabulary) term(i int) string {
	from := uint32(0)
	if i > 0 {
		from = v.ends[i-1]
	}
	return v.arena[from:v.ends[i]]
}

// find returns the number of a term, or -1.
func (v *vocabulary) find(t string) int {
	i := sort.Search(v.len(), func(i int) bool { return v.term(i) >= t })
	if i < v.len() && v.term(i) == t {
		return i
	}
	return -1
}

// builder gathers chunks into an index.
type builder struct {
	idx     index
	numbers map[string]int32
	lists   []buildList
	docNo   map[string]int32
	langs   map[string]int
}

type buildList struct {
	df   int32
	last int32
	data []byte
}

func newBuilder(version int64, wt *weights) *builder {
	return &builder{idx: index{version: version, wt: wt}, numbers: map[string]int32{}, docNo: map[string]int32{}, langs: map[string]int{}}
}

// add takes one chunk; its terms are in the stored form.
func (b *builder) add(id, docID string, position int, terms []byte) error {
	n := int32(len(b.idx.ids))
	head, err := scanTerms(terms, func(term []byte, title, body int, _ []byte) {
		no, ok := b.numbers[string(term)]
		if !ok {
			no = int32(len(b.lists))
			b.numbers[string(term)] = no
			b.lists = append(b.lists, buildList{last: -1})
		}
		l := &b.lists[no]
		if l.last == n { // a damaged blob that repeats a term
			return
		}
		v := uint64(n-max(l.last, 0))<<3 | uint64(min(body, 3))<<1
		if title > 0 {
			v |= 1
		}
		l.data = binary.AppendUvarint(l.data, v)
		if title > 0 {
			l.data = binary.AppendUvarint(l.data, uint64(title))
		}
		if body >= 3 {
			l.data = binary.AppendUvarint(l.data, uint64(body))
		}
		l.last = n
		l.df++
	})
	if err != nil {
		return err
	}
	no, ok := b.docNo[docID]
	if !ok {
		no = int32(len(b.idx.docIDs))
		b.docNo[docID] = no
		b.idx.docIDs = append(b.idx.docIDs, docID)
	}
	b.idx.ids = append(b.idx.ids, id)
	b.idx.docs = append(b.idx.docs, no)
	b.idx.pos = append(b.idx.pos, int32(position))
	b.idx.length = append(b.idx.length, uint32(head.length))
	b.idx.titles = append(b.idx.titles, uint16(min(head.titleLen, math.MaxUint16)))
	b.langs[head.lang]++
	return nil
}

// build closes the index.
func (b *builder) build() *index {
	x := &b.idx
	terms := slices.Sorted(maps.Keys(b.numbers))
	size := 0
	for _, t := range terms {
		size += len(t)
	}
	arena := make([]byte, 0, size)
	x.vocab.ends = make([]uint32, len(terms))
	x.post = make([]posting, len(terms))
	for i, t := range terms {
		arena = append(arena, t...)
		x.vocab.ends[i] = uint32(len(arena))
		l := b.lists[b.numbers[t]]
		x.post[i] = posting{df: l.df, data: slices.Clip(l.data)}
		x.size += int64(len(l.data))
	}
	x.vocab.arena = string(arena)
	for i := range x.ids {
		x.avgLen += float64(x.length[i])
		x.avgTit += float64(x.titles[i])
		x.size += int64(len(x.ids[i]))
	}
	n := float64(max(1, len(x.ids)))
	x.avgLen, x.avgTit = max(1, x.avgLen/n), max(1, x.avgTit/n)
	x.size += int64(len(arena) + 36*len(terms) + 34*len(x.ids))
	x.langs = slices.SortedFunc(maps.Keys(b.langs), func(a, c string) int {
		if d := b.langs[c] - b.langs[a]; d != 0 {
			return d
		}
		if a < c {
			return -1
		}
		return 1
	})
	b.numbers, b.lists = nil, nil
	x.finish()
	return x
}

// finish computes what follows from the postings.
func (x *index) finish() {
	n := len(x.ids)
	x.grams = newGramIndex(&x.vocab)
	x.norm, x.titleIDF = make([]float32, n), make([]float32, n)
	for i := range n {
		x.norm[i] = float32(x.wt.k1 * (1 - x.wt.bBody + x.wt.bBody*float64(x.length[i])/x.avgLen))
	}
	lang := x.mainLanguage()
	for i := range x.post {
		if text.IsFunctionWord(lang, x.vocab.term(i)) {
			continue
		}
		w := float32(idf(n, int(x.post[i].df)))
		x.post[i].each(func(c int32, title, _ int) {
			if title > 0 {
				x.titleIDF[c] += w
			}
		})
	}
	x.size += x.grams.bytes() + int64(8*n)
	x.scores.New = func() any { s := make([]float32, n); return &s }
	x.scratch.New = func() any { s := make([]float32, x.vocab.len()); return &s }
}

// mainLanguage is that of most chunks, "" where it is not known.
func (x *index) mainLanguage() string {
	if len(x.langs) == 0 {
		return ""
	}
	return x.langs[0]
}

// each calls f for each chunk of a term.
func (p *posting) each(f func(chunk int32, title, body int)) {
	chunk, data := int32(0), p.data
	for len(data) > 0 {
		v, n := binary.Uvarint(data)
		data = data[n:]
		chunk += int32(v >> 3)
		title, body := 0, int(v>>1&3)
		if v&1 != 0 {
			t, n := binary.Uvarint(data)
			title, data = int(t), data[n:]
		}
		if body == 3 {
			t, n := binary.Uvarint(data)
			body, data = int(t), data[n:]
		}
		f(chunk, title, body)
	}
}

// idf is how much a term that stands in df of n chunks tells.
func idf(n, df int) float64 {
	return math.Log(1 + (float64(n)-float64(df)+0.5)/(float64(df)+0.5))
}
