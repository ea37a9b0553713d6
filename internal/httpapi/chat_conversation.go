package httpapi

import (
	"time"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/turn"
)

// visitorMessage is a message as its visitor sees it: nothing of passages,
// usage or cost.
type visitorMessage struct {
	ID             string                 `json:"id"`
	ConversationID string                 `json:"conversation_id"`
	TurnID         string                 `json:"turn_id"`
	Role           scaigrid.MessageRole   `json:"role"`
	Content        string                 `json:"content"`
	Status         scaigrid.MessageStatus `json:"status"`
	Citations      []scaigrid.Citation    `json:"citations"`
	Rating         *string                `json:"rating"`
	Error          *scaigrid.TurnError    `json:"error"`
	CreatedAt      time.Time              `json:"created_at"`
}

func viewForVisitor(m scaigrid.Message) visitorMessage {
	return visitorMessage{
		ID: m.ID, ConversationID: m.ConversationID, TurnID: m.TurnID, Role: m.Role, Content: m.Content,
		Status: m.Status, Citations: orEmpty(m.Citations), Rating: orNull(m.Rating), Error: m.Error, CreatedAt: m.CreatedAt,
	}
}

// visitorConversation is a conversation as its visitor sees it.
type visitorConversation struct {
	ID           string                      `json:"id"`
	BotID        string                      `json:"bot_id"`
	Status       scaigrid.ConversationStatus `json:"status"`
	Locale       *string                     `json:"locale"`
	Rating       *string                     `json:"rating"`
	MessageCount int                         `json:"message_count"`
	CreatedAt    time.Time                   `json:"created_at"`
	UpdatedAt    time.Time                   `json:"updated_at"`
}

func conversationForVisitor(c scaigrid.Conversation) visitorConversation {
	return visitorConversation{
		ID: c.ID, BotID: c.BotID, Status: c.Status, Locale: orNull(c.Locale), Rating: orNull(c.Rating),
		MessageCount: c.MessageCount, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

// openConversation is where a visitor stands: his conversation, what was said,
// and the turn that is being answered.
type openConversation struct {
	Conversation *visitorConversation `json:"conversation"`
	Messages     []visitorMessage     `json:"messages"`
	TurnID       *string              `json:"turn_id"`
}

func (d *chatDoor) current(c *call) (openConversation, error) {
	guest, err := d.guest(c)
	if err != nil {
		return openConversation{}, err
	}
	conv, err := d.currentOf(c, guest)
	if err != nil {
		return openConversation{}, err
	}
	return d.openOf(c, conv)
}

// currentOf returns nil where the guest has no conversation to come back to.
func (d *chatDoor) currentOf(c *call, guest turn.Guest) (*scaigrid.Conversation, error) {
	if !guest.Known() {
		return nil, nil //nolint:nilnil // no conversation is an answer here, not a failure
	}
	conv, err := d.store.CurrentConversation(c.ctx(), guest.Bot.ID, guest.VisitorID, d.clock().Add(-currentWindow))
	if scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
		return nil, nil //nolint:nilnil // as above
	}
	return conv, err
}

func (d *chatDoor) openOf(c *call, conv *scaigrid.Conversation) (openConversation, error) {
	out := openConversation{Messages: []visitorMessage{}}
	if conv == nil {
		return out, nil
	}
	view := conversationForVisitor(*conv)
	out.Conversation = &view
	messages, err := d.store.Messages(c.ctx(), conv.ID)
	if err != nil {
		return out, err
	}
	for i := range messages {
		if messages[i].Status != scaigrid.MessageWithdrawn {
			out.Messages = append(out.Messages, viewForVisitor(messages[i]))
		}
	}
	running, err := d.store.RunningTurn(c.ctx(), conv.ID)
	out.TurnID = orNull(running)
	return out, err
}

// begin starts a fresh conversation. A visitor who never wrote has nothing to
// start anew: his first message begins one, and no row is written before it.
func (d *chatDoor) begin(c *call) (openConversation, error) {
	guest, err := d.guest(c)
	if err != nil || !guest.Known() {
		return openConversation{Messages: []visitorMessage{}}, err
	}
	now := d.clock()
	conv, err := d.store.NewConversation(c.ctx(), c.pass, guest.VisitorID, scaigrid.NewID(scaigrid.KindConversation, now), now)
	if err != nil {
		return openConversation{}, err
	}
	return d.openOf(c, conv)
}

// forget is the visitor's own "delete my conversation".
func (d *chatDoor) forget(c *call) (deleted, error) {
	guest, conv, err := d.mine(c)
	if err != nil {
		return deleted{}, err
	}
	running, err := d.store.RunningTurn(c.ctx(), conv.ID)
	if err != nil {
		return deleted{}, err
	}
	if running != "" {
		if err := d.house.Stop(c.ctx(), guest, running); err != nil {
			return deleted{}, err
		}
	}
	if err := d.store.DeleteConversation(c.ctx(), c.pass.TenantID, conv.ID); err != nil {
		return deleted{}, err
	}
	d.house.Closed(guest.VisitorID, conv.ID)
	return deleted{ID: conv.ID, Deleted: true}, nil
}

// closedConversation is what closing answers.
type closedConversation struct {
	ID     string                      `json:"id"`
	Status scaigrid.ConversationStatus `json:"status"`
}

func (d *chatDoor) closeConversation(c *call) (closedConversation, error) {
	guest, conv, err := d.mine(c)
	if err != nil {
		return closedConversation{}, err
	}
	if err := d.store.CloseConversation(c.ctx(), c.pass.TenantID, conv.ID, d.clock()); err != nil {
		return closedConversation{}, err
	}
	d.house.Closed(guest.VisitorID, conv.ID)
	return closedConversation{ID: conv.ID, Status: scaigrid.ConversationClosed}, nil
}

// mine returns the guest's current conversation; NOT_FOUND where there is none.
func (d *chatDoor) mine(c *call) (turn.Guest, *scaigrid.Conversation, error) {
	guest, err := d.guest(c)
	if err != nil {
		return guest, nil, err
	}
	conv, err := d.currentOf(c, guest)
	if err == nil && conv == nil {
		err = scaigrid.NotFound()
	}
	return guest, conv, err
}

// noQuery is a list without filters.
type noQuery struct{}

func (d *chatDoor) list(c *call, _ *noQuery, page scaigrid.PageRequest) ([]visitorConversation, scaigrid.PageResult, error) {
	guest, err := d.guest(c)
	if err != nil || !guest.Known() {
		return nil, scaigrid.PageResult{}, err
	}
	rows, next, err := d.store.VisitorConversations(c.ctx(), guest.Bot.ID, guest.VisitorID, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]visitorConversation, 0, len(rows))
	for i := range rows {
		out = append(out, conversationForVisitor(rows[i]))
	}
	return out, next, nil
}

