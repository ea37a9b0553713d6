package httpapi

import (
	"context"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

const (
	botFresh = time.Second // how old a bot may be that minting and embed-info work with
	maxBots  = 2000
)

// botCache keeps bots for the two calls that every page view makes. A change
// on this node shows at once, one on another node within botFresh.
type botCache struct {
	store *store.Store
	clock func() time.Time
	mu    sync.RWMutex
	by    map[string]*cachedBot
}

type cachedBot struct {
	*scaigrid.Bot
	asked time.Time
	info  *lazyInfo
}

func newBotCache(store *store.Store, clock func() time.Time) *botCache {
	return &botCache{store: store, clock: clock, by: map[string]*cachedBot{}}
}

// get returns the bot, from memory where it is fresh enough; NOT_FOUND where
// there is none.
func (b *botCache) get(ctx context.Context, id string, now time.Time) (*cachedBot, error) {
	b.mu.RLock()
	e := b.by[id]
	b.mu.RUnlock()
	if e != nil && now.Sub(e.asked) < botFresh {
		return e, nil
	}
	found, err := b.store.BotPublic(ctx, id)
	if err != nil {
		return nil, err
	}
	fresh := &cachedBot{Bot: found, asked: now, info: &lazyInfo{}}
	if e != nil && e.Version == found.Version {
		fresh.info = e.info
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e == nil && len(b.by) >= maxBots {
		clear(b.by) // each is asked for again when it is needed
	}
	b.by[id] = fresh
	return fresh, nil
}

func (b *botCache) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.by, id)
}
