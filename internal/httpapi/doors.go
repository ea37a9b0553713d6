package httpapi

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// TurnUse tells how much of a bot's daily bounds is used up, over all nodes.
type TurnUse interface {
	TurnCounts(ctx context.Context, botID string, since time.Time) (scaigrid.TurnLimitUse, error)
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
