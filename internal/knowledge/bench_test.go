package knowledge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

// memory is a shelf in memory.
type memory struct {
	chunks []scaigrid.Chunk
	byID   map[string]int
}

func (m *memory) ScanChunks(_ context.Context, _ string, f func(scaigrid.Chunk) error) error {
	for _, c := range m.chunks {
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) ChunksByID(_ context.Context, _ string, ids []string) (out []scaigrid.Chunk, _ error) {
	for _, id := range ids {
		if i, ok := m.byID[id]; ok {
			out = append(out, m.chunks[i])
		}
	}
	return out, nil
}

func (m *memory) DocumentsByID(context.Context, string, []string) ([]scaigrid.Document, error) {
	return nil, nil
}

// library of made-up chunks whose words are as unevenly frequent as real ones.
func zipfShelf(tb testing.TB, n int) (*memory, func() string) {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.07, 8, 300_000)
	syllables := strings.Fields("ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu bran clor dres flim grun")
	spell := func(i uint64) string {
		w := ""
		for i++; i > 0; i /= uint64(len(syllables)) {
			w += syllables[i%uint64(len(syllables))]
		}
		return w
	}
	m := &memory{byID: map[string]int{}}
	for d := range n / 5 {
		var b strings.Builder
		fmt.Fprintf(&b, "# %s %s\n\n", spell(z.Uint64()), spell(z.Uint64()))
		for range 5 {
			fmt.Fprintf(&b, "## %s %s\n\n", spell(z.Uint64()), spell(z.Uint64()))
			for range 20 {
				for i := range 18 {
					if i > 0 {
						b.WriteByte(' ')
					}
					b.WriteString(spell(z.Uint64()))
				}
				b.WriteString(". ")
			}
			b.WriteString("\n\n")
		}
		doc := scaigrid.Document{ID: fmt.Sprintf("doc_%d", d), Name: "d.md", MediaType: "text/markdown"}
		chunks, why := Prepare(&doc, []byte(b.String()), time.Unix(0, 0))
		if why != nil {
			tb.Fatal(why.Message)
		}
		for _, c := range chunks {
			c.Text = "" // memory is for terms here
			m.byID[c.ID] = len(m.chunks)
			m.chunks = append(m.chunks, c)
		}
	}
	return m, func() string {
		w := make([]string, 9)
		for i := range w {
			w[i] = spell(z.Uint64())
		}
		return strings.Join(w, " ")
	}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1000, 20_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, ask := zipfShelf(b, n)
			lib := NewLibrary(m, 1<<40)
			bot := &scaigrid.Bot{ID: "b", KnowledgeVersion: 1, BotConfig: scaigrid.DefaultBotConfig()}
			if _, err := lib.Search(b.Context(), bot, ask(), nil, 5); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(lib.cache.held)/float64(len(m.chunks)), "indexbytes/chunk")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := lib.Search(b.Context(), bot, ask(), nil, 5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
