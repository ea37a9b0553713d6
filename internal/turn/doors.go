package turn

import (
	"context"
	"iter"
	"time"

	"github.com/scailabs/scaigrid"
)

// Store is what a turn needs to be safe on disk.
type Store interface {
	// Bot returns the bot; NOT_FOUND where the tenant has none with this id.
	Bot(ctx context.Context, tenantID, botID string) (*scaigrid.Bot, error)

	// VisitorByKey returns the anonymous visitor of the bot with this key hash;
	// NOT_FOUND where there is none or where the key is dead.
	VisitorByKey(ctx context.Context, botID string, keyHash []byte) (*scaigrid.Visitor, error)
	// JoinVisitor moves the conversations of the anonymous visitor with this key
	// hash to a verified one and ends the key. It reports whether it did.
	JoinVisitor(ctx context.Context, botID string, keyHash []byte, toVisitorID string, now time.Time) (bool, error)

	// Accept stores the visitor's message and opens a turn, with a synced commit.
	// Errors: NOT_FOUND for a conversation that is not the visitor's,
	// TURN_IN_PROGRESS, IDEMPOTENCY_MISMATCH, CONFLICT for a closed
	// conversation or a question that cannot be replaced, STORAGE_ERROR.
	Accept(ctx context.Context, a scaigrid.Acceptance) (scaigrid.Accepted, error)
	// SaveText stores text of running turns in one transaction without waiting
	// for the disk. Turns that are over are left alone.
	SaveText(ctx context.Context, updates []scaigrid.TextUpdate) error
	// FinishTurn stores the end of a turn with a synced commit: reply, marks,
	// usage, counters. It does nothing to a turn that is over already.
	FinishTurn(ctx context.Context, turnID string, o scaigrid.Outcome, marks []scaigrid.Mark, now time.Time) error

	// Turn returns a turn and its reply so far; NOT_FOUND where there is none.
	Turn(ctx context.Context, turnID string) (*scaigrid.Turn, *scaigrid.Message, error)
	// History returns the newest limit messages of a conversation that count as
	// context (complete, stopped or interrupted; not withdrawn, not empty),
	// oldest first, leaving out the message with id skip and what came after it.
	History(ctx context.Context, conversationID, skip string, limit int) ([]scaigrid.Message, error)

	// RequestStop notes that a turn is to be stopped by the node that owns it.
	RequestStop(ctx context.Context, turnID string) error
	// StopsRequested returns the running turns of the node that are to be stopped.
	StopsRequested(ctx context.Context, node string) ([]string, error)
	// RenewLeases says that the node still works on its turns, until the given time.
	RenewLeases(ctx context.Context, node string, until time.Time) error
	// AbandonedTurns returns running turns whose lease ended before now.
	AbandonedTurns(ctx context.Context, now time.Time, limit int) ([]scaigrid.Turn, error)
	// ReopenTurn makes a finished turn run again on this node, with the next
	// epoch and without its last (error or finish) mark; CONFLICT where it runs.
	ReopenTurn(ctx context.Context, turnID, node string, leaseUntil time.Time) (*scaigrid.Turn, *scaigrid.Message, error)
}

// Limits bounds what visitors may spend.
type Limits interface {
	// TakeTurn counts one new turn; RATE_LIMITED or BUDGET_EXCEEDED where the
	// visitor, his address or the bot has used up what it may. visitorID is ""
	// for a visitor who cannot be recognised again.
	TakeTurn(ctx context.Context, bot *scaigrid.Bot, pass scaigrid.Pass, visitorID, address string) error
}

// Library finds what the bot's documents hold.
type Library interface {
	Retrieve(ctx context.Context, bot *scaigrid.Bot, question string, history []scaigrid.PromptMessage) (scaigrid.Retrieval, error)
}

// Models answers a prompt as a stream of parts. An error ends the stream and
// may come after text; it is a *scaigrid.Error with a BACKEND_* or MODEL_* code.
type Models interface {
	Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error]
}
