package httpapi

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
)

const conversationPath = "/v1/modules/scaibot/conversations"

// conversationView is a conversation as staff sees it. Visitor comes from the
// token alone, claimed from the page alone.
type conversationView struct {
	ID               string                      `json:"id"`
	BotID            string                      `json:"bot_id"`
	Status           scaigrid.ConversationStatus `json:"status" enum:"open,waiting,human,closed"`
	Visitor          scaigrid.VisitorView        `json:"visitor" doc:"As the token vouched for him"`
	Claimed          *claimedView                `json:"claimed" doc:"What the page said of its visitor: anyone can write it"`
	Metadata         jsontext.Value              `json:"metadata" doc:"As the token was minted with"`
	Page             *scaigrid.Page              `json:"page" doc:"Where the visitor was when he last wrote"`
	Locale           *string                     `json:"locale"`
	Preview          bool                        `json:"preview" doc:"Of a preview token: left out of analytics"`
	Escalated        bool                        `json:"escalated"`
	Rating           *string                     `json:"rating" enum:"up,down" doc:"The newest that was given"`
	MessageCount     int                         `json:"message_count"`
	PromptTokens     int64                       `json:"prompt_tokens"`
	CompletionTokens int64                       `json:"completion_tokens"`
	Cost             float64                     `json:"cost"`
	CreatedAt        time.Time                   `json:"created_at"`
	UpdatedAt        time.Time                   `json:"updated_at"`
}

// claimedView is what a page said of its visitor.
type claimedView struct {
	ID    *string `json:"id"`
	Email *string `json:"email"`
	Name  *string `json:"name"`
}

func viewConversation(c *scaigrid.Conversation) conversationView {
	v := conversationView{
		ID: c.ID, BotID: c.BotID, Status: c.Status, Visitor: c.Visitor, Metadata: orNullJSON(c.Metadata), Page: c.Page,
		Locale: orNull(c.Locale), Preview: c.Preview, Escalated: c.Escalated, Rating: orNull(c.Rating),
		MessageCount: c.MessageCount, PromptTokens: c.PromptTokens, CompletionTokens: c.CompletionTokens, Cost: c.Cost,
		CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
	if c.Claimed != nil {
		v.Claimed = &claimedView{ID: orNull(c.Claimed.ID), Email: orNull(c.Claimed.Email), Name: orNull(c.Claimed.Name)}
	}
	return v
}

// messageView is a message as staff sees it.
type messageView struct {
	ID             string                 `json:"id"`
	ConversationID string                 `json:"conversation_id"`
	TurnID         *string                `json:"turn_id"`
	Role           scaigrid.MessageRole   `json:"role" enum:"user,assistant,agent,system"`
	Content        string                 `json:"content"`
	Status         scaigrid.MessageStatus `json:"status" enum:"complete,streaming,stopped,interrupted,failed,withdrawn"`
	Citations      []scaigrid.Citation    `json:"citations"`
	Passages       []scaigrid.Passage     `json:"passages" doc:"What the documents held for the question"`
	Rating         *string                `json:"rating" enum:"up,down"`
	Comment        *string                `json:"comment"`
	Usage          *scaigrid.Usage        `json:"usage" doc:"Null where the provider did not say"`
	FirstTokenMS   *int64                 `json:"first_token_ms"`
	LatencyMS      *int64                 `json:"latency_ms"`
	Answered       *bool                  `json:"answered" doc:"False: the bot said that it does not know"`
	Confidence     *float64               `json:"confidence"`
	Error          *scaigrid.TurnError    `json:"error"`
	CreatedAt      time.Time              `json:"created_at"`
}

func viewMessage(m *scaigrid.Message) messageView {
	return messageView{
		ID: m.ID, ConversationID: m.ConversationID, TurnID: orNull(m.TurnID), Role: m.Role, Content: m.Content, Status: m.Status,
		Citations: orEmpty(m.Citations), Passages: orEmpty(m.Passages), Rating: orNull(m.Rating), Comment: orNull(m.Comment),
		Usage: m.Usage, FirstTokenMS: m.FirstTokenMS, LatencyMS: m.LatencyMS, Answered: m.Answered, Confidence: m.Confidence,
		Error: m.Error, CreatedAt: m.CreatedAt,
	}
}

// wholeConversation is a conversation with all that was said, oldest first.
type wholeConversation struct {
	conversationView
	Messages []messageView `json:"messages" doc:"Oldest first; questions that were edited are withdrawn"`
}

// conversationQuery narrows the list of conversations.
type conversationQuery struct {
	BotID     string    `query:"bot_id" doc:"Only of this bot"`
	VisitorID string    `query:"visitor_id" doc:"Only of this visitor: the site's own id, or vis_…"`
	Status    string    `query:"status" enum:"open,waiting,human,closed" doc:"Only in this state"`
	Escalated *bool     `query:"escalated" doc:"Only those that were handed to people, or only the others"`
	Rating    string    `query:"rating" enum:"up,down" doc:"Only with this rating"`
	Since     time.Time `query:"since" doc:"Begun at or after this time"`
	Until     time.Time `query:"until" doc:"Begun before this time"`
	Q         string    `query:"q" doc:"Only those in which this was said"`
	Preview   *bool     `query:"preview" doc:"true: those of preview tokens too"`
}

// filter checks a query and narrows it to what the credential covers. ok is
// false where nothing can match.
func (q *conversationQuery) filter(c scaigrid.Caller) (f scaigrid.ConversationFilter, ok bool, err error) {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: "query." + field, Message: msg}) }
	states := []string{"", string(scaigrid.ConversationOpen), string(scaigrid.ConversationWaiting), string(scaigrid.ConversationHuman), string(scaigrid.ConversationClosed)}
	if !slices.Contains(states, q.Status) {
		add("status", "must be open, waiting, human or closed")
	}
	if q.Rating != "" && q.Rating != "up" && q.Rating != "down" {
		add("rating", "must be up or down")
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		add("until", "must be later than since")
	}
	f = scaigrid.ConversationFilter{
		BotIDs: c.BotIDs, VisitorID: q.VisitorID, Status: scaigrid.ConversationStatus(q.Status), Escalated: q.Escalated,
		Rating: q.Rating, Query: q.Q, Since: q.Since, Until: q.Until, Preview: q.Preview != nil && *q.Preview,
	}
	if q.BotID != "" {
		f.BotIDs = []string{q.BotID}
	}
	reached := q.BotID == "" || scaigrid.IsID(scaigrid.KindBot, q.BotID) && c.Reaches(q.BotID)
	return f, reached, scaigrid.InvalidFields(bad)
}

