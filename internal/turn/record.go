package turn

import (
	"context"
	"errors"
	"time"

	"github.com/scailabs/scaigrid"
)

// record stores how the turn ended, and only then lets its last event out: the
// last byte means "saved".
func (h *House) record(ctx context.Context, r *run, o scaigrid.Outcome, failure error) {
	now := h.Clock()
	r.enter(scaigrid.StepRecord, now)
	o.Content, _ = r.log.snapshot()
	o.FirstToken, o.Latency, o.Steps = r.first, now.Sub(r.accepted), r.steps
	h.judge(&o, failure)
	if o.Citations == nil && r.guest.Bot.Model != scaigrid.ExtractiveModel {
		o.Citations = citedIn(o.Content, o.Passages) // a stopped answer has sources too
	}
	if o.Usage != nil {
		o.Cost = h.Cost(*o.Usage)
	}
	if len(o.Citations) > 0 && o.Error == nil {
		r.log.mark(citationsMark(o.Citations))
	}
	if o.Usage != nil {
		r.log.mark(usageMark(*o.Usage))
	}
	last := finishMark(o)
	if o.Error != nil {
		last = errorMark(*o.Error)
	}
	h.report(ctx, r, o, failure)
	h.saver.drop(r.log)
	if err := h.store(ctx, r, o, last); err != nil {
		h.Log.ErrorContext(ctx, "the end of a turn could not be stored", "turn", r.turn.ID, "err", err)
		last = errorMark(scaigrid.TurnError{Code: scaigrid.CodeStorage, Message: "The answer could not be saved. Please try again.", Retryable: true})
	}
	r.log.end(last)
	h.hub.tell(r.guest.VisitorID, Notice{Ended: &r.turn})
	if h.Observe != nil {
		h.Observe(o)
	}
}

// judge tells a turn's status from how it ended.
func (h *House) judge(o *scaigrid.Outcome, failure error) {
	switch {
	case failure == nil:
		o.Status = scaigrid.MessageComplete
		return
	case errors.Is(failure, errStopped):
		o.Status, o.FinishReason, o.Answered = scaigrid.MessageStopped, "stopped", o.Content != ""
		return
	case errors.Is(failure, errShuttingDown):
		o.Status = scaigrid.MessageInterrupted
		o.Error = interrupted()
	case errors.Is(failure, errTooLong):
		o.Status = scaigrid.MessageFailed
		o.Error = &scaigrid.TurnError{Code: scaigrid.CodeBackendTimeout, Message: "The answer took too long and was ended. Please try again.", Retryable: true}
	default:
		e := scaigrid.AsError(failure)
		o.Status = scaigrid.MessageFailed
		o.Error = &scaigrid.TurnError{Code: e.Code, Message: e.Message, Retryable: e.Retryable || e.Code == scaigrid.CodeInternal}
	}
	o.FinishReason = ""
}

func interrupted() *scaigrid.TurnError {
	return &scaigrid.TurnError{Code: scaigrid.CodeTurnInterrupted, Message: "The answer was interrupted by a restart. Please go on or ask again.", Retryable: true}
}

// store tries until the end is on disk, for as long as it may: a full or busy
// disk often is so for moments only.
func (h *House) store(ctx context.Context, r *run, o scaigrid.Outcome, last scaigrid.Mark) error {
	ctx, cancel := context.WithTimeout(ctx, h.RecordWithin)
	defer cancel()
	_, marks := r.log.snapshot()
	last.At = len(o.Content)
	marks = append(marks, last)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := h.Store.FinishTurn(ctx, r.turn.ID, o, marks, h.Clock())
		if err == nil || scaigrid.ErrorCode(err) != scaigrid.CodeStorage {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// report writes the one log line of a turn. It never holds what was said.
func (h *House) report(ctx context.Context, r *run, o scaigrid.Outcome, failure error) {
	attrs := []any{
		"turn", r.turn.ID, "bot", r.turn.BotID, "status", o.Status, "ms", o.Latency.Milliseconds(), "bytes", len(o.Content),
	}
	if failure == nil || o.Error == nil {
		h.Log.DebugContext(ctx, "turn ended", attrs...)
		return
	}
	at := r.steps[max(len(r.steps)-2, 0)].Step // the room before this one
	h.Log.WarnContext(ctx, "turn failed", append(attrs, "step", at, "code", o.Error.Code, "err", failure)...)
}
