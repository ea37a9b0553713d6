package knowledge

import (
	"context"
	"fmt"
	"strings"

	"github.com/scailabs/scaigrid"
)

// Library finds what the documents of bots hold. It is safe for use by many
// goroutines.
type Library struct {
	shelf Shelf
	cache *cache
	rank  weights
}

// NewLibrary returns a library over the shelf that keeps at most maxBytes of
// indexes in memory (0: 64 MiB).
func NewLibrary(shelf Shelf, maxBytes int64) *Library {
	if maxBytes <= 0 {
		maxBytes = 64 << 20
	}
	return &Library{shelf: shelf, cache: newCache(maxBytes), rank: standardWeights()}
}

// Retrieve returns the passages for an answer, at most the bot's top_k kept.
func (l *Library) Retrieve(ctx context.Context, bot *scaigrid.Bot, question string, history []scaigrid.PromptMessage) (scaigrid.Retrieval, error) {
	return l.Search(ctx, bot, question, history, bot.KnowledgeSettings.TopK)
}

// Search returns at most topK passages, best first, each with what it scored
// and whether an answer would use it.
func (l *Library) Search(ctx context.Context, bot *scaigrid.Bot, question string, history []scaigrid.PromptMessage, topK int) (scaigrid.Retrieval, error) {
	x, err := l.index(ctx, bot)
	if err != nil || len(x.ids) == 0 {
		return scaigrid.Retrieval{}, err
	}
	q := x.parse(question, history)
	all, err := l.look(ctx, bot.ID, x, q, x.match(q, rerankDepth))
	if err != nil {
		return scaigrid.Retrieval{}, err
	}
	total := worthOf(q)
	for i := range all {
		all[i].Passage.Score = logistic(logit(all, i, total) + x.shift)
		all[i].Lexical = all[i].Passage.Score
	}
	return choose(all, bot.KnowledgeSettings, topK), nil
}

// look reads the chunks of the candidates, judges them closely and returns
// them best first.
func (l *Library) look(ctx context.Context, botID string, x *index, q []word, cand []candidate) ([]found, error) {
	all, err := l.fetch(ctx, botID, x, cand)
	if err != nil {
		return nil, err
	}
	if err := x.closer(q, all); err != nil {
		return nil, fmt.Errorf("bot %s: %w", botID, err)
	}
	return all, nil
}

// rerankDepth is how many chunks are looked at closely.
const rerankDepth = 100

// found is a candidate with its chunk.
type found struct {
	candidate
	scaigrid.Passage
	terms []byte
	look  look
}

// fetch reads the chunks of the candidates. Chunks that were replaced since
// the index was built are left out.
func (l *Library) fetch(ctx context.Context, botID string, x *index, cand []candidate) ([]found, error) {
	ids := make([]string, len(cand))
	at := make(map[string]int, len(cand))
	docs := map[string]*scaigrid.Document{}
	var docIDs []string
	for i, c := range cand {
		ids[i] = x.ids[c.chunk]
		at[ids[i]] = i
		if d := x.docIDs[x.docs[c.chunk]]; docs[d] == nil {
			docs[d] = &scaigrid.Document{}
			docIDs = append(docIDs, d)
		}
	}
	chunks, err := l.shelf.ChunksByID(ctx, botID, ids)
	if err != nil {
		return nil, err
	}
	about, err := l.shelf.DocumentsByID(ctx, botID, docIDs)
	if err != nil {
		return nil, err
	}
	for i := range about {
		docs[about[i].ID] = &about[i]
	}
	slots := make([]*scaigrid.Chunk, len(cand))
	for i := range chunks {
		if j, ok := at[chunks[i].ID]; ok {
			slots[j] = &chunks[i]
		}
	}
	out := make([]found, 0, len(cand))
	for i, c := range slots {
		if c == nil {
			continue
		}
		d := docs[c.DocumentID]
		if d == nil {
			d = &scaigrid.Document{}
		}
		out = append(out, found{candidate: cand[i], terms: c.Terms, Passage: scaigrid.Passage{
			ID: c.ID, DocumentID: c.DocumentID, DocumentName: d.Name, Title: c.Title, Heading: c.Heading,
			Text: c.Text, URL: d.URL, Position: c.Position,
		}})
	}
	return out, nil
}

// choose applies the bot's settings.
func choose(all []found, s scaigrid.KnowledgeSettings, topK int) scaigrid.Retrieval {
	var r scaigrid.Retrieval
	perDoc := map[string]int{}
	seen := map[string]bool{}
	kept := 0
	for _, f := range all {
		p := f.Passage
		key := strings.ToLower(squeeze(p.Text))
		switch {
		case s.Deduplicate && seen[key]:
			p.Why = "Left out: the same text stands in a better passage."
		case s.MaxChunksPerDoc > 0 && perDoc[p.DocumentID] >= s.MaxChunksPerDoc:
			p.Why = fmt.Sprintf("Left out: %d passages of this document are used already.", s.MaxChunksPerDoc)
		case p.Score < s.ScoreThreshold:
			p.Why = fmt.Sprintf("Left out: its score %.2f is below the threshold %.2f.", p.Score, s.ScoreThreshold)
		case kept >= s.TopK:
			p.Why = fmt.Sprintf("Left out: %d better passages are used already.", s.TopK)
		default:
			p.Kept = true
			p.Why = fmt.Sprintf("Used: its score %.2f reaches the threshold %.2f.", p.Score, s.ScoreThreshold)
			kept++
			perDoc[p.DocumentID]++
			seen[key] = true
		}
		r.Confidence = max(r.Confidence, p.Score)
		if len(r.Passages) < topK {
			r.Passages = append(r.Passages, p)
		}
	}
	return r
}
