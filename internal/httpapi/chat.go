package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/turn"
)

// ConversationStore is what the chat doors read and write beside turns.
type ConversationStore interface {
	// CurrentConversation returns the visitor's newest conversation with the bot
	// that is not closed and was active after since; NOT_FOUND where there is none.
	CurrentConversation(ctx context.Context, botID, visitorID string, since time.Time) (*scaigrid.Conversation, error)
	VisitorConversations(ctx context.Context, botID, visitorID string, page scaigrid.PageRequest) ([]scaigrid.Conversation, scaigrid.PageResult, error)
	// VisitorConversation returns one conversation of the visitor; NOT_FOUND else.
	VisitorConversation(ctx context.Context, botID, visitorID, id string) (*scaigrid.Conversation, error)
	Messages(ctx context.Context, conversationID string) ([]scaigrid.Message, error)
	// RunningTurn returns the id of the turn that runs in the conversation, or "".
	RunningTurn(ctx context.Context, conversationID string) (string, error)
	NewConversation(ctx context.Context, pass scaigrid.Pass, visitorID, id string, now time.Time) (*scaigrid.Conversation, error)
	CloseConversation(ctx context.Context, tenantID, id string, now time.Time) error
	DeleteConversation(ctx context.Context, tenantID, id string) error
	// RateReply sets the rating and comment of a reply that the visitor got; NOT_FOUND else.
	RateReply(ctx context.Context, botID, visitorID, replyID, rating, comment string, now time.Time) error
	Turn(ctx context.Context, turnID string) (*scaigrid.Turn, *scaigrid.Message, error)
}

// currentWindow is how long a conversation stays the one that a visitor comes back to.
const currentWindow = 30 * 24 * time.Hour

// chatDoor serves /v1/modules/scaibot/chat…: all that an embed token opens.
// Its handlers get the pass of a token that was checked and not revoked.
type chatDoor struct {
	house  *turn.House
	store  ConversationStore
	watch  func(pass scaigrid.Pass) (revoked <-chan struct{}, release func())
	client func(r *http.Request) string // the client's address
	clock  func() time.Time
}

// guest finds out who is asking, for calls about what exists already.
func (d *chatDoor) guest(r *http.Request, pass scaigrid.Pass) (turn.Guest, error) {
	return d.house.Verify(r.Context(), pass, "", r.Header.Get("Origin"), r.Header.Get("X-ScaiBot-Visitor"))
}

// chatBody is what POST /chat takes. Fields it does not know are ignored, so
// that the widget of the next release works with this server.
type chatBody struct {
	BotID           *string           `json:"bot_id" doc:"The bot; the token's own where left out."`
	ConversationID  *string           `json:"conversation_id" doc:"The conversation to go on with; null begins a new one."`
	Message         string            `json:"message" minLength:"1" maxLength:"8000" doc:"What the visitor says, 1 to 8000 characters."`
	ClientMessageID *string           `json:"client_message_id" doc:"A UUID of the caller's making. A retry with the same id joins the same turn."`
	MessageID       *string           `json:"message_id" doc:"Means the same as client_message_id."`
	Replaces        *string           `json:"replaces" doc:"Id of the last question, which this one replaces."`
	Locale          *string           `json:"locale" doc:"Language tag of the page."`
	Page            *scaigrid.Page    `json:"page" doc:"Where the visitor is."`
	Visitor         *scaigrid.Claimed `json:"visitor" doc:"What the page says of its visitor. Advisory: never taken as proof."`
	Stream          *bool             `json:"stream" doc:"false: one JSON answer instead of a stream."`
}

func (d *chatDoor) say(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	var body chatBody
	if err := decodeLoose(r, &body); err != nil {
		return err
	}
	ask, err := body.ask(r)
	if err != nil {
		return err
	}
	ask.Pass, ask.Origin, ask.Address = pass, r.Header.Get("Origin"), d.client(r)
	ask.VisitorKey = r.Header.Get("X-ScaiBot-Visitor")
	ask.WantPrompt = r.URL.Query().Get("include_system_prompt") == "true"
	guest, err := d.house.Verify(r.Context(), pass, ask.BotID, ask.Origin, ask.VisitorKey)
	if err != nil {
		return err
	}
	log, err := d.house.Ask(r.Context(), guest, ask)
	if err != nil {
		return err
	}
	if body.Stream != nil && !*body.Stream {
		return d.whole(w, r, log)
	}
	d.stream(w, r, pass, log, nil)
	return nil
}

