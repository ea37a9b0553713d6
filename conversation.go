package scaigrid

import (
	"encoding/json"
	"time"
)

// ConversationStatus says who may answer next.
type ConversationStatus string

// The states of a conversation.
const (
	ConversationOpen    ConversationStatus = "open"
	ConversationWaiting ConversationStatus = "waiting"
	ConversationHuman   ConversationStatus = "human"
	ConversationClosed  ConversationStatus = "closed"
)

// Conversation is one visitor's exchange with one bot. Visitor comes from the
// token alone, Claimed from the page alone; the two are never mixed.
type Conversation struct {
	ID               string             `json:"id"`
	TenantID         string             `json:"-"`
	BotID            string             `json:"bot_id"`
	Status           ConversationStatus `json:"status"`
	Visitor          VisitorView        `json:"visitor"`
	Claimed          *Claimed           `json:"claimed"`
	Metadata         json.RawMessage    `json:"metadata"`
	Page             *Page              `json:"page"`
	Locale           string             `json:"locale"`
	Preview          bool               `json:"preview"`
	Escalated        bool               `json:"escalated"`
	Rating           string             `json:"rating"` // "up", "down" or "": the newest rating given
	MessageCount     int                `json:"message_count"`
	PromptTokens     int64              `json:"prompt_tokens"`
	CompletionTokens int64              `json:"completion_tokens"`
	Cost             float64            `json:"cost"`
	CreatedAt        time.Time          `json:"created_at"`
	UpdatedAt        time.Time          `json:"updated_at"`
}

// VisitorView is the visitor of a conversation as the token vouched for him.
type VisitorView struct {
	Ref      string  `json:"ref"` // "vis_…"
	ID       *string `json:"id"`  // the site's own id, null for an anonymous visitor
	Email    *string `json:"email"`
	Name     *string `json:"name"`
	Verified bool    `json:"verified"`
}

// Claimed is what the page said of its visitor. Anyone can write it.
type Claimed struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Page is where the visitor was when he last wrote.
type Page struct {
	URL   string `json:"url"`
	Title string `json:"title"`
}

// Visitor is a person (or a browser) that talks with a bot.
type Visitor struct {
	ID         string
	TenantID   string
	BotID      string
	ExternalID string // the site's id; "" for an anonymous visitor
	Email      string
	Name       string
	Metadata   json.RawMessage // null where the site gave none
	KeyHash    []byte          // SHA-256 of the browser's key; nil for a verified visitor
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Verified tells whether the site vouched for the visitor.
func (v *Visitor) Verified() bool { return v.ExternalID != "" }
