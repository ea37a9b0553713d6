package knowledge

import (
	"container/list"
	"context"
	"sync"

	"github.com/scailabs/scaigrid"
)

// cache keeps the indexes that were used last, within a bound of bytes.
type cache struct {
	max int64

	mu    sync.Mutex
	held  int64
	order *list.List // of *entry, most recently used first
	byBot map[string]*list.Element
}

// entry is the index of a bot, built or being built.
type entry struct {
	bot     string
	version int64
	ready   chan struct{}
	index   *index
	err     error
	size    int64
}

func newCache(limit int64) *cache {
	return &cache{max: limit, order: list.New(), byBot: map[string]*list.Element{}}
}

// index returns the index for what the bot knows now. Several who ask at once
// wait for one build.
func (l *Library) index(ctx context.Context, bot *scaigrid.Bot) (*index, error) {
	e, mine := l.cache.get(bot.ID, bot.KnowledgeVersion)
	if mine {
		e.index, e.err = l.build(context.WithoutCancel(ctx), bot)
		l.cache.settle(e)
		close(e.ready)
	}
	select {
	case <-e.ready:
		return e.index, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *Library) build(ctx context.Context, bot *scaigrid.Bot) (*index, error) {
	b, s := newBuilder(bot.KnowledgeVersion, &l.rank), newSampler()
	err := l.shelf.ScanChunks(ctx, bot.ID, func(c scaigrid.Chunk) error {
		s.add(int32(s.seen), c.Terms)
		return b.add(c.ID, c.DocumentID, c.Position, c.Terms)
	})
	if err != nil {
		return nil, err
	}
	x := b.build()
	return x, l.calibrate(ctx, bot.ID, x, s)
}

// get returns the entry for the version; mine tells that the caller has to
// build it. An older version is replaced, a newer one serves as well.
func (c *cache) get(bot string, version int64) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.byBot[bot]; ok {
		e := el.Value.(*entry)
		if e.version >= version {
			c.order.MoveToFront(el)
			return e, false
		}
		c.remove(el)
	}
	e = &entry{bot: bot, version: version, ready: make(chan struct{})}
	c.byBot[bot] = c.order.PushFront(e)
	return e, true
}

// settle counts a built index and lets go of the oldest ones; one that failed
// is forgotten, so that the next question tries again.
func (c *cache) settle(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byBot[e.bot]
	if !ok || el.Value.(*entry) != e {
		return
	}
	if e.err != nil {
		c.remove(el)
		return
	}
	e.size = e.index.size
	c.held += e.size
	for last := c.order.Back(); c.held > c.max && last != nil && last != el; last = c.order.Back() {
		c.remove(last)
	}
}

func (c *cache) remove(el *list.Element) {
	e := el.Value.(*entry)
	c.held -= e.size
	c.order.Remove(el)
	delete(c.byBot, e.bot)
}
