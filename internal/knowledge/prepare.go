package knowledge

import (
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/text"
)

// Prepare reads the bytes of a document into chunks with fresh ids. Where the
// document cannot be used it returns no chunks and says why.
func Prepare(d *scaigrid.Document, b []byte, now time.Time) ([]scaigrid.Chunk, *scaigrid.DocumentError) {
	src, why := read(d.MediaType, d.Name, b)
	if why != nil {
		return nil, why
	}
	chunks, _ := finish(d, src, cut(src), now, func(int, int) error { return nil })
	return chunks, nil
}

// finish analyses the pieces of a document; progress is called after each and
// its error ends the work.
func finish(d *scaigrid.Document, src source, pieces []piece, now time.Time, progress func(done, of int) error) ([]scaigrid.Chunk, error) {
	title := src.title
	if title == "" {
		title = d.Name
	}
	a := text.NewAnalyzer(languageOf(src))
	out := make([]scaigrid.Chunk, 0, len(pieces))
	for i, p := range pieces {
		an := analyse(a, title, p.heading, p.text)
		out = append(out, scaigrid.Chunk{
			ID: scaigrid.NewID(scaigrid.KindPassage, now), DocumentID: d.ID, Position: i,
			Title: title, Heading: p.heading, Text: p.text, Terms: an.encode(),
		})
		if err := progress(i+1, len(pieces)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// languageOf tells the language of a document by its first few thousand
// characters of text.
func languageOf(src source) string {
	sample := make([]byte, 0, 1<<14)
	for _, b := range src.blocks {
		if b.kind != code && len(sample) < 1<<14 {
			sample = append(append(sample, b.text...), '\n')
		}
	}
	return text.Detect(string(sample))
}
