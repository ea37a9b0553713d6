package turn

import (
	"context"

	"github.com/scailabs/scaigrid"
)

// accept makes the visitor's message safe on disk. Nothing is said to him
// before that.
func (h *House) accept(ctx context.Context, g Guest, ask scaigrid.Ask) (*run, error) {
	now := h.Clock()
	r := &run{guest: g, ask: ask, accepted: now}
	r.enter(scaigrid.StepAccept, now)
	a := scaigrid.Acceptance{
		Bot: g.Bot, Pass: g.Pass, VisitorID: g.VisitorID, KeyHash: g.KeyHash,
		ConversationID: ask.ConversationID, ClientMessageID: ask.ClientMessageID, Replaces: ask.Replaces,
		Text: ask.Message, Locale: ask.Locale, Page: ask.Page, Claimed: ask.Claimed,
		Node: h.Node, LeaseUntil: now.Add(h.Lease), Now: now,
		NewVisitorID:      scaigrid.NewID(scaigrid.KindVisitor, now),
		NewConversationID: scaigrid.NewID(scaigrid.KindConversation, now),
		NewMessageID:      scaigrid.NewID(scaigrid.KindMessage, now),
		NewReplyID:        scaigrid.NewID(scaigrid.KindMessage, now),
		NewTurnID:         scaigrid.NewID(scaigrid.KindTurn, now),
	}
	// A client that goes away now must not leave it open whether its message counts.
	acc, err := h.Store.Accept(context.WithoutCancel(ctx), a)
	if err != nil {
		return nil, err
	}
	r.turn = acc.Turn
	r.guest.VisitorID = acc.VisitorID
	if !acc.NewTurn {
		r.log, err = h.logOf(ctx, acc.Turn.ID)
		return r, err
	}
	r.fresh = true
	r.log = newLog(acc.Turn, g.Bot.Model, "", nil)
	r.log.mark(turnMark(acc.Turn))
	h.hub.tell(acc.VisitorID, Notice{Turn: &acc.Turn})
	return r, nil
}
