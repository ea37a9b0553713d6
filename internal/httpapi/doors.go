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
