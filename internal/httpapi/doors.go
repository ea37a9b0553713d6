package httpapi

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Store is what the management doors read and write. Every method that takes a
// caller sees the objects of his tenant and of the bots that his credential
// covers; all else is NOT_FOUND. A version of 0 means that any will do; another
// one that is not the object's is a CONFLICT.
type Store interface {
	ConversationStore
	TurnUse

	CreateBot(ctx context.Context, c scaigrid.Caller, b *scaigrid.Bot) error
	Bot(ctx context.Context, tenantID, botID string) (*scaigrid.Bot, error)
	// PublicBot returns a bot of any tenant, for what anyone may see of it.
	PublicBot(ctx context.Context, botID string) (*scaigrid.Bot, error)
	Bots(ctx context.Context, c scaigrid.Caller, status scaigrid.BotStatus, page scaigrid.PageRequest) ([]scaigrid.Bot, scaigrid.PageResult, error)
	UpdateBot(ctx context.Context, c scaigrid.Caller, botID string, cfg scaigrid.BotConfig, version int64, now time.Time) (*scaigrid.Bot, error)
	SetBotStatus(ctx context.Context, c scaigrid.Caller, botID string, s scaigrid.BotStatus, version int64, now time.Time) (*scaigrid.Bot, error)
	DeleteBot(ctx context.Context, c scaigrid.Caller, botID string, version int64, now time.Time) error
}

// Keys knows API keys.
type Keys interface {
	// Authenticate returns who stands behind an API key. AUTH_TOKEN_INVALID for
	// one that is not ours, is revoked or has expired.
	Authenticate(ctx context.Context, key string) (scaigrid.Caller, error)
}

// Tokens knows embed tokens.
type Tokens interface {
	// Verify returns what an embed token says. Errors: AUTH_TOKEN_INVALID,
	// EMBED_TOKEN_EXPIRED, EMBED_TOKEN_REVOKED.
	Verify(ctx context.Context, token string) (scaigrid.Pass, error)
}

// Models are what bots can answer with.
type Models interface {
	// Models lists them, in a stable order.
	Models(ctx context.Context) ([]scaigrid.Model, error)
	// CheckModel tells whether a bot may be set to answer with a model;
	// MODEL_NOT_FOUND where nothing here can.
	CheckModel(ctx context.Context, slug string) error
}

// Check is one thing that must be well before this node takes traffic.
type Check struct {
	Name string
	Do   func(ctx context.Context) error
}
