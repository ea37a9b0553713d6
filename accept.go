package scaigrid

import "time"

// Acceptance is everything that must be stored before the first byte of an
// answer leaves: who asks what, in which conversation. The ids are those to
// use for rows that do not exist yet.
type Acceptance struct {
	Bot             *Bot
	Pass            Pass
	VisitorID       string // "": a visitor not seen before; NewVisitorID is used
	KeyHash         []byte // of the browser's key, for a new anonymous visitor; nil where none was sent
	ConversationID  string // "": begin a new conversation
	ClientMessageID string // "": the caller does not retry
	Replaces        string // message id of the last question, which this one replaces
	Text            string
	Locale          string
	Page            *Page
	Claimed         *Claimed
	Node            string
	LeaseUntil      time.Time // the node must renew before then
	Now             time.Time

	NewVisitorID      string
	NewConversationID string
	NewMessageID      string
	NewReplyID        string
	NewTurnID         string
}

// Accepted is what an Acceptance led to.
type Accepted struct {
	Turn      Turn
	NewTurn   bool // false: a retry; Turn exists already and is joined
	VisitorID string
}

// TextUpdate is answer text on its way to the store.
type TextUpdate struct {
	TurnID  string
	ReplyID string
	Content string // whole text so far
	Marks   []Mark // whole list so far
}

// TurnLimitUse is how much of the visitor and bot limits is used up.
type TurnLimitUse struct {
	BotTurns  int // turns of anonymous visitors of the bot since the start of the window
	BotTokens int64
}

// ConversationFilter narrows a list of conversations. Zero fields do not narrow.
type ConversationFilter struct {
	BotIDs    []string // empty: all bots of the tenant
	VisitorID string   // the site's own id or "vis_…"
	Status    ConversationStatus
	Escalated *bool
	Rating    string
	Query     string // words in messages
	Since     time.Time
	Until     time.Time // exclusive
	Preview   bool      // include conversations of preview tokens
}

// PageRequest asks for one page of a list, newest first.
type PageRequest struct {
	Limit int    // 1–100
	After string // opaque: the cursor of the page before
}

// PageResult tells how to go on.
type PageResult struct {
	NextCursor string // "" at the end
}

// Revocation ends embed tokens before their time: one token, those of one
// visitor, or all of a bot.
type Revocation struct {
	ID        int64 // grows; nodes ask for those after the last they saw
	TenantID  string
	BotID     string
	TokenID   string // one token; or an API key ("apikey_…"): all that it minted; or
	VisitorID string // "vis_…": the tokens of one visitor minted up to At; or, both empty, all of the bot up to At
	At        time.Time
	Until     time.Time // after this no token that it ends can be alive
}

// SigningKey signs embed tokens. Secret is sealed by the installation secret
// when stored.
type SigningKey struct {
	ID        string // the "kid"
	Sealed    []byte
	CreatedAt time.Time
	RetiredAt *time.Time // still verifies until the longest token has died
}
