package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
)

const (
	keyCacheFor  = 2 * time.Second // how long a key may work here after another process revoked it
	keyCacheSize = 4096
	// A key that was looked up is refused no sooner, so that the time does not
	// tell whether its public part exists: that costs one look more.
	refuseAfter = 5 * time.Millisecond
)

// APIKeys issues, checks and revokes API keys.
type APIKeys struct {
	store   Store
	pepper  []byte
	revoked *Revocations
	clock   func() time.Time

	mu      sync.Mutex
	known   map[[1 + sha256.Size]byte]knownKey // by digest: only keys that were right
	changes int                                // grows with each revocation
	used    map[string]time.Time               // key id → last use that is not stored yet
	stored  map[string]time.Time               // key id → last minute that is
}

type knownKey struct {
	caller scaigrid.Caller
	until  time.Time
}

func newAPIKeys(store Store, pepper []byte, revoked *Revocations, clock func() time.Time) *APIKeys {
	k := &APIKeys{
		store: store, pepper: pepper, revoked: revoked, clock: clock,
		known: map[[1 + sha256.Size]byte]knownKey{}, used: map[string]time.Time{}, stored: map[string]time.Time{},
	}
	revoked.onKey = k.forget
	return k
}

// Issue makes and stores the key that k describes (tenant, user, name,
// permissions, bots, expiry), fills in the rest, and returns the key itself,
// which nobody can be shown again. NOT_FOUND where the user is missing.
func (s *APIKeys) Issue(ctx context.Context, k *scaigrid.APIKey) (Credential, error) {
	text, publicID := newKeyText()
	digest := keyDigest(s.pepper, text)
	now := s.clock()
	if k.CreatedAt.IsZero() {
		k.CreatedAt = now
	}
	k.ID, k.Prefix, k.PublicID, k.Digest = scaigrid.NewID(scaigrid.KindAPIKey, now), keyPrefix+publicID, publicID, digest[:]
	if err := s.store.CreateAPIKey(ctx, k); err != nil {
		return Credential{}, err
	}
	return Credential{text}, nil
}

// Authenticate returns who stands behind an API key: its user, with those of
// the key's permissions that the user's role still has.
//
// Errors: AUTH_TOKEN_INVALID for a key that is malformed (no database is asked
// then), unknown, wrong, revoked or expired; STORAGE_ERROR.
func (s *APIKeys) Authenticate(ctx context.Context, text string) (scaigrid.Caller, error) {
	publicID, ok := parseKey(text)
	if !ok {
		return scaigrid.Caller{}, scaigrid.Errorf(scaigrid.CodeTokenInvalid, "This is not a whole API key: one begins with sgk_ and has %d characters. Check that it was copied completely.", keySize)
	}
	digest := keyDigest(s.pepper, text)
	now := s.clock()
	caller, changes, ok := s.recall(digest, now)
	if ok {
		return caller, nil
	}
	slow := time.NewTimer(refuseAfter)
	defer slow.Stop()
	key, user, err := s.find(ctx, publicID)
	if err != nil {
		return scaigrid.Caller{}, err
	}
	if err := usable(key, digest, now); err != nil {
		select {
		case <-slow.C:
		case <-ctx.Done():
		}
		return scaigrid.Caller{}, err
	}
	caller = scaigrid.Caller{TenantID: key.TenantID, UserID: key.UserID, KeyID: key.ID, BotIDs: key.BotIDs}
	for _, p := range user.Role.Permissions() {
		if slices.Contains(key.Permissions, p) {
			caller.Permissions = append(caller.Permissions, p)
		}
	}
	until := now.Add(keyCacheFor)
	if key.ExpiresAt != nil && key.ExpiresAt.Before(until) {
		until = *key.ExpiresAt
	}
	s.remember(digest, knownKey{caller, until}, changes, now)
	return caller, nil
}

// find returns the stored key, or one that nothing matches.
func (s *APIKeys) find(ctx context.Context, publicID string) (*scaigrid.APIKey, *scaigrid.User, error) {
	key, user, err := s.store.APIKeyByPublicID(ctx, publicID)
	if scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
		return &scaigrid.APIKey{Digest: make([]byte, 1+sha256.Size)}, &scaigrid.User{}, nil
	}
	if err != nil {
		return nil, nil, storageError(fmt.Errorf("API key: %w", err))
	}
	return key, user, nil
}

// usable says why a stored key does not let in the one whose digest was shown.
func usable(key *scaigrid.APIKey, digest [1 + sha256.Size]byte, now time.Time) error {
	switch {
	case subtle.ConstantTimeCompare(key.Digest, digest[:]) != 1:
		return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "This API key is not one of this installation.")
	case key.RevokedAt != nil:
		return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "This API key was revoked. Make another one.")
	case key.ExpiresAt != nil && !now.Before(*key.ExpiresAt):
		return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "This API key has expired. Make another one.")
	}
	return nil
}

// Revoke ends a key of the tenant and every embed token that it minted: at once
// here, within seconds elsewhere. NOT_FOUND where the tenant has none with this id.
func (s *APIKeys) Revoke(ctx context.Context, tenantID, id string) error {
	if err := s.store.RevokeAPIKey(ctx, scaigrid.Caller{TenantID: tenantID}, id, s.clock()); err != nil {
		return err
	}
	s.forget(id)
	return s.revoked.RevokeKey(ctx, tenantID, id)
}

func (s *APIKeys) recall(digest [1 + sha256.Size]byte, now time.Time) (scaigrid.Caller, int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.known[digest]
	if !ok || !now.Before(k.until) || now.Before(k.until.Add(-keyCacheFor)) {
		return scaigrid.Caller{}, s.changes, false
	}
	s.used[k.caller.KeyID] = now
	return k.caller, s.changes, true
}

// remember keeps a key that was right, unless one was revoked since it was read.
func (s *APIKeys) remember(digest [1 + sha256.Size]byte, k knownKey, changes int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[k.caller.KeyID] = now
	if changes != s.changes {
		return
	}
	if len(s.known) >= keyCacheSize {
		clear(s.known)
	}
	s.known[digest] = k
}

func (s *APIKeys) forget(keyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	for digest, k := range s.known {
		if k.caller.KeyID == keyID {
			delete(s.known, digest)
		}
	}
}

// storeUses writes down when keys were last used, each at most once a minute.
func (s *APIKeys) storeUses(ctx context.Context) error {
	s.mu.Lock()
	var news map[string]time.Time
	news, s.used = s.used, map[string]time.Time{}
	for id, at := range news {
		if at.Truncate(time.Minute).Equal(s.stored[id]) {
			delete(news, id)
		}
	}
	s.mu.Unlock()
	var faults []error
	for id, at := range news {
		err := s.store.TouchAPIKey(ctx, id, at)
		s.mu.Lock()
		if err == nil || scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
			s.stored[id] = at.Truncate(time.Minute)
		} else {
			faults = append(faults, err)
			if s.used[id].Before(at) {
				s.used[id] = at
			}
		}
		s.mu.Unlock()
	}
	return errors.Join(faults...)
}
