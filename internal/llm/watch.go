package llm

import (
	"context"
	"sync/atomic"
	"time"
)

// watch ends an attempt that stays silent for too long. It has one timer, which
// looks again when the nearest limit is due; the reader only notes the time.
type watch struct {
	limits Limits
	cancel context.CancelCauseFunc
	began  time.Time
	timer  *time.Timer

	stage    atomic.Int32
	lastByte atomic.Int64 // nanoseconds since began
	lastText atomic.Int64
	busy     atomic.Bool // the reader of the answer has the word, not the provider
}

// leaveWithin is how long a server may take to end a stream after its last event.
const leaveWithin = 100 * time.Millisecond

const (
	stageHead    = iota // no response yet
	stageWaiting        // no text yet
	stageText
	stageTrailer // the finish reason has come
)

func newWatch(l Limits, cancel context.CancelCauseFunc) *watch {
	w := &watch{limits: l, cancel: cancel, began: time.Now()}
	w.timer = time.AfterFunc(min(l.FirstByte, l.FirstText), w.look)
	return w
}

func (w *watch) stop() { w.timer.Stop() }

func (w *watch) now() int64 { return int64(time.Since(w.began)) }

// answered notes that the head of the response has come.
func (w *watch) answered() {
	w.lastByte.Store(w.now())
	w.stage.Store(stageWaiting)
	w.timer.Reset(w.nearest())
}

// heard notes that bytes have come.
func (w *watch) heard() { w.lastByte.Store(w.now()) }

// said notes that text has come.
func (w *watch) said() {
	w.lastText.Store(w.lastByte.Load())
	if w.stage.Load() == stageWaiting {
		w.stage.Store(stageText)
	}
}

// finished notes that the finish reason has come.
func (w *watch) finished() {
	if w.stage.Swap(stageTrailer) != stageTrailer {
		w.lastByte.Store(w.now())
		w.timer.Reset(w.limits.Trailer)
	}
}

// leave gives the rest of the stream a moment to end by itself.
func (w *watch) leave() {
	w.timer.Stop()
	time.AfterFunc(leaveWithin, func() { w.cancel(errTrailer) })
}

// away runs f, which waits for the reader of the answer, without counting its time.
func (w *watch) away(f func() bool) bool {
	w.busy.Store(true)
	ok := f()
	now := w.now()
	w.lastByte.Store(now)
	w.lastText.Store(now)
	w.busy.Store(false)
	return ok
}

// due returns how long each limit still has, with what its end would mean.
func (w *watch) due() (time.Duration, error) {
	now := time.Duration(w.now())
	byteAt, textAt := time.Duration(w.lastByte.Load()), time.Duration(w.lastText.Load())
	switch w.stage.Load() {
	case stageHead:
		return w.limits.FirstByte - now, errFirstByte
	case stageTrailer:
		return byteAt + w.limits.Trailer - now, errTrailer
	}
	left, cause := byteAt+w.limits.Silence-now, errSilence
	if w.stage.Load() == stageWaiting {
		if first := w.limits.FirstText - now; first < left {
			left, cause = first, errFirstText
		}
	} else if text := textAt + w.limits.NoText - now; text < left {
		left, cause = text, errNoText
	}
	return left, cause
}

func (w *watch) nearest() time.Duration {
	left, _ := w.due()
	return max(left, time.Millisecond)
}

func (w *watch) look() {
	left, cause := w.due()
	if left <= 0 && !w.busy.Load() {
		w.cancel(cause)
		return
	}
	w.timer.Reset(max(left, time.Millisecond))
}
