package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

// World is a store with a tenant and an active bot in it, and a clock that
// moves when it is told to.
type World struct {
	T      testing.TB
	Store  *store.Store
	Tenant *scaigrid.Tenant
	Admin  *scaigrid.User
	Bot    *scaigrid.Bot
	Now    time.Time

	ids *atomic.Int64
}

// NewWorld fills an empty store.
func NewWorld(t testing.TB, s *store.Store) *World {
	t.Helper()
	w := &World{T: t, Store: s, Now: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC), ids: new(atomic.Int64)}
	var err error
	w.Tenant, w.Admin, _, err = s.EnsureTenant(context.Background(),
		scaigrid.Tenant{ID: w.ID("tenant"), Slug: "default", Name: "Default", CreatedAt: w.Now},
		scaigrid.User{ID: w.ID("usr"), Email: "admin@example.test", Name: "Admin", Role: scaigrid.RoleTenantAdmin, CreatedAt: w.Now})
	if err != nil {
		t.Fatalf("tenant: %v", err)
	}
	w.Bot = w.NewBot("support")
	return w
}

// ID gives a new id of a kind; they grow.
func (w *World) ID(kind string) string { return fmt.Sprintf("%s_%06d", kind, w.ids.Add(1)) }

// NewBot stores an active bot with this slug.
func (w *World) NewBot(slug string) *scaigrid.Bot {
	w.T.Helper()
	b := &scaigrid.Bot{ID: w.ID("bot"), TenantID: w.Tenant.ID, Status: scaigrid.BotActive, BotConfig: scaigrid.DefaultBotConfig(), CreatedAt: w.Now}
	b.Name, b.Slug, b.Model = "Bot "+slug, slug, scaigrid.ExtractiveModel
	w.Must(w.Store.CreateBot(context.Background(), b, w.Admin.ID))
	return b
}

// Ask is an acceptance of a message by a visitor; "" for one not seen before.
func (w *World) Ask(visitorID, conversationID, text string) scaigrid.Acceptance {
	return scaigrid.Acceptance{
		Bot: w.Bot, Pass: scaigrid.Pass{TenantID: w.Tenant.ID, BotID: w.Bot.ID, Anonymous: true},
		VisitorID: visitorID, ConversationID: conversationID, Text: text,
		Node: "node-a", LeaseUntil: w.Now.Add(10 * time.Second), Now: w.Now,
		NewVisitorID: w.ID("vis"), NewConversationID: w.ID("conv"), NewMessageID: w.ID("msg"), NewReplyID: w.ID("msg"), NewTurnID: w.ID("turn"),
	}
}

// Accept stores an acceptance that must be taken.
func (w *World) Accept(a scaigrid.Acceptance) scaigrid.Accepted {
	w.T.Helper()
	acc, err := w.Store.Accept(context.Background(), a)
	w.Must(err)
	return acc
}

// Finish ends a turn with a complete answer.
func (w *World) Finish(turnID, answer string) {
	w.T.Helper()
	w.Must(w.Store.FinishTurn(context.Background(), turnID, Answer(answer), []scaigrid.Mark{{Name: scaigrid.EventFinish}}, w.Now))
}

// Answer is the outcome of a turn that went well.
func Answer(text string) scaigrid.Outcome {
	first := 40 * time.Millisecond
	return scaigrid.Outcome{
		Status: scaigrid.MessageComplete, FinishReason: "stop", Content: text, Answered: true, Confidence: 0.75, FirstToken: &first, Latency: 90 * time.Millisecond,
		Citations: []scaigrid.Citation{{N: 1, DocumentID: "doc_1", Title: "Shipping", PassageID: "psg_1", Quote: "two days"}},
		Passages:  []scaigrid.Passage{{ID: "psg_1", DocumentID: "doc_1", Text: "Orders ship in two days.", Score: 0.9, Kept: true, Why: "It is above the threshold."}},
		Usage:     &scaigrid.Usage{PromptTokens: 120, CompletionTokens: 30, Model: scaigrid.ExtractiveModel}, Cost: 0.002,
		Steps: []scaigrid.StepTime{{Step: scaigrid.StepAccept, Spent: time.Millisecond}},
	}
}

// Visitor notes a visitor whom the site knows, with metadata, and returns our id.
func (w *World) Visitor(externalID, email string) string {
	w.T.Helper()
	id, err := w.Store.SaveVisitor(context.Background(), scaigrid.Visitor{
		ID: w.ID("vis"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, ExternalID: externalID, Email: email, Metadata: []byte(`{"plan":"pro"}`), UpdatedAt: w.Now,
	})
	w.Must(err)
	return id
}

// AddDocument stores a document of the bot.
func (w *World) AddDocument(name, text string) *scaigrid.Document {
	w.T.Helper()
	d := &scaigrid.Document{
		ID: w.ID("doc"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, Name: name, Source: "text", MediaType: "text/plain", URL: "https://docs.test/" + name,
		SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text))), CreatedAt: w.Now,
	}
	w.Must(w.Store.AddDocument(context.Background(), d, []byte(text)))
	return d
}

// Equal reports a difference.
func (w *World) Equal(what string, got, want any) {
	w.T.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.T.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// Must ends the test at an error.
func (w *World) Must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatalf("unexpected error: %v", err)
	}
}

// Note reports an error and goes on; for goroutines, which must not end a test.
func (w *World) Note(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Errorf("unexpected error: %v", err)
	}
}

// WantCode ends the test unless the error has the code.
func (w *World) WantCode(err error, code scaigrid.Code) {
	w.T.Helper()
	if scaigrid.ErrorCode(err) != code {
		w.T.Fatalf("error is %v, want code %s", err, code)
	}
}

// Bot stores an active bot in the default tenant, which is made when missing;
// each of change may alter its configuration first.
func Bot(t testing.TB, s *store.Store, change ...func(*scaigrid.BotConfig)) *scaigrid.Bot {
	t.Helper()
	ctx, now := context.Background(), time.Now()
	tenant, admin, _, err := s.EnsureTenant(ctx,
		scaigrid.Tenant{ID: scaigrid.NewID(scaigrid.KindTenant, now), Slug: "default", Name: "Default", CreatedAt: now},
		scaigrid.User{ID: scaigrid.NewID(scaigrid.KindUser, now), Email: "admin@example.test", Name: "Admin", Role: scaigrid.RoleTenantAdmin, CreatedAt: now})
	if err != nil {
		t.Fatalf("tenant: %v", err)
	}
	b := &scaigrid.Bot{ID: scaigrid.NewID(scaigrid.KindBot, now), TenantID: tenant.ID, Status: scaigrid.BotActive, BotConfig: scaigrid.DefaultBotConfig(), CreatedAt: now}
	b.Name, b.Slug, b.Model = "Support", strings.ToLower(strings.ReplaceAll(b.ID, "_", "-")), scaigrid.ExtractiveModel
	for _, c := range change {
		c(&b.BotConfig)
	}
	if err := s.CreateBot(ctx, b, admin.ID); err != nil {
		t.Fatalf("bot: %v", err)
	}
	return b
}

// Visitor notes a visitor whom the site knows by this id, and returns ours.
func Visitor(t testing.TB, s *store.Store, b *scaigrid.Bot, externalID string) string {
	t.Helper()
	now := time.Now()
	id, err := s.SaveVisitor(context.Background(), scaigrid.Visitor{
		ID: scaigrid.NewID(scaigrid.KindVisitor, now), TenantID: b.TenantID, BotID: b.ID, ExternalID: externalID, UpdatedAt: now,
	})
	if err != nil {
		t.Fatalf("visitor: %v", err)
	}
	return id
}