// ask checks the form of what came and makes it a question for the house.
func (b *chatBody) ask(r *http.Request) (scaigrid.Ask, error) {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	a := scaigrid.Ask{
		BotID: deref(b.BotID), ConversationID: deref(b.ConversationID), Replaces: deref(b.Replaces),
		Locale: deref(b.Locale), Page: b.Page, Claimed: b.Visitor, Message: cleanText(b.Message),
	}
	switch n := utf8.RuneCountInString(b.Message); {
	case !visible(a.Message):
		add("message", "must not be empty")
	case n > scaigrid.MaxMessageRunes:
		add("message", "must be at most 8000 characters")
	}
	for _, id := range []*string{b.ClientMessageID, b.MessageID, headerValue(r, "Idempotency-Key")} {
		if id == nil {
			continue
		}
		if !printable(*id, 1, 255) {
			add("client_message_id", "must be 1 to 255 printable ASCII characters, a UUID by preference")
		}
		if a.ClientMessageID != "" && a.ClientMessageID != *id {
			add("client_message_id", "differs from message_id or the Idempotency-Key header, which mean the same")
		}
		a.ClientMessageID = *id
	}
	if len(a.Locale) > 35 || !printable(a.Locale, 0, 35) {
		add("locale", "must be a language tag such as en or pt-BR")
	}
	if p := a.Page; p != nil {
		p.URL, p.Title = cut(cleanText(p.URL), 2000), cut(cleanText(p.Title), 500)
	}
	if v := a.Claimed; v != nil {
		v.ID, v.Email, v.Name = cut(cleanText(v.ID), 256), cut(cleanText(v.Email), 320), cut(cleanText(v.Name), 320)
		if *v == (scaigrid.Claimed{}) {
			a.Claimed = nil
		}
	}
	return a, scaigrid.InvalidFields(bad)
}

func (d *chatDoor) stream(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass, log *turn.Log, after *scaigrid.Cursor) {
	revoked, release := d.watch(pass)
	defer release()
	streamTurn(r.Context(), w, log, after, revoked)
}

// chatAnswer is the whole of a turn for a caller that does not stream.
type chatAnswer struct {
	TurnID         string              `json:"turn_id"`
	ConversationID string              `json:"conversation_id"`
	MessageID      string              `json:"message_id"`
	Reply          visitorMessage      `json:"reply"`
	Citations      []scaigrid.Citation `json:"citations"`
	Escalation     *struct{}           `json:"escalation"` // null: escalation rules are not part of this release
	Answered       bool                `json:"answered"`
	Confidence     float64             `json:"confidence"`
}

func (d *chatDoor) whole(w http.ResponseWriter, r *http.Request, log *turn.Log) error {
	if err := awaitTurn(r.Context(), log); err != nil {
		return err
	}
	t, reply, err := d.store.Turn(r.Context(), log.Turn.ID)
	if err != nil {
		return err
	}
	if e := reply.Error; e != nil {
		return &scaigrid.Error{Code: e.Code, Message: e.Message, Retryable: e.Retryable}
	}
	a := chatAnswer{
		TurnID: t.ID, ConversationID: t.ConversationID, MessageID: t.MessageID,
		Reply: viewForVisitor(*reply), Citations: orEmpty(reply.Citations),
	}
	if reply.Answered != nil {
		a.Answered = *reply.Answered
	}
	if reply.Confidence != nil {
		a.Confidence = *reply.Confidence
	}
	return writeData(w, r, http.StatusOK, a)
}

// resume gives the stream of a turn again, from Last-Event-ID or from its start.
func (d *chatDoor) resume(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	log, err := d.house.Resume(r.Context(), guest, r.PathValue("turn_id"))
	if err != nil {
		return err
	}
	d.stream(w, r, pass, log, lastEventID(r))
	return nil
}

// lastEventID reads where a reader stands. A value that is not one of ours
// leads to the whole text again, as one from the future does.
func lastEventID(r *http.Request) *scaigrid.Cursor {
	v := r.Header.Get("Last-Event-ID")
	if v == "" {
		return nil
	}
	c, ok := scaigrid.ParseCursor(v)
	if !ok {
		c = scaigrid.Cursor{Bytes: 1<<31 - 1}
	}
	return &c
}

func (d *chatDoor) stop(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	id := r.PathValue("turn_id")
	if err := d.house.Stop(r.Context(), guest, id); err != nil {
		return err
	}
	return writeData(w, r, http.StatusOK, turnRef{TurnID: id})
}

type turnRef struct {
	TurnID string `json:"turn_id"`
}

func (d *chatDoor) continueTurn(w http.ResponseWriter, r *http.Request, pass scaigrid.Pass) error {
	guest, err := d.guest(r, pass)
	if err != nil {
		return err
	}
	log, err := d.house.Continue(r.Context(), guest, r.PathValue("turn_id"), d.client(r))
	if err != nil {
		return err
	}
	d.stream(w, r, pass, log, lastEventID(r))
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

func headerValue(r *http.Request, name string) *string {
	if v := r.Header.Values(name); len(v) > 0 {
		return &v[0]
	}
	return nil
}

func printable(s string, lo, hi int) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// cleanText takes out what no text of a person holds: control characters but
// for line ends and tabs, and the marks that turn the direction of text around.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
}

// visible tells whether there is anything to read in s.
func visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) }) >= 0
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
