package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/turn"
)

// Bounds of an open stream.
const (
	heartbeatEvery  = 15 * time.Second // of silence
	writeDeadline   = 10 * time.Second // of one write; a reader slower than that is dropped
	streamBufferMax = 16 << 10         // larger buffers are not kept for the next reader
)

var streamBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// streamTurn sends a turn's log to one reader, from after on, until the log
// ends, the reader leaves, or his token is revoked. The turn goes on without him.
func streamTurn(ctx context.Context, w http.ResponseWriter, l *turn.Log, after *scaigrid.Cursor, revoked <-chan struct{}) {
	reader := l.ReadFrom(after)
	defer reader.Close()
	out := openEventStream(w, writeDeadline)
	enc := newSSEEncoder(l)
	silence := time.NewTimer(heartbeatEvery)
	defer silence.Stop()
	var items []turn.Item
	for {
		select {
		case <-ctx.Done():
			return
		case <-revoked:
			_ = out.send(revokedEvent())
			return
		case <-silence.C:
			if out.send(heartbeat) != nil {
				return
			}
		case <-reader.Wake():
			var over bool
			items, over = reader.Read(items[:0])
			if sendItems(out, enc, items, over) != nil || over {
				return
			}
		}
		silence.Reset(heartbeatEvery)
	}
}

// sendItems writes all that came since the last wake-up at once.
func sendItems(out *eventStream, enc *sseEncoder, items []turn.Item, over bool) error {
	if len(items) == 0 && !over {
		return nil
	}
	buf, ok := streamBuffers.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	b := (*buf)[:0]
	for _, it := range items {
		b = enc.item(b, it)
	}
	if over {
		b = append(b, doneEvent...)
	}
	err := out.send(b)
	if cap(b) <= streamBufferMax {
		*buf = b
		streamBuffers.Put(buf)
	}
	return err
}

// revokedEvent ends a stream whose token was taken back.
func revokedEvent() []byte {
	fields, err := json.Marshal(map[string]any{"error": scaigrid.TurnError{
		Code: scaigrid.CodeEmbedTokenRevoked, Message: "This chat was ended by the site. Reload the page to start again.",
	}})
	if err != nil {
		return doneEvent
	}
	b := appendMarkData([]byte("event: error\n"), fields)
	return append(b, doneEvent...)
}

// awaitTurn waits for the end of a turn, for callers that want one answer
// instead of a stream.
func awaitTurn(ctx context.Context, l *turn.Log) error {
	reader := l.ReadFrom(nil)
	defer reader.Close()
	for !l.Over() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-reader.Wake():
		}
	}
	return nil
}
