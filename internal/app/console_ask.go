package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/turn"
)

// Answer is what a bot answered.
type Answer struct {
	Answer       string              `json:"answer"`
	Answered     bool                `json:"answered"` // false: the bot said that it does not know
	Confidence   float64             `json:"confidence"`
	FinishReason string              `json:"finish_reason"`
	Citations    []scaigrid.Citation `json:"citations"`
	Error        *scaigrid.TurnError `json:"error"`
}

// Ask asks a bot one question, drafts too, and tells its text as it comes. It
// walks through the same house as a visitor's question and leaves nothing in
// the database. What ctx ends is stopped.
func (c *Console) Ask(ctx context.Context, bot *scaigrid.Bot, question string, say func(string)) (*Answer, error) {
	if n := len([]rune(question)); n == 0 || n > scaigrid.MaxMessageRunes {
		return nil, scaigrid.Invalid("question", "must have 1 to %d characters", scaigrid.MaxMessageRunes)
	}
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan struct{})
	go func() { defer close(kept); _ = c.turns.Run(work) }()
	defer func() { endWork(); <-kept }()

	now := c.clock()
	pass := scaigrid.Pass{
		TokenID: scaigrid.NewID(scaigrid.KindToken, now), TenantID: bot.TenantID, BotID: bot.ID,
		Subject: scaigrid.NewID(scaigrid.KindVisitor, now), Anonymous: true, Preview: true,
		IssuedAt: now.Unix(), ExpiresAt: now.Add(time.Hour).Unix(),
	}
	log, err := c.turns.Ask(ctx, turn.Guest{Bot: bot, Pass: pass}, scaigrid.Ask{Pass: pass, BotID: bot.ID, Message: question})
	if err != nil {
		return nil, err
	}
	answer, err := readTurn(ctx, log, say)
	if err != nil {
		stopped, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		c.turns.Drain(stopped)
		cancel()
	}
	forget := c.store.DeleteConversation(context.WithoutCancel(ctx), bot.TenantID, log.Turn.ConversationID)
	if err == nil {
		err = forget
	}
	return answer, err
}

// readTurn reads a turn to its end.
func readTurn(ctx context.Context, log *turn.Log, say func(string)) (*Answer, error) {
	a := &Answer{Citations: []scaigrid.Citation{}}
	reader := log.ReadFrom(nil)
	defer reader.Close()
	var items []turn.Item
	for over := false; !over; {
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-reader.Wake():
		}
		items, over = reader.Read(items[:0])
		for _, item := range items {
			if item.Text != nil {
				a.Answer += string(item.Text)
				say(string(item.Text))
				continue
			}
			if err := a.take(item.Mark, say); err != nil {
				return a, err
			}
		}
	}
	return a, nil
}

// take notes a named event.
func (a *Answer) take(m scaigrid.Mark, say func(string)) error {
	switch m.Name {
	case scaigrid.EventCitations, scaigrid.EventError, scaigrid.EventFinish:
		return json.Unmarshal(m.Data, a)
	case scaigrid.EventReplace:
		var withdrawn struct {
			Content string `json:"content"`
		}
		if err := json.Unmarshal(m.Data, &withdrawn); err != nil {
			return err
		}
		a.Answer = withdrawn.Content
		say("\n\n(withdrawn)\n\n" + withdrawn.Content)
	}
	return nil
}
