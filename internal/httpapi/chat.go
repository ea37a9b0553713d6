package httpapi

import (
	"context"
	"net/http"
	"reflect"
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
	house *turn.House
	store ConversationStore
	watch func(pass scaigrid.Pass) (revoked <-chan struct{}, release func())
	clock func() time.Time
}

// rows are the chat part of the route table.
func (d *chatDoor) rows() []route {
	row := func(method, path, op, summary string, limit limitClass, s served) route {
		return route{
			op: op, method: method, path: chatPath + path, access: visitor(), limit: limit, cors: corsChat,
			serve: s, tag: "Chat", summary: summary, maxBody: 128 << 10, status: http.StatusOK,
		}
	}
	stream := func(r route) route { r.stream = true; return r }
	return []route{
		stream(row("POST", "", "chat", "Say something and hear the answer", limitVisitor, spoken(d.say))),
		stream(row("GET", "/turns/{turn}", "resumeTurn", "The stream of a turn again, from Last-Event-ID", limitVisitor, raw(mediaSSE, d.resume))),
		row("POST", "/turns/{turn}/stop", "stopTurn", "End the answer; what was said stays", limitVisitor, read(d.stop)),
		stream(row("POST", "/turns/{turn}/continue", "continueTurn", "Go on after an answer that broke off", limitVisitor, raw(mediaSSE, d.continueTurn))),
		row("GET", "/conversation", "currentConversation", "The visitor's current conversation", limitVisitor, read(d.current)),
		row("POST", "/conversation", "beginConversation", "Start a fresh conversation", limitVisitor, read(d.begin)),
		row("DELETE", "/conversation", "forgetConversation", "Delete the current conversation", limitVisitor, read(d.forget)),
		row("POST", "/close", "closeOwnConversation", "Close the current conversation", limitVisitor, read(d.closeConversation)),
		row("GET", "/conversations", "listOwnConversations", "The visitor's conversations, newest first", limitVisitor, list(d.list)),
		row("GET", "/conversations/{conv}", "readOwnConversation", "One conversation of the visitor", limitVisitor, read(d.one)),
		stream(row("GET", "/events", "chatEvents", "What happens in the visitor's conversation, live", limitVisitor, raw(mediaSSE, d.events))),
		row("POST", "/feedback", "rateReply", "Rate a reply", limitVisitor, lenient(d.feedback)),
	}
}

const mediaSSE = "text/event-stream"

// lenient serves a call of the widget with a JSON object as its body. Fields
// it does not know are ignored, so that the widget of the next release works
// with this server.
func lenient[In, Out any](f func(*call, *In) (Out, error)) served {
	return served{in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), handle: func(c *call) error {
		in := new(In)
		if err := c.takeLenient(in); err != nil {
			return err
		}
		out, err := f(c, in)
		if err != nil {
			return err
		}
		return c.reply(c.route.status, out)
	}}
}

// spoken serves a call whose answer is a stream, or an envelope with
// "stream": false.
func spoken[In any](f func(*call, *In) error) served {
	return served{in: reflect.TypeFor[In](), out: reflect.TypeFor[chatAnswer](), media: mediaSSE, handle: func(c *call) error {
		in := new(In)
		if err := c.takeLenient(in); err != nil {
			return err
		}
		return f(c, in)
	}}
}

func (c *call) takeLenient(v any) error {
	body, err := c.takeBody()
	if err != nil {
		return err
	}
	if err := wantJSON(c.r); err != nil {
		return err
	}
	return decodeLenient(body, v)
}

// guest finds out who is asking, for calls about what exists already.
func (d *chatDoor) guest(c *call) (turn.Guest, error) {
	h := c.r.Header
	return d.house.Verify(c.ctx(), c.pass, "", h.Get("Origin"), h.Get("X-ScaiBot-Visitor"))
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

func (d *chatDoor) say(c *call, body *chatBody) error {
	ask, err := body.ask(c.r)
	if err != nil {
		return err
	}
	ask.Pass, ask.Origin, ask.Address = c.pass, c.r.Header.Get("Origin"), c.address.String()
	ask.VisitorKey = c.r.Header.Get("X-ScaiBot-Visitor")
	ask.WantPrompt = c.r.URL.Query().Get("include_system_prompt") == "true"
	guest, err := d.house.Verify(c.ctx(), c.pass, ask.BotID, ask.Origin, ask.VisitorKey)
	if err != nil {
		return err
	}
	log, err := d.house.Ask(c.ctx(), guest, ask)
	if err != nil {
		return err
	}
	if body.Stream != nil && !*body.Stream {
		return d.whole(c, log)
	}
	return d.stream(c, log, nil)
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

func (d *chatDoor) stream(c *call, log *turn.Log, after *scaigrid.Cursor) error {
	revoked, release := d.watch(c.pass)
	defer release()
	streamTurn(c.ctx(), c.w, log, after, revoked)
	return nil
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

func (d *chatDoor) whole(c *call, log *turn.Log) error {
	if err := awaitTurn(c.ctx(), log); err != nil {
		return err
	}
	t, reply, err := d.store.Turn(c.ctx(), log.Turn.ID)
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
	return c.reply(http.StatusOK, a)
}

// resume gives the stream of a turn again, from Last-Event-ID or from its start.
func (d *chatDoor) resume(c *call) error {
	guest, err := d.guest(c)
	if err != nil {
		return err
	}
	log, err := d.house.Resume(c.ctx(), guest, c.r.PathValue("turn"))
	if err != nil {
		return err
	}
	return d.stream(c, log, lastEventID(c.r))
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

// turnRef names a turn.
type turnRef struct {
	TurnID string `json:"turn_id"`
}

func (d *chatDoor) stop(c *call) (turnRef, error) {
	guest, err := d.guest(c)
	if err != nil {
		return turnRef{}, err
	}
	id := c.r.PathValue("turn")
	return turnRef{TurnID: id}, d.house.Stop(c.ctx(), guest, id)
}

func (d *chatDoor) continueTurn(c *call) error {
	guest, err := d.guest(c)
	if err != nil {
		return err
	}
	log, err := d.house.Continue(c.ctx(), guest, c.r.PathValue("turn"), c.address.String())
	if err != nil {
		return err
	}
	return d.stream(c, log, lastEventID(c.r))
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
