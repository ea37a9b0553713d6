package turn

import (
	"context"
	"errors"
	"time"

	"github.com/scailabs/scaigrid"
)

// The causes for which a turn may be ended before its answer is.
var (
	errStopped      = errors.New("stopped by the visitor")
	errShuttingDown = errors.New("the server is shutting down")
	errTooLong      = errors.New("the turn ran longer than it may")
)

// run is one turn on its way through the house, on this node.
type run struct {
	guest    Guest
	ask      scaigrid.Ask
	turn     scaigrid.Turn
	log      *Log
	fresh    bool   // not a retry of a turn that exists already
	partial  string // text of an earlier try that is to be continued
	accepted time.Time
	steps    []scaigrid.StepTime
	entered  time.Time

	first *time.Duration // to the first text
}

// enter stamps the way from one room to the next.
func (r *run) enter(step scaigrid.Step, now time.Time) {
	if n := len(r.steps); n > 0 {
		r.steps[n-1].Spent = now.Sub(r.entered)
	}
	r.steps = append(r.steps, scaigrid.StepTime{Step: step})
	r.entered = now
}

// Ask takes what a guest says and returns the log of the turn that answers it.
// When it returns, the message is safe on disk; the answer goes on without the
// caller. A repeated message joins the turn that it began.
//
// Errors: those of Verify, RATE_LIMITED, BUDGET_EXCEEDED, NOT_FOUND for a
// conversation that is not the guest's, TURN_IN_PROGRESS, IDEMPOTENCY_MISMATCH,
// CONFLICT, SHUTTING_DOWN, STORAGE_ERROR.
func (h *House) Ask(ctx context.Context, guest Guest, ask scaigrid.Ask) (*Log, error) {
	return h.once(ctx, guest, ask, func() (*Log, error) {
		if err := h.Limits.TakeTurn(ctx, guest.Bot, guest.Pass, guest.limitID(), ask.Address); err != nil {
			return nil, err
		}
		r, err := h.accept(ctx, guest, ask)
		if err != nil {
			return nil, err
		}
		if r.fresh {
			h.start(r)
		}
		return r.log, nil
	})
}

// start lets the turn walk on by itself.
func (h *House) start(r *run) {
	ctx, cancel := context.WithCancelCause(h.base)
	h.mu.Lock()
	h.live[r.turn.ID] = &live{log: r.log, cancel: cancel}
	h.mu.Unlock()
	r.log.touched = h.saver.touch
	h.running.Add(1)
	go func() {
		defer h.running.Done()
		defer cancel(nil)
		h.walk(ctx, r)
	}()
}

// walk leads an accepted turn to its recorded end, whatever happens on the way.
func (h *House) walk(ctx context.Context, r *run) {
	defer func() {
		h.mu.Lock()
		delete(h.live, r.turn.ID)
		h.mu.Unlock()
		h.saver.drop(r.log)
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, h.MaxDuration, errTooLong)
	defer cancel()

	outcome, err := h.answer(ctx, r)
	h.record(context.WithoutCancel(ctx), r, outcome, err)
}

// answer is the row of rooms between an accepted question and a recorded
// reply. The outcome holds what was said so far, also beside an error.
func (h *House) answer(ctx context.Context, r *run) (o scaigrid.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = scaigrid.Errorf(scaigrid.CodeInternal, "The answer failed on our side. Please try again.").Because(panicked(p))
		}
	}()
	r.enter(scaigrid.StepLoad, h.Clock())
	history, err := h.load(ctx, r)
	if err != nil {
		return o, err
	}
	r.enter(scaigrid.StepRetrieve, h.Clock())
	found, err := h.retrieve(ctx, r.guest.Bot, r.ask.Message, history)
	if err != nil {
		return o, err
	}
	o.Passages = found.Kept()

	r.enter(scaigrid.StepPrompt, h.Clock())
	prompt := buildPrompt(r.guest.Bot, r.ask, history, found, r.partial)
	if r.ask.WantPrompt && r.guest.Pass.SeePrompt {
		r.log.mark(promptMark(prompt))
	}
	r.enter(scaigrid.StepInfer, h.Clock())
	err = h.infer(ctx, r, prompt, &o)
	return o, err
}

// pending is an ask under way, which its retries wait for.
type pending struct {
	text string
	done chan struct{}
	log  *Log
	err  error
}

// once lets the retries of a message that arrive while it is being accepted
// wait for it instead of going through the door again.
func (h *House) once(ctx context.Context, guest Guest, ask scaigrid.Ask, do func() (*Log, error)) (*Log, error) {
	if err := h.open(); err != nil {
		return nil, err
	}
	defer h.running.Done()
	key := guest.retryKey(ask)
	if key == "" {
		return do()
	}
	h.mu.Lock()
	if p := h.asks[key]; p != nil {
		h.mu.Unlock()
		return p.join(ctx, ask.Message)
	}
	p := &pending{text: ask.Message, done: make(chan struct{})}
	h.asks[key] = p
	h.mu.Unlock()

	p.log, p.err = do()
	h.forget(key)
	close(p.done)
	return p.log, p.err
}

func (p *pending) join(ctx context.Context, text string) (*Log, error) {
	if text != p.text {
		return nil, mismatch()
	}
	select {
	case <-p.done:
		return p.log, p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (h *House) forget(key string) {
	h.mu.Lock()
	delete(h.asks, key)
	h.mu.Unlock()
}

func mismatch() error {
	return scaigrid.Errorf(scaigrid.CodeIdempotencyMismatch, "This client_message_id was used for another message. Give each message an id of its own.")
}
