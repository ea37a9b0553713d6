package app

import (
	"bytes"
	"context"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
)

// NewToken describes an embed token to be made.
type NewToken struct {
	TTL       time.Duration
	VisitorID string // the site's id; "": anonymous
	Email     string
	Name      string
	Metadata  json.RawMessage
	Origins   []string
	Preview   bool
}

// Token is a fresh embed token, as minting over HTTP answers it.
type Token struct {
	Token      string    `json:"token"`
	ExpiresAt  time.Time `json:"expires_at"`
	TTLSeconds int64     `json:"ttl_seconds"`
	TokenID    string    `json:"token_id"`
	BotID      string    `json:"bot_id"`
}

// What minting takes, as over HTTP.
const (
	maxVisitorID   = 256 // characters
	maxVisitorText = 320
	maxMetadata    = 16 << 10
)

// Mint makes an embed token. Errors: VALIDATION_ERROR, BOT_NOT_ACTIVE for an
// archived bot.
func (c *Console) Mint(ctx context.Context, bot *scaigrid.Bot, n NewToken) (*Token, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if bot.Status == scaigrid.BotArchived {
		return nil, scaigrid.Errorf(scaigrid.CodeBotNotActive, "The bot %s is archived. Make it active to mint tokens for it.", bot.Slug)
	}
	order := auth.Order{
		TenantID: bot.TenantID, BotID: bot.ID, Anonymous: n.VisitorID == "", Preview: n.Preview, SeePrompt: n.Preview, Origins: n.Origins, TTL: n.TTL,
	}
	if !order.Anonymous {
		now := c.clock()
		var err error
		order.Subject, err = c.store.SaveVisitor(ctx, scaigrid.Visitor{
			ID: scaigrid.NewID(scaigrid.KindVisitor, now), TenantID: bot.TenantID, BotID: bot.ID, ExternalID: n.VisitorID,
			Email: n.Email, Name: n.Name, Metadata: n.Metadata, CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return nil, err
		}
	}
	m, err := c.guard.Tokens.Mint(order)
	if err != nil {
		return nil, err
	}
	return &Token{
		Token: m.Token.Reveal(), ExpiresAt: m.ExpiresAt, TTLSeconds: int64(m.TTL / time.Second), TokenID: m.TokenID, BotID: bot.ID,
	}, nil
}

func (n *NewToken) check() error {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	if n.VisitorID == "" && (n.Email != "" || n.Name != "" || len(n.Metadata) > 0) {
		add("visitor", "is needed to keep an e-mail address, a name or metadata")
	}
	if utf8.RuneCountInString(n.VisitorID) > maxVisitorID {
		add("visitor", "must be at most 256 characters")
	}
	if utf8.RuneCountInString(n.Email) > maxVisitorText || utf8.RuneCountInString(n.Name) > maxVisitorText {
		add("email", "and name must be at most 320 characters")
	}
	if len(n.Metadata) == 0 {
		n.Metadata = nil
	} else {
		var compact bytes.Buffer
		if json.Compact(&compact, n.Metadata) != nil || compact.Len() > maxMetadata {
			add("metadata", "must be JSON of at most 16 KiB")
		}
		n.Metadata = compact.Bytes()
	}
	return scaigrid.InvalidFields(bad)
}
