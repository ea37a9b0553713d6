package turn

import (
	"slices"
	"sync"

	"github.com/scailabs/scaigrid"
)

// Notice is something that a visitor's open pages should know at once. It may
// be lost: a page that comes back reads the state anew.
type Notice struct {
	Turn   *scaigrid.Turn // a turn began
	Ended  *scaigrid.Turn // a turn is over
	Closed string         // the conversation with this id was closed
}

// hub tells the open pages of a visitor, on this node, what happens.
type hub struct {
	mu   sync.Mutex
	subs map[string][]chan Notice // by visitor
}

func newHub() *hub { return &hub{subs: map[string][]chan Notice{}} }

func (h *hub) tell(visitorID string, n Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.subs[visitorID] {
		select {
		case c <- n:
		default: // a page that does not listen misses it and catches up when it comes back
		}
	}
}

// Listen returns the notices for a visitor until stop is called.
func (h *House) Listen(visitorID string) (notices <-chan Notice, stop func()) {
	c := make(chan Notice, 8)
	h.hub.mu.Lock()
	h.hub.subs[visitorID] = append(h.hub.subs[visitorID], c)
	h.hub.mu.Unlock()
	return c, func() {
		h.hub.mu.Lock()
		defer h.hub.mu.Unlock()
		left := slices.DeleteFunc(h.hub.subs[visitorID], func(x chan Notice) bool { return x == c })
		if len(left) == 0 {
			delete(h.hub.subs, visitorID)
			return
		}
		h.hub.subs[visitorID] = left
	}
}

// Closed tells a visitor's pages that a conversation was closed.
func (h *House) Closed(visitorID, conversationID string) {
	h.hub.tell(visitorID, Notice{Closed: conversationID})
}