func (s *Server) listConversations(c *call, q *conversationQuery, page scaigrid.PageRequest) ([]conversationView, scaigrid.PageResult, error) {
	f, ok, err := q.filter(c.caller)
	if err != nil || !ok {
		return nil, scaigrid.PageResult{}, err
	}
	convs, next, err := s.store.Conversations(c.ctx(), c.caller.TenantID, f, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]conversationView, len(convs))
	for i := range convs {
		out[i] = viewConversation(&convs[i])
	}
	return out, next, nil
}

// pathConversation returns the conversation in the path, if the credential
// covers its bot.
func (s *Server) pathConversation(c *call) (*scaigrid.Conversation, error) {
	id, err := c.pathID(scaigrid.KindConversation)
	if err != nil {
		return nil, err
	}
	conv, err := s.store.Conversation(c.ctx(), c.caller.TenantID, id)
	if err != nil {
		return nil, err
	}
	if !c.caller.Reaches(conv.BotID) {
		return nil, scaigrid.NotFound()
	}
	return conv, nil
}

func (s *Server) readConversation(c *call) (wholeConversation, error) {
	conv, err := s.pathConversation(c)
	if err != nil {
		return wholeConversation{}, err
	}
	return s.whole(c, conv)
}

func (s *Server) whole(c *call, conv *scaigrid.Conversation) (wholeConversation, error) {
	messages, err := s.store.Messages(c.ctx(), conv.ID)
	if err != nil {
		return wholeConversation{}, err
	}
	out := wholeConversation{conversationView: viewConversation(conv), Messages: make([]messageView, len(messages))}
	for i := range messages {
		out.Messages[i] = viewMessage(&messages[i])
	}
	return out, nil
}

// closeBody ends a conversation.
type closeBody struct {
	Status string `json:"status" required:"true" enum:"closed"`
}

func (s *Server) patchConversation(c *call, in *closeBody) (conversationView, error) {
	conv, err := s.pathConversation(c)
	if err != nil {
		return conversationView{}, err
	}
	if in.Status != string(scaigrid.ConversationClosed) {
		return conversationView{}, scaigrid.Invalid("status", "must be closed: a conversation is opened again by its visitor's next message alone")
	}
	if err := s.store.CloseConversation(c.ctx(), conv.TenantID, conv.ID, c.began); err != nil {
		return conversationView{}, err
	}
	s.chat.house.Closed(conv.Visitor.Ref, conv.ID)
	conv.Status, conv.UpdatedAt = scaigrid.ConversationClosed, c.began
	return viewConversation(conv), nil
}

func (s *Server) deleteConversation(c *call) (deleted, error) {
	conv, err := s.pathConversation(c)
	if err != nil {
		return deleted{}, err
	}
	running, err := s.store.RunningTurn(c.ctx(), conv.ID)
	if err != nil {
		return deleted{}, err
	}
	if running != "" {
		if err := s.store.RequestStop(c.ctx(), running); err != nil {
			return deleted{}, err
		}
	}
	if err := s.store.DeleteConversation(c.ctx(), conv.TenantID, conv.ID); err != nil {
		return deleted{}, err
	}
	s.chat.house.Closed(conv.Visitor.Ref, conv.ID)
	return deleted{ID: conv.ID, Deleted: true}, nil
}

// conversationRows are the rows about conversations for staff.
func (s *Server) conversationRows() []route {
	row := staffRow("Conversations")
	const see, manage = scaigrid.PermConversationsRead, scaigrid.PermConversationsManage
	return []route{
		row("GET", conversationPath, "listConversations", "List conversations, newest first", see, list(s.listConversations)),
		s.exportRow(),
		row("GET", conversationPath+"/{conv}", "readConversation", "Read a conversation with all that was said", see, read(s.readConversation)),
		row("PATCH", conversationPath+"/{conv}", "closeConversation", "Close a conversation", manage, write(s.patchConversation)),
		row("DELETE", conversationPath+"/{conv}", "deleteConversation", "Delete a conversation with all that was said", manage, read(s.deleteConversation)),
	}
}
