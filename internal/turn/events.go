package turn

import (
	"encoding/json"

	"github.com/scailabs/scaigrid"
)

// The events of a turn's stream, each made in one place. Their fields are part
// of the wire contract.

func newMark(name string, fields any) scaigrid.Mark {
	data, err := json.Marshal(fields)
	if err != nil {
		panic("event " + name + " cannot be written: " + err.Error()) // only our own plain structs come here
	}
	return scaigrid.Mark{Name: name, Data: data}
}

func turnMark(t scaigrid.Turn) scaigrid.Mark {
	return newMark(scaigrid.EventTurn, struct {
		TurnID         string `json:"turn_id"`
		ConversationID string `json:"conversation_id"`
		MessageID      string `json:"message_id"`
		ReplyID        string `json:"reply_id"`
	}{t.ID, t.ConversationID, t.MessageID, t.ReplyID})
}

func resyncMark(text string) scaigrid.Mark {
	return newMark(scaigrid.EventResync, map[string]string{"content": text})
}

func promptMark(p scaigrid.Prompt) scaigrid.Mark {
	return newMark(scaigrid.EventPrompt, struct {
		System   string                   `json:"system"`
		Messages []scaigrid.PromptMessage `json:"messages"`
		Passages []scaigrid.Passage       `json:"passages"`
	}{p.System, p.Messages, p.Passages})
}

func citationsMark(c []scaigrid.Citation) scaigrid.Mark {
	return newMark(scaigrid.EventCitations, map[string]any{"citations": c})
}

func usageMark(u scaigrid.Usage) scaigrid.Mark { return newMark(scaigrid.EventUsage, u) }

func errorMark(e scaigrid.TurnError) scaigrid.Mark {
	return newMark(scaigrid.EventError, map[string]any{"error": e})
}

func finishMark(o scaigrid.Outcome) scaigrid.Mark {
	return newMark(scaigrid.EventFinish, struct {
		FinishReason string  `json:"finish_reason"`
		Answered     bool    `json:"answered"`
		Confidence   float64 `json:"confidence"`
	}{o.FinishReason, o.Answered, o.Confidence})
}
