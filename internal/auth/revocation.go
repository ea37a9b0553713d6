package auth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
)

// Revocations knows which embed tokens were ended before their time: single
// ones, those of a visitor, of a bot, or all that an API key minted. This node's
// own hold at once, those of other nodes after the next look at the store.
type Revocations struct {
	store Store
	clock func() time.Time

	poll sync.Mutex // one look at the store at a time
	last int64      // newest id seen

	mu       sync.RWMutex
	tokens   map[string]time.Time // jti → when it may be forgotten
	keys     map[string]time.Time // API key → the same
	visitors map[string]cutoff    // "vis_…"
	bots     map[string]cutoff
	watchers map[*watcher]struct{}

	onKey func(keyID string) // told of each API key that is revoked
}

// cutoff ends what was minted up to a moment.
type cutoff struct {
	at    int64 // Unix seconds
	until time.Time
}

type watcher struct {
	pass scaigrid.Pass
	gone chan struct{}
}

func newRevocations(store Store, clock func() time.Time) *Revocations {
	return &Revocations{
		store: store, clock: clock, onKey: func(string) {},
		tokens: map[string]time.Time{}, keys: map[string]time.Time{},
		visitors: map[string]cutoff{}, bots: map[string]cutoff{}, watchers: map[*watcher]struct{}{},
	}
}

// RevokeToken ends one token of a bot. STORAGE_ERROR where that could not be
// stored; nothing is ended then. The same holds for the methods below.
func (r *Revocations) RevokeToken(ctx context.Context, tenantID, botID, tokenID string) error {
	return r.revoke(ctx, scaigrid.Revocation{TenantID: tenantID, BotID: botID, TokenID: tokenID})
}

// RevokeVisitor ends every token that one visitor ("vis_…") of a bot has now.
func (r *Revocations) RevokeVisitor(ctx context.Context, tenantID, botID, visitorID string) error {
	return r.revoke(ctx, scaigrid.Revocation{TenantID: tenantID, BotID: botID, VisitorID: visitorID})
}

// RevokeBot ends every token that a bot has now.
func (r *Revocations) RevokeBot(ctx context.Context, tenantID, botID string) error {
	return r.revoke(ctx, scaigrid.Revocation{TenantID: tenantID, BotID: botID})
}

// RevokeKey ends every token that an API key minted.
func (r *Revocations) RevokeKey(ctx context.Context, tenantID, keyID string) error {
	return r.revoke(ctx, scaigrid.Revocation{TenantID: tenantID, TokenID: keyID})
}

// revoke stores a revocation and obeys it here at once.
func (r *Revocations) revoke(ctx context.Context, v scaigrid.Revocation) error {
	v.At = r.clock()
	v.Until = v.At.Add(MaxTTL + 2*Leeway)
	if err := r.store.AddRevocation(ctx, v); err != nil {
		return storageError(fmt.Errorf("revoke: %w", err))
	}
	r.apply([]scaigrid.Revocation{v})
	return nil
}

// Revoked tells whether the token behind pass was ended.
func (r *Revocations) Revoked(pass scaigrid.Pass) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ended(pass)
}

func (r *Revocations) ended(pass scaigrid.Pass) bool {
	if len(r.tokens)+len(r.keys)+len(r.visitors)+len(r.bots) == 0 {
		return false
	}
	if _, ok := r.tokens[pass.TokenID]; ok {
		return true
	}
	if _, ok := r.keys[pass.KeyID]; ok && pass.KeyID != "" {
		return true
	}
	if c, ok := r.visitors[pass.Subject]; ok && pass.IssuedAt <= c.at {
		return true
	}
	c, ok := r.bots[pass.BotID]
	return ok && pass.IssuedAt <= c.at
}

// firstValid is the first second in which a token for these can be minted
// without being ended already.
func (r *Revocations) firstValid(botID, subject string) int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var first int64
	if c, ok := r.visitors[subject]; ok {
		first = c.at + 1
	}
	if c, ok := r.bots[botID]; ok {
		first = max(first, c.at+1)
	}
	return first
}

// Watch gives a channel that is closed when the token behind pass is ended.
// Call release when nothing depends on it any more.
func (r *Revocations) Watch(pass scaigrid.Pass) (gone <-chan struct{}, release func()) {
	w := &watcher{pass: pass, gone: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended(pass) {
		close(w.gone)
		return w.gone, func() {}
	}
	r.watchers[w] = struct{}{}
	return w.gone, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, w)
	}
}

// refresh obeys what other nodes stored since the last look.
func (r *Revocations) refresh(ctx context.Context) error {
	r.poll.Lock()
	defer r.poll.Unlock()
	news, err := r.store.RevocationsAfter(ctx, r.last)
	if err != nil {
		return fmt.Errorf("revocations: %w", err)
	}
	r.apply(news)
	for _, v := range news {
		r.last = max(r.last, v.ID)
	}
	return nil
}

func (r *Revocations) apply(news []scaigrid.Revocation) {
	if len(news) == 0 {
		return
	}
	now := r.clock()
	var keys []string
	r.mu.Lock()
	for _, v := range news {
		if now.After(v.Until) {
			continue
		}
		if scaigrid.IsID(scaigrid.KindAPIKey, v.TokenID) {
			r.keys[v.TokenID] = v.Until
			keys = append(keys, v.TokenID)
			continue
		}
		r.add(v)
	}
	for w := range r.watchers {
		if r.ended(w.pass) {
			close(w.gone)
			delete(r.watchers, w)
		}
	}
	r.mu.Unlock()
	for _, k := range keys {
		r.onKey(k)
	}
}

func (r *Revocations) add(v scaigrid.Revocation) {
	later := func(old cutoff) cutoff {
		if at := v.At.Unix(); at > old.at {
			return cutoff{at, v.Until}
		}
		return old
	}
	switch {
	case v.TokenID != "":
		r.tokens[v.TokenID] = v.Until
	case v.VisitorID != "":
		r.visitors[v.VisitorID] = later(r.visitors[v.VisitorID])
	case v.BotID != "":
		r.bots[v.BotID] = later(r.bots[v.BotID])
	}
}

// forget drops what can no longer end a living token.
func (r *Revocations) forget() {
	now := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range []map[string]time.Time{r.tokens, r.keys} {
		for k, until := range m {
			if now.After(until) {
				delete(m, k)
			}
		}
	}
	for _, m := range []map[string]cutoff{r.visitors, r.bots} {
		for k, c := range m {
			if now.After(c.until) {
				delete(m, k)
			}
		}
	}
}
