package turn

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// load brings the conversation so far, as much as the bot's settings take.
func (h *House) load(ctx context.Context, r *run) ([]scaigrid.PromptMessage, error) {
	limit := r.guest.Bot.MaxContextMessages
	if limit == 0 || r.ask.ConversationID == "" && r.partial == "" {
		return nil, nil
	}
	messages, err := h.Store.History(ctx, r.turn.ConversationID, r.turn.MessageID, limit)
	if err != nil {
		return nil, err
	}
	history := make([]scaigrid.PromptMessage, 0, len(messages))
	for i := range messages {
		history = append(history, scaigrid.PromptMessage{Role: messages[i].Role, Content: messages[i].Content})
	}
	return history, nil
}

// retrieve asks the documents. A bot without knowledge finds nothing.
func (h *House) retrieve(ctx context.Context, bot *scaigrid.Bot, question string, history []scaigrid.PromptMessage) (scaigrid.Retrieval, error) {
	if !bot.KnowledgeEnabled {
		return scaigrid.Retrieval{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return h.Library.Retrieve(ctx, bot, question, history)
}