func (d *chatDoor) one(c *call) (openConversation, error) {
	guest, err := d.guest(c)
	if err != nil {
		return openConversation{}, err
	}
	id, err := c.pathID(scaigrid.KindConversation)
	if err != nil || !guest.Known() {
		return openConversation{}, scaigrid.NotFound()
	}
	conv, err := d.store.VisitorConversation(c.ctx(), guest.Bot.ID, guest.VisitorID, id)
	if err != nil {
		return openConversation{}, err
	}
	return d.openOf(c, conv)
}

// feedbackBody is a visitor's word on a reply.
type feedbackBody struct {
	ReplyID string  `json:"reply_id" doc:"The reply that is rated."`
	Rating  *string `json:"rating" enum:"up,down" doc:"null takes a rating back."`
	Comment *string `json:"comment" maxLength:"2000"`
}

// rated is what rating answers.
type rated struct {
	ReplyID string  `json:"reply_id"`
	Rating  *string `json:"rating"`
}

func (d *chatDoor) feedback(c *call, body *feedbackBody) (rated, error) {
	rating, comment := deref(body.Rating), cleanText(deref(body.Comment))
	if rating != "" && rating != "up" && rating != "down" {
		return rated{}, scaigrid.Invalid("rating", "must be up, down or null")
	}
	if utf8.RuneCountInString(comment) > 2000 {
		return rated{}, scaigrid.Invalid("comment", "must be at most 2000 characters")
	}
	guest, err := d.guest(c)
	if err != nil {
		return rated{}, err
	}
	if !guest.Known() || !scaigrid.IsID(scaigrid.KindMessage, body.ReplyID) {
		return rated{}, scaigrid.NotFound()
	}
	err = d.store.RateReply(c.ctx(), guest.Bot.ID, guest.VisitorID, body.ReplyID, rating, comment, d.clock())
	return rated{ReplyID: body.ReplyID, Rating: orNull(rating)}, err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
