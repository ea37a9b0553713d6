package knowledge

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/scailabs/scaigrid"
)

// WorkerOptions are the parts of a Worker. Desk, Log, Clock and Node are
// required.
type WorkerOptions struct {
	Desk  Desk
	Log   *slog.Logger
	Clock func() time.Time
	Node  string // id of this process

	Lease time.Duration // how long a silent node keeps its documents; 0: 30 s
	Poll  time.Duration // how often to look for documents nobody announced; 0: 1 s
}

// Worker reads the documents that wait, one at a time, oldest first. What it
// had claimed when it was killed waits for its lease to end and is then read
// again from the start; until a document is published, answers come from its
// version before.
type Worker struct {
	WorkerOptions
	wake chan struct{}
}

// NewWorker returns a worker; Run sets it to work.
func NewWorker(o WorkerOptions) *Worker {
	if o.Lease == 0 {
		o.Lease = 30 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	return &Worker{WorkerOptions: o, wake: make(chan struct{}, 1)}
}

// Wake tells the worker that a document waits. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// claimAtOnce is how many documents a worker takes in one go: enough for many
// small ones to go fast, few enough for a second node to get its share.
const claimAtOnce = 8

// Run reads documents until ctx ends. A failing store is logged and tried
// again.
func (w *Worker) Run(ctx context.Context) error {
	t := time.NewTicker(w.Poll)
	defer t.Stop()
	for {
		n, err := w.Work(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			w.Log.WarnContext(ctx, "indexing cannot reach the store, will try again", "err", err)
		case n > 0:
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-w.wake:
		}
	}
}

// Work claims some documents that wait, reads them and returns how many it
// claimed. Its error is the store's.
func (w *Worker) Work(ctx context.Context) (int, error) {
	now := w.Clock()
	docs, err := w.Desk.ClaimDocuments(ctx, w.Node, now, now.Add(w.Lease), claimAtOnce)
	if err != nil {
		return 0, err
	}
	for i := range docs {
		if ended(ctx) {
			return len(docs), nil
		}
		err := w.document(ctx, &docs[i])
		switch {
		case err == nil || ctx.Err() != nil:
		case scaigrid.ErrorCode(err) == scaigrid.CodeConflict, scaigrid.ErrorCode(err) == scaigrid.CodeNotFound:
			w.Log.InfoContext(ctx, "a document changed while it was read; the newer one is read next", "document_id", docs[i].ID)
		default:
			return len(docs), fmt.Errorf("document %s: %w", docs[i].ID, err)
		}
	}
	return len(docs), nil
}

// document takes one document from claimed to indexed or failed.
func (w *Worker) document(ctx context.Context, d *scaigrid.Document) error {
	d.Status, d.Progress, d.Error = scaigrid.DocumentExtracting, 0, nil
	if err := w.Desk.SetDocumentStatus(ctx, *d, w.Node, w.Clock()); err != nil {
		return err
	}
	blob, err := w.Desk.DocumentBlob(ctx, d.ID)
	if err != nil {
		return err
	}
	start := w.Clock()
	chunks, why, err := w.prepare(ctx, d, blob)
	if err != nil {
		return err
	}
	if why != nil {
		d.Status, d.Error, d.Progress = scaigrid.DocumentFailed, why, 0
		w.Log.InfoContext(ctx, "a document could not be read", "document_id", d.ID, "code", why.Code)
		return w.Desk.SetDocumentStatus(ctx, *d, w.Node, w.Clock())
	}
	if err := w.Desk.PublishChunks(ctx, *d, w.Node, chunks, w.Clock()); err != nil {
		return err
	}
	w.Log.DebugContext(ctx, "document indexed", "document_id", d.ID, "bot_id", d.BotID, "chunks", len(chunks), "bytes", len(blob), "took", w.Clock().Sub(start))
	return nil
}

// prepare reads the bytes into chunks and reports progress once a second. A
// reader that panics fails its document alone.
func (w *Worker) prepare(ctx context.Context, d *scaigrid.Document, blob []byte) (chunks []scaigrid.Chunk, why *scaigrid.DocumentError, err error) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.ErrorContext(ctx, "reading a document panicked", "document_id", d.ID, "panic", fmt.Sprint(p))
			why = &scaigrid.DocumentError{Code: codeReader, Message: "This file could not be read because of a fault in our reader. Please report it, and save the document in another format meanwhile."}
		}
	}()
	src, why := read(d.MediaType, d.Name, blob)
	if why != nil {
		return nil, why, nil
	}
	d.Status, d.Progress = scaigrid.DocumentIndexing, 0.1
	if err := w.Desk.SetDocumentStatus(ctx, *d, w.Node, w.Clock()); err != nil {
		return nil, nil, err
	}
	told := w.Clock()
	chunks, err = finish(d, src, cut(src), told, func(done, of int) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := w.Clock()
		if now.Sub(told) < time.Second {
			return nil
		}
		told = now
		d.Progress = 0.1 + 0.8*float64(done)/float64(of)
		return w.Desk.SetDocumentStatus(ctx, *d, w.Node, now)
	})
	return chunks, nil, err
}

func ended(ctx context.Context) bool { return ctx.Err() != nil }
