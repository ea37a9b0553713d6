package scaigrid

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The names of the events of a turn's stream. Answer text has no name.
const (
	EventTurn       = "turn"
	EventState      = "state"
	EventCitations  = "citations"
	EventEscalation = "escalation"
	EventReplace    = "replace"
	EventResync     = "resync"
	EventPrompt     = "prompt"
	EventUsage      = "usage"
	EventError      = "error"
	EventFinish     = "finish"
)

// Mark is a named event of a turn's stream, at the place in the answer where it happened.
type Mark struct {
	At   int             `json:"at"` // UTF-8 bytes of answer text before it
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"` // its own fields, without the chunk envelope
}

// Cursor is a place in a turn's stream: the id of an event.
type Cursor struct {
	Epoch int
	Bytes int // UTF-8 bytes of answer text up to the end of the event
	Marks int // named events so far
}

// String gives the form used in "id:", "<epoch>-<bytes>-<n>".
func (c Cursor) String() string { return fmt.Sprintf("%d-%d-%d", c.Epoch, c.Bytes, c.Marks) }

// ParseCursor reads the form that String writes; ok is false for anything else.
func ParseCursor(s string) (c Cursor, ok bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return Cursor{}, false
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 31)
		if err != nil || (len(p) > 1 && p[0] == '0') {
			return Cursor{}, false
		}
		n[i] = int(v)
	}
	return Cursor{Epoch: n[0], Bytes: n[1], Marks: n[2]}, true
}
