package httpapi

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

// Library finds what a bot's documents hold.
type Library interface {
	// Search returns at most topK passages, best first, each with its scores and
	// whether an answer would use it.
	Search(ctx context.Context, bot *scaigrid.Bot, question string, history []scaigrid.PromptMessage, topK int) (scaigrid.Retrieval, error)
}

const (
	maxTopK    = 50
	maxHistory = 50
)

// searchBody is a question to a bot's documents.
type searchBody struct {
	Query   string       `json:"query" required:"true" minLength:"1" maxLength:"8000"`
	TopK    *int         `json:"top_k" minimum:"1" maximum:"50" doc:"Default: the bot's knowledge_settings.top_k"`
	History []spokenBody `json:"history" maxItems:"50" doc:"What was said before, oldest first"`
}

type spokenBody struct {
	Role    string `json:"role" required:"true" enum:"user,assistant"`
	Content string `json:"content" required:"true" maxLength:"8000"`
}

// searchView is what the documents hold for a question.
type searchView struct {
	Passages   []scaigrid.Passage `json:"passages" doc:"Best first"`
	Confidence float64            `json:"confidence" doc:"0–1: how likely the passages answer the question"`
}

func (s *Server) search(c *call, in *searchBody) (searchView, error) {
	bot, err := s.pathBotRow(c)
	if err != nil {
		return searchView{}, err
	}
	history, err := in.check()
	if err != nil {
		return searchView{}, err
	}
	topK := bot.KnowledgeSettings.TopK
	set(&topK, in.TopK)
	r, err := s.library.Search(c.ctx(), bot, in.Query, history, topK)
	if err != nil {
		return searchView{}, err
	}
	return searchView{Passages: orEmpty(r.Passages), Confidence: r.Confidence}, nil
}

func (in *searchBody) check() ([]scaigrid.PromptMessage, error) {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	if strings.TrimSpace(in.Query) == "" {
		add("query", "is required")
	}
	if utf8.RuneCountInString(in.Query) > scaigrid.MaxMessageRunes {
		add("query", "must be at most 8000 characters")
	}
	if in.TopK != nil && (*in.TopK < 1 || *in.TopK > maxTopK) {
		add("top_k", "must be between 1 and 50")
	}
	if len(in.History) > maxHistory {
		add("history", "must have at most 50 entries")
	}
	out := make([]scaigrid.PromptMessage, 0, len(in.History))
	for i, m := range in.History {
		role := scaigrid.MessageRole(m.Role)
		if role != scaigrid.RoleVisitor && role != scaigrid.RoleAssistant {
			add(fmt.Sprintf("history[%d].role", i), "must be user or assistant")
		}
		if utf8.RuneCountInString(m.Content) > scaigrid.MaxMessageRunes {
			add(fmt.Sprintf("history[%d].content", i), "must be at most 8000 characters")
		}
		out = append(out, scaigrid.PromptMessage{Role: role, Content: m.Content})
	}
	return out, scaigrid.InvalidFields(bad)
}

// pathBotRow returns the bot in the path.
func (s *Server) pathBotRow(c *call) (*scaigrid.Bot, error) {
	id, err := c.pathBot()
	if err != nil {
		return nil, err
	}
	return s.store.Bot(c.ctx(), c.caller.TenantID, id)
}

// searchRows are the rows about asking a bot's documents.
func (s *Server) searchRows() []route {
	return []route{
		staffRow("Knowledge")("POST", botPath+"/{bot}/search", "search", "What a bot's documents hold for a question", scaigrid.PermBotsRead, write(s.search)).
			bounded(1 << 20),
	}
}
