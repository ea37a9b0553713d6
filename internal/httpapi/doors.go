package httpapi

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
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
	// Issue makes the key that k describes, fills in its id and prefix, and
	// returns the key itself, which nobody can be shown again.
	Issue(ctx context.Context, k *scaigrid.APIKey) (auth.Credential, error)
	// Revoke ends a key of the tenant: at once here, within seconds elsewhere.
	Revoke(ctx context.Context, tenantID, id string) error
}

// Tokens knows embed tokens.
type Tokens interface {
	// Verify returns what an embed token says. Errors: AUTH_TOKEN_INVALID,
	// EMBED_TOKEN_EXPIRED, EMBED_TOKEN_REVOKED.
	Verify(ctx context.Context, token string) (scaigrid.Pass, error)
	// Mint signs a token that says p and fills in its id.
	Mint(ctx context.Context, p *scaigrid.Pass) (auth.Credential, error)
	// Revoke ends tokens: at once here, within seconds elsewhere.
	Revoke(ctx context.Context, r scaigrid.Revocation) error
	// Subject returns the id and the bot of a token that may have ended already;
	// AUTH_TOKEN_INVALID where it is not one of ours.
	Subject(ctx context.Context, token string) (scaigrid.Pass, error)
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
