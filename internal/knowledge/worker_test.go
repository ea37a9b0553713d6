package knowledge_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/knowledge"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

func addDocument(t *testing.T, w *storetest.World, name, mediaType, body string) *scaigrid.Document {
	t.Helper()
	d := &scaigrid.Document{
		ID: w.ID("doc"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, Name: name, Source: "file", MediaType: mediaType,
		CreatedAt: w.Now, SHA256: fmt.Sprintf("%064d", len(body)),
	}
	if err := w.Store.AddDocument(t.Context(), d, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return d
}

func newWorker(w *storetest.World, desk knowledge.Desk, node string) *knowledge.Worker {
	return knowledge.NewWorker(knowledge.WorkerOptions{Desk: desk, Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return w.Now }, Node: node})
}

func work(t *testing.T, w *knowledge.Worker) {
	t.Helper()
	for {
		n, err := w.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func document(t *testing.T, w *storetest.World, id string) *scaigrid.Document {
	t.Helper()
	d, err := w.Store.Document(t.Context(), w.Bot.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bot(t *testing.T, w *storetest.World) *scaigrid.Bot {
	t.Helper()
	b, err := w.Store.Bot(t.Context(), w.Tenant.ID, w.Bot.ID)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func search(t *testing.T, w *storetest.World, lib *knowledge.Library, q string) scaigrid.Retrieval {
	t.Helper()
	r, err := lib.Search(t.Context(), bot(t, w), q, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDocumentsBecomeAnswers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		lib := knowledge.NewLibrary(s, 0)
		good := addDocument(t, w, "shipping.md", "text/markdown", "# Shipping\n\n## Costs\n\nParcels below 2 kg cost 4 euros. Heavier ones cost 9 euros.\n")
		bad := addDocument(t, w, "broken.md", "text/markdown", "caf\xe9 latin-1")
		pdf := addDocument(t, w, "x.pdf", "application/pdf", "%PDF-1.7")
		work(t, newWorker(w, s, "node_a"))

		d := document(t, w, good.ID)
		if d.Status != scaigrid.DocumentIndexed || d.Progress != 1 || d.Chunks != 1 || d.Error != nil || d.IndexedAt == nil {
			t.Errorf("good document: %+v", d)
		}
		for id, code := range map[string]string{bad.ID: "not_text", pdf.ID: "unsupported_format"} {
			d := document(t, w, id)
			if d.Status != scaigrid.DocumentFailed || d.Error == nil || d.Error.Code != code || !strings.Contains(d.Error.Message, "upload it again") {
				t.Errorf("document %s: %s, error %+v; want %s", d.Name, d.Status, d.Error, code)
			}
		}
		r := search(t, w, lib, "What does a heavy parcel cost?")
		if len(r.Passages) != 1 || r.Passages[0].Heading != "Costs" || r.Passages[0].Title != "Shipping" || !r.Passages[0].Kept || r.Passages[0].DocumentName != "shipping.md" {
			t.Errorf("search: %+v", r)
		}
	})
}

func TestReplacingIsAtomic(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		lib := knowledge.NewLibrary(s, 0)
		worker := newWorker(w, s, "node_a")
		d := addDocument(t, w, "a.md", "text/markdown", "The opening hours are nine to five.")
		work(t, worker)
		if r := search(t, w, lib, "opening hours"); len(r.Passages) != 1 || !strings.Contains(r.Passages[0].Text, "nine") {
			t.Fatalf("before: %+v", r)
		}
		next := *d
		if _, err := s.ReplaceDocument(t.Context(), next, []byte("The opening hours are ten to six."), 0, w.Now); err != nil {
			t.Fatal(err)
		}
		if r := search(t, w, lib, "opening hours"); len(r.Passages) != 1 || !strings.Contains(r.Passages[0].Text, "nine") {
			t.Errorf("while the new version waits: %+v", r)
		}
		work(t, worker)
		if r := search(t, w, lib, "opening hours"); len(r.Passages) != 1 || !strings.Contains(r.Passages[0].Text, "ten") {
			t.Errorf("after: %+v", r)
		}
		if err := s.DeleteDocument(t.Context(), w.Bot.ID, d.ID, 0, w.Now); err != nil {
			t.Fatal(err)
		}
		if r := search(t, w, lib, "opening hours"); len(r.Passages) != 0 {
			t.Errorf("deleted: %+v", r)
		}
	})
}

// dying is a desk whose node dies at the n-th call.
type dying struct {
	knowledge.Desk
	left int
}

var errDied = fmt.Errorf("the node died")

func (d *dying) step() error {
	if d.left--; d.left < 0 {
		return errDied
	}
	return nil
}

func (d *dying) DocumentBlob(ctx context.Context, id string) ([]byte, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	return d.Desk.DocumentBlob(ctx, id)
}

func (d *dying) SetDocumentStatus(ctx context.Context, doc scaigrid.Document, node string, now time.Time) error {
	if err := d.step(); err != nil {
		return err
	}
	return d.Desk.SetDocumentStatus(ctx, doc, node, now)
}

func (d *dying) PublishChunks(ctx context.Context, doc scaigrid.Document, node string, c []scaigrid.Chunk, now time.Time) error {
	if err := d.step(); err != nil {
		return err
	}
	return d.Desk.PublishChunks(ctx, doc, node, c, now)
}

func TestKilledAtAnyPoint(t *testing.T) {
	s := storetest.SQLite(t)
	w := storetest.NewWorld(t, s)
	d := addDocument(t, w, "a.md", "text/markdown", "The opening hours are nine to five.")
	died := 0
	for n := range 4 {
		desk := &dying{Desk: s, left: n}
		if _, err := newWorker(w, desk, fmt.Sprintf("node_%d", n)).Work(t.Context()); err == nil {
			t.Fatalf("survived a death at step %d", n)
		}
		died++
		if got := document(t, w, d.ID); got.Status == scaigrid.DocumentIndexed || got.Status == scaigrid.DocumentFailed {
			t.Fatalf("step %d left it %s", n, got.Status)
		}
		if m, err := newWorker(w, s, "node_other").Work(t.Context()); m != 0 || err != nil {
			t.Fatalf("claimed %d while the lease still holds, err %v", m, err)
		}
		w.Now = w.Now.Add(time.Minute)
	}
	work(t, newWorker(w, s, "node_last"))
	if got := document(t, w, d.ID); got.Status != scaigrid.DocumentIndexed || died != 4 {
		t.Errorf("in the end: %+v after %d deaths", got, died)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := storetest.SQLite(t)
	w := storetest.NewWorld(t, s)
	worker := knowledge.NewWorker(knowledge.WorkerOptions{Desk: s, Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return w.Now }, Node: "n", Poll: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- worker.Run(ctx) }()
	d := addDocument(t, w, "a.md", "text/markdown", "Some text.")
	worker.Wake()
	deadline := time.After(20 * time.Second)
	for document(t, w, d.ID).Status != scaigrid.DocumentIndexed {
		select {
		case <-deadline:
			t.Fatal("never indexed")
		default:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}
