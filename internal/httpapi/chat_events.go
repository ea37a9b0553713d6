package httpapi

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/turn"
)

// stateEvent says who answers in the visitor's conversation.
type stateEvent struct {
	Status         scaigrid.ConversationStatus `json:"status"`
	ConversationID string                      `json:"conversation_id"`
}

// events is the long-lived stream that keeps the open pages of a visitor in
// step: one connection for all tabs of a browser. A page that comes back is
// told the present state, so nothing that it missed matters.
func (d *chatDoor) events(c *call) error {
	guest, err := d.guest(c)
	if err != nil {
		return err
	}
	var notices <-chan turn.Notice
	if guest.Known() {
		heard, stop := d.house.Listen(guest.VisitorID)
		defer stop()
		notices = heard
	}
	now, err := d.present(c, guest)
	if err != nil {
		return err
	}
	revoked, release := d.watch(c.pass)
	defer release()
	out := openEventStream(c.w, writeDeadline)
	if out.send(append(now, heartbeat...)) != nil {
		return nil
	}
	beat := time.NewTicker(heartbeatEvery)
	defer beat.Stop()
	for {
		var b []byte
		select {
		case <-c.ctx().Done():
			return nil
		case <-revoked:
			_ = out.send(revokedEvent())
			return nil
		case <-beat.C:
			b = heartbeat
		case n := <-notices:
			b = d.notice(n)
		}
		if out.send(b) != nil {
			return nil
		}
	}
}

// present writes the state as it is now: the conversation, and the turn that runs.
func (d *chatDoor) present(c *call, guest turn.Guest) ([]byte, error) {
	conv, err := d.currentOf(c, guest)
	if err != nil || conv == nil {
		return nil, err
	}
	b := d.event(scaigrid.EventState, stateEvent{Status: conv.Status, ConversationID: conv.ID})
	running, err := d.store.RunningTurn(c.ctx(), conv.ID)
	if err != nil || running == "" {
		return b, err
	}
	return append(b, d.event(scaigrid.EventTurn, turnEvent{TurnID: running, ConversationID: conv.ID})...), nil
}

type turnEvent struct {
	TurnID         string `json:"turn_id"`
	ConversationID string `json:"conversation_id"`
}

func (d *chatDoor) notice(n turn.Notice) []byte {
	switch {
	case n.Turn != nil:
		return d.event(scaigrid.EventTurn, turnEvent{TurnID: n.Turn.ID, ConversationID: n.Turn.ConversationID})
	case n.Closed != "":
		return d.event(scaigrid.EventState, stateEvent{Status: scaigrid.ConversationClosed, ConversationID: n.Closed})
	}
	return heartbeat
}

// event numbers events by the clock: a page that comes back with an older id
// is told the present state, whatever the id.
func (d *chatDoor) event(name string, fields any) []byte {
	data, err := json.Marshal(fields)
	if err != nil {
		return heartbeat
	}
	b := append([]byte("event: "), name...)
	b = append(b, "\nid: "...)
	b = strconv.AppendInt(b, d.clock().UnixMilli(), 10)
	b = append(b, '\n')
	return appendMarkData(b, data)
}
