package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
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
	mu    sync.Mutex
	by    map[[32]byte]rememberedVisitor // by bot and the site's id
}

type rememberedVisitor struct {
	id    string
	data  [32]byte // digest of e-mail, name and metadata
	saved time.Time
}

func newVisitorMemory(s *store.Store) *visitorMemory {
	return &visitorMemory{store: s, by: map[[32]byte]rememberedVisitor{}}
}

// subject returns the opaque id that a token carries: a fresh one for an
// anonymous visitor, of whom nothing is written, and always the same for one
// that the site knows, of whom the store keeps what the site says.
func (m *visitorMemory) subject(ctx context.Context, bot *scaigrid.Bot, r *mintRequest, now time.Time) (string, error) {
	fresh := scaigrid.NewID(scaigrid.KindVisitor, now)
	if r.externalID == "" {
		return fresh, nil
	}
	who, data := digest(bot.ID, r.externalID), digest(r.email, r.name, string(r.metadata))
	m.mu.Lock()
	v, ok := m.by[who]
	m.mu.Unlock()
	if ok && v.data == data && now.Sub(v.saved) < visitorFresh {
		return v.id, nil
	}
	id, err := m.store.SaveVisitor(ctx, scaigrid.Visitor{
		ID: fresh, TenantID: bot.TenantID, BotID: bot.ID, ExternalID: r.externalID, Email: r.email, Name: r.name,
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

// digest names texts, each told from the next by its length.
func digest(parts ...string) [32]byte {
	var b bytes.Buffer
	for _, p := range parts {
		n := len(p)
		b.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		b.WriteString(p)
	}
	return sha256.Sum256(b.Bytes())
}
