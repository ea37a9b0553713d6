package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
)

// claim takes one document for node-a.
func (w *World) claim() scaigrid.Document {
	w.T.Helper()
	list, err := w.Store.ClaimDocuments(ctx, "node-a", w.Now, w.Now.Add(time.Minute), 1)
	w.Must(err)
	if len(list) != 1 {
		w.T.Fatalf("claimed %d documents", len(list))
	}
	return list[0]
}

func (w *World) chunks(n int, text string) []scaigrid.Chunk {
	out := make([]scaigrid.Chunk, n)
	for i := range out {
		out[i] = scaigrid.Chunk{ID: w.ID("psg"), Position: i, Title: "T", Heading: "A › B", Text: fmt.Sprint(text, i), Terms: []byte{0, byte(i)}}
	}
	return out
}

// scan is the ids and positions of what the bot answers from.
func (w *World) scan() string {
	w.T.Helper()
	var out []string
	w.Must(w.Store.ScanChunks(ctx, w.Bot.ID, func(c scaigrid.Chunk) error {
		out = append(out, fmt.Sprint(c.DocumentID, "/", c.Position))
		return nil
	}))
	return strings.Join(out, " ")
}

var documentCases = []testCase{
	{"a document is read as it was written, by its bot alone", func(w *World) {
		d := w.AddDocument("terms.md", "Two days.")
		got, err := w.Store.Document(ctx, w.Bot.ID, d.ID)
		w.Must(err)
		want := *d
		want.Status, want.Version, want.Bytes = scaigrid.DocumentUploaded, 1, 9
		w.Equal("document", *got, want)
		_, err = w.Store.Document(ctx, "bot_none", d.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		body, err := w.Store.DocumentBlob(ctx, d.ID)
		w.Must(err)
		w.Equal("bytes", string(body), "Two days.")
		got, err = w.Store.DocumentByHash(ctx, w.Bot.ID, d.SHA256)
		w.Must(err)
		w.Equal("by hash", got.ID, d.ID)
		_, err = w.Store.DocumentByHash(ctx, "bot_none", d.SHA256)
		w.WantCode(err, scaigrid.CodeNotFound)
		lost := *d
		lost.ID, lost.BotID = w.ID("doc"), "bot_none"
		w.WantCode(w.Store.AddDocument(ctx, &lost, nil), scaigrid.CodeNotFound)
		empty := w.AddDocument("empty", "")
		body, err = w.Store.DocumentBlob(ctx, empty.ID)
		w.Must(err)
		w.Equal("empty", len(body), 0)
		list, _, err := w.Store.Documents(ctx, w.Bot.ID, scaigrid.DocumentUploaded, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("listed", len(list), 2)
		list, err = w.Store.DocumentsByID(ctx, w.Bot.ID, []string{d.ID, "doc_none"})
		w.Must(err)
		w.Equal("by id", len(list), 1)
	}},
	{"a large document comes back whole, new and replaced", func(w *World) {
		big := strings.Repeat("0123456789abcdef", 70_000) // more than one part
		d := w.AddDocument("big", big)
		body, err := w.Store.DocumentBlob(ctx, d.ID)
		w.Must(err)
		w.Equal("bytes", string(body) == big, true)
		w.Must(w.Store.PublishChunks(ctx, w.claim(), "node-a", w.chunks(1, "x"), w.Now))
		_, err = w.Store.ReplaceDocument(ctx, *d, []byte(big+"!"), 0, w.Now)
		w.Must(err)
		c := w.claim()
		body, err = w.Store.DocumentBlob(ctx, d.ID)
		w.Must(err)
		w.Equal("new bytes", string(body) == big+"!", true)
		w.Must(w.Store.PublishChunks(ctx, c, "node-a", w.chunks(1, "y"), w.Now))
		lost := *d
		lost.BotID = "bot_none"
		_, err = w.Store.ReplaceDocument(ctx, lost, []byte(big), 0, w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
	{"each waiting document is given to one worker", func(w *World) {
		for i := range 12 {
			w.AddDocument(fmt.Sprint("d", i), fmt.Sprint(i))
		}
		var mu sync.Mutex
		seen := map[string]int{}
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for range 4 {
					list, err := w.Store.ClaimDocuments(ctx, fmt.Sprint("node-", i), w.Now, w.Now.Add(time.Minute), 2)
					w.Note(err)
					mu.Lock()
					for _, d := range list {
						seen[d.ID]++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for range 12 { // where two chose the same rows, some are left for the next look
			list, err := w.Store.ClaimDocuments(ctx, "node-x", w.Now, w.Now.Add(time.Minute), 5)
			w.Must(err)
			for _, d := range list {
				seen[d.ID]++
			}
		}
		w.Equal("documents", len(seen), 12)
		for id, n := range seen {
			w.Equal(id, n, 1)
		}
	}},
	{"from upload to answers: states, passages, knowledge version", func(w *World) {
		d := w.AddDocument("terms", "Two days.")
		c := w.claim()
		w.Equal("claimed", c.Status, scaigrid.DocumentExtracting)
		pages := 3
		c.Status, c.Progress, c.Pages = scaigrid.DocumentIndexing, 0.5, &pages
		w.Must(w.Store.SetDocumentStatus(ctx, c, "node-a", w.Now))
		w.Equal("nothing yet", w.scan(), "")
		chunks := w.chunks(450, "text") // more than one transaction
		w.Must(w.Store.PublishChunks(ctx, c, "node-a", chunks, w.Now))
		got, err := w.Store.Document(ctx, w.Bot.ID, d.ID)
		w.Must(err)
		if got.Status != scaigrid.DocumentIndexed || got.Chunks != 450 || *got.Pages != 3 || got.Progress != 1 || !got.IndexedAt.Equal(w.Now) {
			w.T.Fatalf("document %+v", got)
		}
		w.Equal("passages", len(strings.Fields(w.scan())), 450)
		version, err := w.Store.KnowledgeVersion(ctx, w.Bot.ID)
		w.Must(err)
		w.Equal("knowledge version", version, int64(1))
		found, err := w.Store.ChunksByID(ctx, w.Bot.ID, []string{chunks[449].ID, "psg_none"})
		w.Must(err)
		want := chunks[449]
		want.DocumentID = d.ID
		w.Equal("by id", found, []scaigrid.Chunk{want})
		found, err = w.Store.ChunksByID(ctx, "bot_none", []string{chunks[0].ID})
		w.Must(err)
		w.Equal("of another bot", len(found), 0)
		stop := errors.New("enough")
		if err := w.Store.ScanChunks(ctx, w.Bot.ID, func(scaigrid.Chunk) error { return stop }); !errors.Is(err, stop) {
			w.T.Fatalf("scan gave %v", err)
		}
		w.Must(w.Store.DeleteDocument(ctx, w.Bot.ID, d.ID, 0, w.Now))
		w.Equal("deleted", w.scan(), "")
		version, err = w.Store.KnowledgeVersion(ctx, w.Bot.ID)
		w.Must(err)
		w.Equal("knowledge version", version, int64(2))
	}},
	{"a replaced document answers from the old text until the new is there", func(w *World) {
		d := w.AddDocument("terms", "old")
		old := w.chunks(2, "old")
		w.Must(w.Store.PublishChunks(ctx, w.claim(), "node-a", old, w.Now))
		next := *d
		next.Name, next.SHA256 = "terms 2", "ff"
		_, err := w.Store.ReplaceDocument(ctx, next, []byte("new"), 9, w.Now)
		w.WantCode(err, scaigrid.CodeConflict)
		got, err := w.Store.ReplaceDocument(ctx, next, []byte("newer"), 1, w.Now)
		w.Must(err)
		if got.Version != 2 || got.Status != scaigrid.DocumentUploaded || got.Bytes != 5 || got.Name != "terms 2" || got.Chunks != 2 {
			w.T.Fatalf("replaced %+v", got)
		}
		w.Equal("old text", w.scan(), d.ID+"/0 "+d.ID+"/1")
		body, err := w.Store.DocumentBlob(ctx, d.ID)
		w.Must(err)
		w.Equal("bytes", string(body), "newer")
		c := w.claim()
		w.Must(w.Store.PublishChunks(ctx, c, "node-a", w.chunks(1, "new"), w.Now))
		w.Equal("new text", w.scan(), d.ID+"/0")
		found, err := w.Store.ChunksByID(ctx, w.Bot.ID, []string{old[1].ID})
		w.Must(err)
		w.Equal("old passages are still found", len(found), 1)
		w.Now = w.Now.Add(2 * time.Minute)
		_, err = w.Store.ClaimDocuments(ctx, "node-a", w.Now, w.Now.Add(time.Minute), 1)
		w.Must(err)
		found, err = w.Store.ChunksByID(ctx, w.Bot.ID, []string{old[0].ID, old[1].ID})
		w.Must(err)
		w.Equal("but not for ever", len(found), 0)
		w.Equal("new text stays", w.scan(), d.ID+"/0")
	}},
	{"a failed replacement leaves the old text, and reading anew helps", func(w *World) {
		d := w.AddDocument("terms", "old")
		w.Must(w.Store.PublishChunks(ctx, w.claim(), "node-a", w.chunks(2, "old"), w.Now))
		_, err := w.Store.ReplaceDocument(ctx, *d, []byte("broken"), 0, w.Now)
		w.Must(err)
		c := w.claim()
		c.Status, c.Error = scaigrid.DocumentFailed, &scaigrid.DocumentError{Code: "unreadable", Message: "It has no text."}
		w.Must(w.Store.SetDocumentStatus(ctx, c, "node-a", w.Now))
		got, err := w.Store.Document(ctx, w.Bot.ID, d.ID)
		w.Must(err)
		w.Equal("why", *got.Error, *c.Error)
		w.Equal("old text", w.scan(), d.ID+"/0 "+d.ID+"/1")
		list, err := w.Store.ClaimDocuments(ctx, "node-a", w.Now.Add(time.Hour), w.Now.Add(2*time.Hour), 5)
		w.Must(err)
		w.Equal("a failed one is not tried again by itself", len(list), 0)
		got, err = w.Store.ReindexDocument(ctx, w.Bot.ID, d.ID, 0, w.Now)
		w.Must(err)
		if got.Status != scaigrid.DocumentUploaded || got.Error != nil || got.Version != 3 {
			w.T.Fatalf("reading anew %+v", got)
		}
		w.Must(w.Store.PublishChunks(ctx, w.claim(), "node-a", w.chunks(1, "new"), w.Now))
		body, err := w.Store.DocumentBlob(ctx, d.ID)
		w.Must(err)
		if !bytes.Equal(body, []byte("broken")) {
			w.T.Fatalf("the bytes are %q", body)
		}
	}},
	{"who lost the claim changes nothing", func(w *World) {
		d := w.AddDocument("terms", "old")
		c := w.claim()
		w.Must(w.Store.SetDocumentStatus(ctx, c, "node-a", w.Now.Add(30*time.Second))) // a sign of life
		list, err := w.Store.ClaimDocuments(ctx, "node-b", w.Now.Add(80*time.Second), w.Now.Add(time.Hour), 1)
		w.Must(err)
		w.Equal("renewed", len(list), 0)
		list, err = w.Store.ClaimDocuments(ctx, "node-b", w.Now.Add(91*time.Second), w.Now.Add(time.Hour), 1)
		w.Must(err)
		w.Equal("taken over", len(list), 1)
		w.WantCode(w.Store.SetDocumentStatus(ctx, c, "node-a", w.Now), scaigrid.CodeConflict)
		w.WantCode(w.Store.PublishChunks(ctx, c, "node-a", w.chunks(1, "x"), w.Now), scaigrid.CodeConflict)
		_, err = w.Store.ReplaceDocument(ctx, *d, []byte("new"), 0, w.Now)
		w.Must(err)
		w.WantCode(w.Store.PublishChunks(ctx, list[0], "node-b", w.chunks(1, "x"), w.Now), scaigrid.CodeConflict)
		w.Equal("nothing", w.scan(), "")
		w.Must(w.Store.DeleteDocument(ctx, w.Bot.ID, d.ID, 2, w.Now))
		w.WantCode(w.Store.PublishChunks(ctx, c, "node-a", nil, w.Now), scaigrid.CodeConflict)
	}},
	{"a document on which workers die is given up", func(w *World) {
		d := w.AddDocument("bomb", "x")
		for range 5 {
			w.claim()
			w.Now = w.Now.Add(2 * time.Minute)
		}
		list, err := w.Store.ClaimDocuments(ctx, "node-a", w.Now, w.Now.Add(time.Minute), 1)
		w.Must(err)
		w.Equal("claimed", len(list), 0)
		got, err := w.Store.Document(ctx, w.Bot.ID, d.ID)
		w.Must(err)
		if got.Status != scaigrid.DocumentFailed || !strings.Contains(got.Error.Message, "5 times") {
			w.T.Fatalf("document %+v", got)
		}
	}},
	{"a document without text is indexed with no passages", func(w *World) {
		w.AddDocument("blank", " ")
		w.Must(w.Store.PublishChunks(ctx, w.claim(), "node-a", nil, w.Now))
		w.Equal("passages", w.scan(), "")
	}},
}
