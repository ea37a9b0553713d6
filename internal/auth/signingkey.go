package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scailabs/scaigrid"
)

const (
	signingKeyBytes = 32
	// A new key waits this long before it signs, so that every node knows it first.
	signingKeyRest = time.Minute
	// Nodes may disagree about the time and learn of a retirement late.
	signingKeySlack = time.Minute
	// A key is replaced without being asked after this long.
	signingKeyAge = 90 * 24 * time.Hour
	// How often an unknown key id may make us ask the store.
	signingKeyAsk = 2 * time.Second
)

// signer makes and checks the signatures of one key.
type signer struct {
	scaigrid.SigningKey
	header string // first segment of every token of this key
	macs   sync.Pool
}

func newSigner(k scaigrid.SigningKey, secret []byte) *signer {
	s := &signer{SigningKey: k, header: strict64.EncodeToString([]byte(headerBefore + k.ID + headerAfter))}
	s.macs.New = func() any { return hmac.New(sha256.New, secret) }
	return s
}

func (s *signer) sign(signed []byte) [sha256.Size]byte {
	mac, _ := s.macs.Get().(hash.Hash)
	mac.Reset()
	_, _ = mac.Write(signed)
	var out [sha256.Size]byte
	mac.Sum(out[:0])
	s.macs.Put(mac)
	return out
}

// same tells whether the stored key is still what s was made of.
func (s *signer) same(k scaigrid.SigningKey) bool {
	if s.RetiredAt == nil || k.RetiredAt == nil {
		return s.RetiredAt == k.RetiredAt
	}
	return s.RetiredAt.Equal(*k.RetiredAt)
}

func (s *signer) verifies(now time.Time) bool {
	return s.RetiredAt == nil || now.Before(s.RetiredAt.Add(MaxTTL+Leeway+signingKeySlack))
}

func (s *signer) signs(now time.Time) bool { return s.RetiredAt == nil || now.Before(*s.RetiredAt) }

// keyRing holds the keys that sign and verify embed tokens.
type keyRing struct {
	store  Store
	secret *Secret
	clock  func() time.Time

	keys  atomic.Pointer[ringKeys]
	ask   sync.Mutex
	asked time.Time
}

type ringKeys struct {
	byHeader map[string]*signer
	newest   []*signer // newest first
}

// refresh reads the keys from the store.
func (r *keyRing) refresh(ctx context.Context) error {
	stored, err := r.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	known := map[string]*signer{}
	if old := r.keys.Load(); old != nil {
		for _, s := range old.newest {
			known[s.ID] = s
		}
	}
	now := r.clock()
	fresh := &ringKeys{byHeader: map[string]*signer{}}
	for _, k := range stored {
		s := known[k.ID]
		if s == nil || !s.same(k) {
			secret, err := r.secret.Open(k.Sealed, signingKeyPurpose(k.ID))
			if err != nil {
				return fmt.Errorf("signing key %s: %w", k.ID, err)
			}
			s = newSigner(k, secret)
		}
		if s.verifies(now) {
			fresh.byHeader[s.header] = s
			fresh.newest = append(fresh.newest, s)
		}
	}
	slices.SortFunc(fresh.newest, func(a, b *signer) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	r.keys.Store(fresh)
	return nil
}

// current is the key that signs: the newest that every node knows by now, or
// the newest at all.
func (r *keyRing) current(now time.Time) (*signer, error) {
	var young *signer
	for _, s := range r.keys.Load().newest {
		if !s.signs(now) {
			continue
		}
		if !now.Before(s.CreatedAt.Add(signingKeyRest)) {
			return s, nil
		}
		if young == nil {
			young = s
		}
	}
	if young == nil {
		return nil, errors.New("no signing key")
	}
	return young, nil
}

// byHeader finds the key by the first segment of a token. One that looks like
// ours and is not known makes the node ask the store, at most once in two
// seconds: another node may have made it.
func (r *keyRing) byHeader(ctx context.Context, header string) (*signer, error) {
	now := r.clock()
	if s := r.keys.Load().byHeader[header]; s != nil && s.verifies(now) {
		return s, nil
	}
	if !headerIsOurs(header) {
		return nil, nil
	}
	r.ask.Lock()
	defer r.ask.Unlock()
	if s := r.keys.Load().byHeader[header]; s != nil && s.verifies(now) {
		return s, nil
	}
	if since := now.Sub(r.asked); since >= 0 && since < signingKeyAsk {
		return nil, nil
	}
	r.asked = now
	if err := r.refresh(ctx); err != nil {
		return nil, err
	}
	return r.keys.Load().byHeader[header], nil
}

// rotate adds a key. The one that signed goes on until the new one is known
// everywhere, and verifies for a day after that.
func (r *keyRing) rotate(ctx context.Context) error {
	now := r.clock()
	return r.replace(ctx, now, now.Add(signingKeyRest))
}

// replaceAll adds a key and drops every other one, and with it each token that
// it signed.
func (r *keyRing) replaceAll(ctx context.Context) error {
	now := r.clock()
	if err := r.replace(ctx, now, now); err != nil {
		return err
	}
	if _, err := r.store.DropSigningKeys(ctx, now.Add(2*signingKeyRest)); err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	return r.refresh(ctx)
}

func (r *keyRing) replace(ctx context.Context, now, end time.Time) error {
	old, err := r.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	if err := r.store.AddSigningKey(ctx, r.newKey(now)); err != nil {
		return fmt.Errorf("signing keys: %w", err)
	}
	for _, k := range old {
		if k.RetiredAt != nil {
			continue
		}
		if err := r.store.RetireSigningKey(ctx, k.ID, end); err != nil {
			return fmt.Errorf("signing keys: %w", err)
		}
	}
	return r.refresh(ctx)
}

// tend replaces a key that has signed for long enough and forgets those that
// verify nothing any more.
func (r *keyRing) tend(ctx context.Context) error {
	now := r.clock()
	if newest := r.keys.Load().newest; len(newest) == 0 || now.Sub(newest[0].CreatedAt) >= signingKeyAge {
		if err := r.rotate(ctx); err != nil {
			return err
		}
	}
	_, err := r.store.DropSigningKeys(ctx, now.Add(-2*(MaxTTL+Leeway+signingKeySlack)))
	return err
}

func (r *keyRing) newKey(now time.Time) scaigrid.SigningKey {
	secret := make([]byte, signingKeyBytes)
	_, _ = rand.Read(secret)
	id := randomBase62(kidLength)
	return scaigrid.SigningKey{ID: id, Sealed: r.secret.Seal(secret, signingKeyPurpose(id)), CreatedAt: now}
}

func signingKeyPurpose(id string) string { return "signing key " + id }
