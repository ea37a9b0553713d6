package turn

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Resume returns the log of a turn of the guest: the one that grows here, one
// that follows another node, or one rebuilt from the store after its end.
// NOT_FOUND for a turn that is not the guest's.
func (h *House) Resume(ctx context.Context, g Guest, turnID string) (*Log, error) {
	if _, err := h.own(ctx, g, turnID); err != nil {
		return nil, err
	}
	return h.logOf(ctx, turnID)
}

// Stop ends the answer of a turn of the guest; what was said stays. A turn
// that is over is left alone.
func (h *House) Stop(ctx context.Context, g Guest, turnID string) error {
	t, err := h.own(ctx, g, turnID)
	if err != nil {
		return err
	}
	if h.stopHere(turnID) || t.State == scaigrid.TurnDone {
		return nil
	}
	return h.Store.RequestStop(ctx, turnID)
}

// Continue lets an answer that was stopped, cut or failed go on after what it
// had said. CONFLICT where there is nothing to continue.
func (h *House) Continue(ctx context.Context, g Guest, turnID, address string) (*Log, error) {
	if _, err := h.own(ctx, g, turnID); err != nil {
		return nil, err
	}
	if err := h.Limits.TakeTurn(ctx, g.Bot, g.Pass, g.limitID(), address); err != nil {
		return nil, err
	}
	if err := h.open(); err != nil {
		return nil, err
	}
	defer h.running.Done()
	now := h.Clock()
	t, reply, err := h.Store.ReopenTurn(ctx, turnID, h.Node, now.Add(h.Lease))
	if err != nil {
		return nil, err
	}
	question, err := h.Store.History(ctx, t.ConversationID, t.ReplyID, 1)
	if err != nil {
		return nil, err
	}
	r := &run{guest: g, turn: *t, partial: reply.Content, accepted: now, log: newLog(*t, g.Bot.Model, reply.Content, t.Marks)}
	r.ask = scaigrid.Ask{Pass: g.Pass, BotID: g.Bot.ID, ConversationID: t.ConversationID}
	if len(question) > 0 {
		r.ask.Message = question[len(question)-1].Content
	}
	r.enter(scaigrid.StepAccept, now)
	h.start(r)
	h.hub.tell(g.VisitorID, Notice{Turn: t})
	return r.log, nil
}

// own returns the turn if it is the guest's, else NOT_FOUND: a stream is an
// object like any other.
func (h *House) own(ctx context.Context, g Guest, turnID string) (*scaigrid.Turn, error) {
	if !g.Known() || !scaigrid.IsID(scaigrid.KindTurn, turnID) {
		return nil, scaigrid.NotFound()
	}
	t, _, err := h.Store.Turn(ctx, turnID)
	if err != nil {
		return nil, err
	}
	if t.VisitorID != g.VisitorID || t.BotID != g.Bot.ID {
		return nil, scaigrid.NotFound()
	}
	return t, nil
}

func (h *House) liveLog(turnID string) *Log {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.live[turnID]; l != nil {
		return l.log
	}
	return nil
}

func (h *House) stopHere(turnID string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.live[turnID]
	if l != nil {
		l.cancel(errStopped)
	}
	return l != nil
}

// logOf finds the log of a turn or builds it from what is stored.
func (h *House) logOf(ctx context.Context, turnID string) (*Log, error) {
	if l := h.liveLog(turnID); l != nil {
		return l, nil
	}
	h.mu.Lock()
	l := h.follows[turnID]
	h.mu.Unlock()
	if l != nil {
		return l, nil
	}
	t, reply, err := h.Store.Turn(ctx, turnID)
	if err != nil {
		return nil, err
	}
	l = newLog(*t, "", reply.Content, t.Marks)
	if reply.Usage != nil {
		l.Model = reply.Usage.Model
	}
	if len(l.marks) == 0 || l.marks[0].Name != scaigrid.EventTurn {
		l.marks = append([]scaigrid.Mark{turnMark(*t)}, l.marks...) // the node died before the first text was stored
	}
	if l.over {
		return l, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if other := h.follows[turnID]; other != nil {
		return other, nil
	}
	h.follows[turnID] = l
	go h.follow(l)
	return l, nil
}

// follow keeps the log of a turn that runs on another node close to what that
// node stores, for as long as somebody reads it.
func (h *House) follow(l *Log) {
	defer func() {
		h.mu.Lock()
		delete(h.follows, l.Turn.ID)
		h.mu.Unlock()
	}()
	idle := 0
	for {
		select {
		case <-h.base.Done():
			return
		case <-time.After(h.FollowEvery):
		}
		if l.hasReaders() {
			idle = 0
		} else if idle++; idle > 20 {
			return
		}
		t, reply, err := h.Store.Turn(h.base, l.Turn.ID)
		switch {
		case scaigrid.ErrorCode(err) == scaigrid.CodeNotFound:
			l.end(errorMark(*interrupted())) // erased meanwhile
			return
		case err != nil:
			continue
		}
		l.catchUp(reply.Content, t.Marks, t.State == scaigrid.TurnDone)
		if l.Over() {
			return
		}
	}
}

// Settle ends turns whose node died, so that no conversation waits for an
// answer that will not come. What they had said stays and can be continued.
func (h *House) Settle(ctx context.Context) error { return h.settleBefore(ctx, h.Clock()) }

// SettleAll ends every running turn that is not this process's, for a process
// that shares its database with no other: whoever ran them is dead, however
// long his lease.
func (h *House) SettleAll(ctx context.Context) error {
	return h.settleBefore(ctx, h.Clock().AddDate(100, 0, 0))
}

func (h *House) settleBefore(ctx context.Context, leased time.Time) error {
	for {
		turns, err := h.Store.AbandonedTurns(ctx, leased, 100)
		if err != nil || len(turns) == 0 {
			return err
		}
		for _, t := range turns {
			if h.liveLog(t.ID) != nil {
				continue // ours and alive: the disk was slow to take the lease
			}
			if err := h.settle(ctx, t.ID); err != nil {
				return err
			}
		}
		if len(turns) < 100 {
			return nil
		}
	}
}

func (h *House) settle(ctx context.Context, turnID string) error {
	t, reply, err := h.Store.Turn(ctx, turnID)
	if err != nil || t.State == scaigrid.TurnDone {
		return err
	}
	now := h.Clock()
	o := scaigrid.Outcome{
		Status: scaigrid.MessageInterrupted, Content: reply.Content, Passages: reply.Passages,
		Latency: now.Sub(t.CreatedAt), Error: interrupted(), Rebuilt: true,
	}
	marks := t.Marks
	if len(marks) == 0 {
		marks = append(marks, turnMark(*t))
	}
	last := errorMark(*o.Error)
	last.At = len(o.Content)
	return h.Store.FinishTurn(ctx, turnID, o, append(marks, last), now)
}
