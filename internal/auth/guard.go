package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	pollEvery  = time.Second // revocations of other nodes
	keysEvery  = 3           // polls between two looks at the signing keys
	usesEvery  = 10          // polls between two writings of last uses
	tendEvery  = 3600        // polls between two cleanings
	partWithin = 2 * time.Second

	valuePepper = "api_key_pepper"
	valueIssuer = "installation_id"
)

// Options are what a guard needs. All are required.
type Options struct {
	Store  Store
	Secret *Secret
	Clock  func() time.Time
	Log    *slog.Logger
}

// Guard is everything that judges credentials, on one node. Open makes one; Run
// keeps it in step with the other nodes.
type Guard struct {
	Keys        *APIKeys
	Tokens      *EmbedTokens
	Revocations *Revocations

	store  Store
	secret *Secret
	log    *slog.Logger
	ill    map[string]bool // what failed in the last round, so that an outage is logged once
}

// Open reads what the store holds for credentials, and makes it at the first
// start. It fails where the store was sealed by another installation secret;
// the message names the setting.
func Open(ctx context.Context, o Options) (*Guard, error) {
	issuer, err := o.Store.PutValue(ctx, valueIssuer, "scaigrid-"+randomBase62(16))
	if err != nil {
		return nil, fmt.Errorf("installation id: %w", err)
	}
	pepper, err := openPepper(ctx, o.Store, o.Secret)
	if err != nil {
		return nil, o.Secret.explain(err)
	}
	ring := &keyRing{store: o.Store, secret: o.Secret, clock: o.Clock}
	if err := ring.refresh(ctx); err != nil {
		return nil, o.Secret.explain(err)
	}
	if _, err := ring.current(o.Clock()); err != nil {
		if err := ring.rotate(ctx); err != nil {
			return nil, err
		}
	}
	revoked := newRevocations(o.Store, o.Clock)
	g := &Guard{
		Keys:        newAPIKeys(o.Store, pepper, revoked, o.Clock),
		Tokens:      &EmbedTokens{ring: ring, revoked: revoked, issuer: issuer, clock: o.Clock},
		Revocations: revoked, store: o.Store, secret: o.Secret, log: o.Log, ill: map[string]bool{},
	}
	return g, revoked.refresh(ctx)
}

// openPepper reads the key of the API keys' digests. It lies in the store,
// sealed, so that the installation secret can change without them.
func openPepper(ctx context.Context, store Store, secret *Secret) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh)
	held, err := store.PutValue(ctx, valuePepper, base64.StdEncoding.EncodeToString(secret.Seal(fresh, valuePepper)))
	if err != nil {
		return nil, fmt.Errorf("pepper of the API keys: %w", err)
	}
	return openValue(secret, held, valuePepper)
}

func openValue(secret *Secret, text, purpose string) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s: not base64", purpose)
	}
	value, err := secret.Open(sealed, purpose)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", purpose, err)
	}
	return value, nil
}

// explain says to an operator what to do about a value that does not open.
func (s *Secret) explain(err error) error {
	if !errors.Is(err, ErrOtherSecret) {
		return err
	}
	return fmt.Errorf("this database was sealed by another installation secret than the one in %s: set SCAIGRID_SECRET_FILE to the file that this database was made with, or put that file back (%w)", s.from, err)
}

// Reseal seals everything in the store with the newest secret that this guard
// was opened with. It may be repeated.
func (g *Guard) Reseal(ctx context.Context) error {
	held, err := g.store.Value(ctx, valuePepper)
	if err != nil {
		return fmt.Errorf("%s: %w", valuePepper, err)
	}
	pepper, err := openValue(g.secret, held, valuePepper)
	if err != nil {
		return g.secret.explain(err)
	}
	if sealed, _ := base64.StdEncoding.DecodeString(held); g.secret.Old(sealed) {
		if err := g.store.SetValue(ctx, valuePepper, base64.StdEncoding.EncodeToString(g.secret.Seal(pepper, valuePepper))); err != nil {
			return fmt.Errorf("%s: %w", valuePepper, err)
		}
	}
	keys, err := g.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	for _, k := range keys {
		secret, err := g.secret.Open(k.Sealed, signingKeyPurpose(k.ID))
		if err != nil {
			return g.secret.explain(fmt.Errorf("signing key %s: %w", k.ID, err))
		}
		if !g.secret.Old(k.Sealed) {
			continue
		}
		if err := g.store.ResealSigningKey(ctx, k.ID, g.secret.Seal(secret, signingKeyPurpose(k.ID))); err != nil {
			return fmt.Errorf("signing key %s: %w", k.ID, err)
		}
	}
	return nil
}

// Run keeps the guard in step with the store until ctx ends: revocations every
// second, signing keys every three, and what is left over once an hour.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), partWithin)
			defer cancel()
			g.try(last, "last uses of API keys", g.Keys.storeUses)
			return nil
		case <-tick.C:
			g.round(ctx, n)
		}
	}
}

func (g *Guard) round(ctx context.Context, n int) {
	g.try(ctx, "revocations", g.Revocations.refresh)
	if n%keysEvery == 0 {
		g.try(ctx, "signing keys", g.Tokens.ring.refresh)
	}
	if n%usesEvery == 0 {
		g.try(ctx, "last uses of API keys", g.Keys.storeUses)
	}
	if n%tendEvery == 0 {
		g.Revocations.forget()
		g.try(ctx, "age of the signing keys", g.Tokens.ring.tend)
		g.try(ctx, "old revocations", func(ctx context.Context) error {
			_, err := g.store.DropDeadRevocations(ctx, g.Revocations.clock())
			return err
		})
	}
}

// try does one thing of a round. What fails is tried again in the next one; it
// is logged when it begins and when it is over.
func (g *Guard) try(ctx context.Context, what string, do func(context.Context) error) {
	err := do(ctx)
	switch {
	case ctx.Err() != nil && err != nil:
	case err != nil && !g.ill[what]:
		g.ill[what] = true
		g.log.WarnContext(ctx, "credentials are not in step with the database, will try again", "what", what, "err", g.secret.explain(err))
	case err == nil && g.ill[what]:
		delete(g.ill, what)
		g.log.InfoContext(ctx, "credentials are in step with the database again", "what", what)
	}
}
