package auth

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	tenantID = "tenant_1"
	userID   = "usr_1"
	botID    = "bot_1"
)

func openStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir(), Release: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.EnsureTenant(context.Background(), scaigrid.Tenant{ID: tenantID, Slug: "main", Name: "Main", CreatedAt: time.Unix(1, 0)},
		scaigrid.User{ID: userID, TenantID: tenantID, Name: "A", Role: scaigrid.RoleTenantAdmin, CreatedAt: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	return s
}

func newSecret(t testing.TB) *Secret {
	t.Helper()
	s, err := LoadSecretFile(filepath.Join(t.TempDir(), "secret"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// counted is the real store, counting what the tests ask about.
type counted struct {
	Store
	mu      sync.Mutex
	lookups int // of API keys
	asked   int // for signing keys
}

func (c *counted) APIKeyByPublicID(ctx context.Context, id string) (*scaigrid.APIKey, *scaigrid.User, error) {
	c.mu.Lock()
	c.lookups++
	c.mu.Unlock()
	return c.Store.APIKeyByPublicID(ctx, id)
}

func (c *counted) SigningKeys(ctx context.Context) ([]scaigrid.SigningKey, error) {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	return c.Store.SigningKeys(ctx)
}

// node is one guard of a house of several.
type node struct {
	*Guard
	clock *clock
	store *counted
}

func openNode(t testing.TB, s Store, secret *Secret, c *clock) node {
	t.Helper()
	st := &counted{Store: s}
	g, err := Open(context.Background(), Options{Store: st, Secret: secret, Clock: c.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return node{g, c, st}
}

func newNode(t testing.TB) node { return openNode(t, openStore(t), newSecret(t), newClock()) }

func (n node) mint(t testing.TB, o Order) string {
	t.Helper()
	if o.TenantID == "" {
		o.TenantID = tenantID
	}
	if o.BotID == "" {
		o.BotID = botID
	}
	m, err := n.Tokens.Mint(o)
	if err != nil {
		t.Fatal(err)
	}
	return m.Token.Reveal()
}

func (n node) issue(t testing.TB, k scaigrid.APIKey) (string, *scaigrid.APIKey) {
	t.Helper()
	k.TenantID, k.UserID = tenantID, userID
	if k.Permissions == nil {
		k.Permissions = scaigrid.AllPermissions()
	}
	c, err := n.Keys.Issue(t.Context(), &k)
	if err != nil {
		t.Fatal(err)
	}
	return c.Reveal(), &k
}

func wantCode(t testing.TB, what string, err error, code scaigrid.Code) {
	t.Helper()
	if got := scaigrid.ErrorCode(err); got != code {
		t.Errorf("%s: %v, want %q", what, err, code)
	}
}
