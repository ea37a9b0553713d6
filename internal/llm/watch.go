package llm

import (
	"context"
	"time"
)

// watch ends a call that is silent or slow, with a cause that says why.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limits Limits
	whole  *time.Timer
	bytes  *time.Timer // response headers, then any byte
	words  *time.Timer // text
}

func newWatch(ctx context.Context, l Limits) *watch {
	w := &watch{limits: l}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.whole = time.AfterFunc(l.Whole, func() { w.cancel(errTooLong) })
	w.bytes = time.AfterFunc(l.FirstByte, func() { w.cancel(errNoAnswer) })
	return w
}

// headers: the response has begun.
func (w *watch) headers() {
	w.bytes.Stop()
	w.bytes = time.AfterFunc(w.limits.Silence, func() { w.cancel(errSilent) })
	w.words = time.AfterFunc(w.limits.FirstText, func() { w.cancel(errNoText) })
}

// heard: bytes came.
func (w *watch) heard() { w.bytes.Reset(w.limits.Silence) }

// spoken: text came.
func (w *watch) spoken() { w.words.Reset(w.limits.NoText) }

func (w *watch) end() {
	w.cancel(context.Canceled)
	w.whole.Stop()
	w.bytes.Stop()
	if w.words != nil {
		w.words.Stop()
	}
}
