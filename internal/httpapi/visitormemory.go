package httpapi

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

const (
	visitorFresh = 10 * time.Second // how long what was said of a visitor is taken to be stored still
	maxVisitors  = 20_000
)

// visitorMemory knows which visitors were minted for lately with which data,
// so that a page view of a visitor of whom nothing changed asks no database.
type visitorMemory struct {
	store *store.Store
	seed  maphash.Seed
	mu    sync.Mutex
	by    map[siteVisitor]rememberedVisitor
}

type siteVisitor struct{ botID, externalID string }

type rememberedVisitor struct {
	id    string
	data  uint64 // hash of e-mail, name and metadata
	saved time.Time
}

func newVisitorMemory(s *store.Store) *visitorMemory {
	return &visitorMemory{store: s, seed: maphash.MakeSeed(), by: map[siteVisitor]rememberedVisitor{}}
}

// subject returns the opaque id that a token carries: a fresh one for an
// anonymous visitor, of whom nothing is written, and always the same for one
// that the site knows, of whom the store keeps what the site says.
func (m *visitorMemory) subject(ctx context.Context, bot *scaigrid.Bot, r *mintRequest, now time.Time) (string, error) {
	if r.externalID == "" {
		return scaigrid.NewID(scaigrid.KindVisitor, now), nil
	}
	who, data := siteVisitor{bot.ID, r.externalID}, m.hash(r)
	m.mu.Lock()
	v, ok := m.by[who]
	m.mu.Unlock()
	if ok && v.data == data && now.Sub(v.saved) < visitorFresh {
		return v.id, nil
	}
	id, err := m.store.SaveVisitor(ctx, scaigrid.Visitor{
		ID: scaigrid.NewID(scaigrid.KindVisitor, now), TenantID: bot.TenantID, BotID: bot.ID, ExternalID: r.externalID, Email: r.email, Name: r.name,
		Metadata: r.metadata, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.by) >= maxVisitors {
		clear(m.by) // each is asked for again when it is needed
	}
	m.by[who] = rememberedVisitor{id: id, data: data, saved: now}
	return id, nil
}

// hash stands for what a site says of a visitor. Texts never hold the byte that
// stands between them here.
func (m *visitorMemory) hash(r *mintRequest) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	for _, text := range []string{r.email, r.name} {
		_, _ = h.WriteString(text)
		_ = h.WriteByte(0xff)
	}
	_, _ = h.Write(r.metadata)
	return h.Sum64()
}
