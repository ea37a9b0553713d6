package auth

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

// Store keeps what credentials need to outlive the process and to be the same
// on every node.
type Store interface {
	// Value returns a value of the installation; NOT_FOUND where there is none.
	Value(ctx context.Context, name string) (string, error)
	// PutValue keeps a value of the installation unless there is one under the
	// name already, and returns the one that holds.
	PutValue(ctx context.Context, name, value string) (string, error)
	// SetValue keeps a value of the installation in place of the one before.
	SetValue(ctx context.Context, name, value string) error

	SigningKeys(ctx context.Context) ([]scaigrid.SigningKey, error)
	AddSigningKey(ctx context.Context, k scaigrid.SigningKey) error
	// RetireSigningKey sets when a key ends, where that is not set yet.
	RetireSigningKey(ctx context.Context, id string, at time.Time) error
	ResealSigningKey(ctx context.Context, id string, sealed []byte) error
	DropSigningKeys(ctx context.Context, retiredBefore time.Time) (int64, error)

	// AddRevocation stores a revocation with a synced commit; its id is the
	// store's, larger than any that can be seen by then.
	AddRevocation(ctx context.Context, r scaigrid.Revocation) error
	// RevocationsAfter returns what was revoked after the one with this id, oldest first.
	RevocationsAfter(ctx context.Context, id int64) ([]scaigrid.Revocation, error)
	DropDeadRevocations(ctx context.Context, now time.Time) (int64, error)

	CreateAPIKey(ctx context.Context, k *scaigrid.APIKey) error
	// APIKeyByPublicID returns a key and its user, revoked and expired keys too;
	// NOT_FOUND where there is none.
	APIKeyByPublicID(ctx context.Context, publicID string) (*scaigrid.APIKey, *scaigrid.User, error)
	// RevokeAPIKey ends a key of the caller's tenant; NOT_FOUND where it has none with this id.
	RevokeAPIKey(ctx context.Context, c scaigrid.Caller, id string, now time.Time) error
	TouchAPIKey(ctx context.Context, id string, at time.Time) error
}
