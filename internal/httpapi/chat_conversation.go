package httpapi

import (
	"net/http"
	"time"

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

func (d *chatDoor) current(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	c, err := d.currentOf(r, guest)
	if err != nil {
		return err
	}
	return d.writeOpen(w, r, c)
}

// currentOf returns nil where the guest has no conversation to come back to.
func (d *chatDoor) currentOf(r *http.Request, guest turn.Guest) (*scaigrid.Conversation, error) {
	if !guest.Known() {
		return nil, nil //nolint:nilnil // no conversation is an answer here, not a failure
	}
	c, err := d.store.CurrentConversation(r.Context(), guest.Bot.ID, guest.VisitorID, d.clock().Add(-currentWindow))
	if scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
		return nil, nil //nolint:nilnil // as above
	}
	return c, err
}

func (d *chatDoor) writeOpen(w http.ResponseWriter, r *http.Request, c *scaigrid.Conversation) error {
	out := openConversation{Messages: []visitorMessage{}}
	if c == nil {
		return writeData(w, r, http.StatusOK, out)
	}
	view := conversationForVisitor(*c)
	out.Conversation = &view
	messages, err := d.store.Messages(r.Context(), c.ID)
	if err != nil {
		return err
	}
	for i := range messages {
		if messages[i].Status != scaigrid.MessageWithdrawn {
			out.Messages = append(out.Messages, viewForVisitor(messages[i]))
		}
	}
	running, err := d.store.RunningTurn(r.Context(), c.ID)
	if err != nil {
		return err
	}
	out.TurnID = orNull(running)
	return writeData(w, r, http.StatusOK, out)
}

// begin starts a fresh conversation. A visitor who never wrote has nothing to
// start anew: his first message begins one, and no row is written before it.
func (d *chatDoor) begin(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	if !guest.Known() {
		return d.writeOpen(w, r, nil)
	}
	now := d.clock()
	c, err := d.store.NewConversation(r.Context(), pass, guest.VisitorID, scaigrid.NewID(scaigrid.KindConversation, now), now)
	if scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
		return d.writeOpen(w, r, nil)
	}
	if err != nil {
		return err
	}
	return d.writeOpen(w, r, c)
}

// forget is the visitor's own "delete my conversation".
func (d *chatDoor) forget(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, c, err := d.mine(r, pass)
	if err != nil {
		return err
	}
	if id, err := d.store.RunningTurn(r.Context(), c.ID); err == nil && id != "" {
		if err := d.house.Stop(r.Context(), guest, id); err != nil {
			return err
		}
	}
	if err := d.store.DeleteConversation(r.Context(), pass.TenantID, c.ID); err != nil {
		return err
	}
	d.house.Closed(guest.VisitorID, c.ID)
	return writeData(w, r, http.StatusOK, map[string]any{"id": c.ID, "deleted": true})
}

func (d *chatDoor) closeConversation(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, c, err := d.mine(r, pass)
	if err != nil {
		return err
	}
	if err := d.store.CloseConversation(r.Context(), pass.TenantID, c.ID, d.clock()); err != nil {
		return err
	}
	d.house.Closed(guest.VisitorID, c.ID)
	return writeData(w, r, http.StatusOK, map[string]any{"id": c.ID, "status": scaigrid.ConversationClosed})
}

// mine returns the guest's current conversation; NOT_FOUND where there is none.
func (d *chatDoor) mine(r *http.Request, pass scaigrid.Pass) (turn.Guest, *scaigrid.Conversation, error) {
	guest, err := d.guest(r, pass)
	if err != nil {
		return guest, nil, err
	}
	c, err := d.currentOf(r, guest)
	if err == nil && c == nil {
		err = scaigrid.NotFound()
	}
	return guest, c, err
}

func (d *chatDoor) list(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	page, err := pageRequest(r)
	if err != nil {
		return err
	}
	out := []visitorConversation{}
	if !guest.Known() {
		return writePage(w, r, out, scaigrid.PageResult{})
	}
	rows, next, err := d.store.VisitorConversations(r.Context(), guest.Bot.ID, guest.VisitorID, page)
	if err != nil {
		return err
	}
	for i := range rows {
		out = append(out, conversationForVisitor(rows[i]))
	}
	return writePage(w, r, out, next)
}

func (d *chatDoor) one(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	if !guest.Known() {
		return scaigrid.NotFound()
	}
	c, err := d.store.VisitorConversation(r.Context(), guest.Bot.ID, guest.VisitorID, r.PathValue("conversation_id"))
	if err != nil {
		return err
	}
	return d.writeOpen(w, r, c)
}

// feedbackBody is a visitor's word on a reply.
type feedbackBody struct {
	ReplyID string  `json:"reply_id" doc:"The reply that is rated."`
	Rating  *string `json:"rating" enum:"up,down" doc:"null takes a rating back."`
	Comment *string `json:"comment" maxLength:"2000"`
}

func (d *chatDoor) feedback(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	var body feedbackBody
	if err := decodeLoose(r, &body); err != nil {
		return err
	}
	rating, comment := deref(body.Rating), cleanText(deref(body.Comment))
	if rating != "" && rating != "up" && rating != "down" {
		return scaigrid.Invalid("rating", "must be up, down or null")
	}
	if len(comment) > 8000 {
		return scaigrid.Invalid("comment", "must be at most 2000 characters")
	}
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	if !guest.Known() {
		return scaigrid.NotFound()
	}
	if err := d.store.RateReply(r.Context(), guest.Bot.ID, guest.VisitorID, body.ReplyID, rating, comment, d.clock()); err != nil {
		return err
	}
	return writeData(w, r, http.StatusOK, map[string]any{"reply_id": body.ReplyID, "rating": orNull(rating)})
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
