package storetest

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

var botCases = []testCase{
	{"a bot is read as it was written, by its tenant alone", func(w *World) {
		got, err := w.Store.Bot(ctx, w.Tenant.ID, w.Bot.ID)
		w.Must(err)
		w.Equal("bot", *got, *w.Bot)
		_, err = w.Store.Bot(ctx, "tenant_other", w.Bot.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		got, err = w.Store.BotPublic(ctx, w.Bot.ID)
		w.Must(err)
		w.Equal("public", got.ID, w.Bot.ID)
	}},
	{"a slug is taken once, also by many at a time", func(w *World) {
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		for range 12 {
			b := *w.Bot
			b.ID, b.Slug = w.ID("bot"), "same"
			wg.Go(func() {
				switch err := w.Store.CreateBot(ctx, &b, w.Admin.ID); scaigrid.ErrorCode(err) {
				case "":
					won.Add(1)
				case scaigrid.CodeSlugConflict:
					lost.Add(1)
				default:
					w.T.Errorf("unexpected %v", err)
				}
			})
		}
		wg.Wait()
		w.Equal("won", won.Load(), int64(1))
		w.Equal("lost", lost.Load(), int64(11))
		cfg := w.Bot.BotConfig
		cfg.Slug = "same"
		_, err := w.Store.ReplaceBot(ctx, w.Tenant.ID, w.Bot.ID, cfg, "", 0, w.Admin.ID, w.Now)
		w.WantCode(err, scaigrid.CodeSlugConflict)
	}},
	{"changes count versions, and a stale one is refused with the current", func(w *World) {
		cfg := w.Bot.BotConfig
		cfg.WelcomeMessage = "Hello"
		got, err := w.Store.ReplaceBot(ctx, w.Tenant.ID, w.Bot.ID, cfg, "", 1, "usr_b", w.Now.Add(time.Minute))
		w.Must(err)
		if got.Version != 2 || got.WelcomeMessage != "Hello" || got.Status != scaigrid.BotActive || !got.UpdatedAt.Equal(w.Now.Add(time.Minute)) {
			w.T.Fatalf("replaced to %+v", got)
		}
		_, err = w.Store.SetBotStatus(ctx, w.Tenant.ID, w.Bot.ID, scaigrid.BotArchived, 1, "", w.Now)
		w.WantCode(err, scaigrid.CodeConflict)
		var e *scaigrid.Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, "version 2 ") {
			w.T.Fatalf("the error does not name the version: %v", err)
		}
		got, err = w.Store.SetBotStatus(ctx, w.Tenant.ID, w.Bot.ID, scaigrid.BotArchived, 0, "", w.Now)
		w.Must(err)
		w.Equal("status", got.Status, scaigrid.BotArchived)
		_, err = w.Store.SetBotStatus(ctx, "tenant_other", w.Bot.ID, scaigrid.BotDraft, 0, "", w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
		versions, next, err := w.Store.BotVersions(ctx, w.Tenant.ID, w.Bot.ID, scaigrid.PageRequest{Limit: 2})
		w.Must(err)
		if len(versions) != 2 || versions[0].Version != 3 || versions[1].By != "usr_b" || versions[1].Config.WelcomeMessage != "Hello" {
			w.T.Fatalf("versions %+v", versions)
		}
		versions, _, err = w.Store.BotVersions(ctx, w.Tenant.ID, w.Bot.ID, scaigrid.PageRequest{Limit: 2, After: next.NextCursor})
		w.Must(err)
		w.Equal("the first", versions[0].Version, int64(1))
		_, _, err = w.Store.BotVersions(ctx, "tenant_other", w.Bot.ID, scaigrid.PageRequest{})
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
	{"of changes at the same time with one version, one wins", func(w *World) {
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := w.Store.ReplaceBot(ctx, w.Tenant.ID, w.Bot.ID, w.Bot.BotConfig, "", 1, "", w.Now)
				if err == nil {
					won.Add(1)
				} else if scaigrid.ErrorCode(err) != scaigrid.CodeConflict {
					w.T.Errorf("unexpected %v", err)
				}
			})
		}
		wg.Wait()
		w.Equal("won", won.Load(), int64(1))
	}},
	{"bots are listed newest first, page by page, narrowed", func(w *World) {
		for _, slug := range []string{"b", "c", "d", "e"} { // all at the same moment: the id decides
			w.NewBot(slug)
		}
		var slugs []string
		page := scaigrid.PageRequest{Limit: 2}
		for {
			list, next, err := w.Store.Bots(ctx, w.Tenant.ID, store.BotFilter{}, page)
			w.Must(err)
			for _, b := range list {
				slugs = append(slugs, b.Slug)
			}
			if page.After = next.NextCursor; page.After == "" {
				break
			}
		}
		w.Equal("order", strings.Join(slugs, " "), "e d c b support")
		list, _, err := w.Store.Bots(ctx, w.Tenant.ID, store.BotFilter{BotIDs: []string{w.Bot.ID, "bot_none"}, Status: scaigrid.BotActive}, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("narrowed", len(list), 1)
		list, _, err = w.Store.Bots(ctx, "tenant_other", store.BotFilter{}, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("another tenant's", len(list), 0)
	}},
	{"a cursor that is none and a limit that is too large are told with their field", func(w *World) {
		for field, page := range map[string]scaigrid.PageRequest{
			"query.limit": {Limit: 101}, "query.cursor": {After: "%%%"},
		} {
			_, _, err := w.Store.Bots(ctx, w.Tenant.ID, store.BotFilter{}, page)
			var e *scaigrid.Error
			if !errors.As(err, &e) || e.Code != scaigrid.CodeValidation || e.Details[0].Field != field {
				w.T.Errorf("%+v gave %v", page, err)
			}
		}
		for _, cursor := range []string{"AAAA", "LjA", "MS4AAA", strings.Repeat("A", 5000)} {
			_, _, err := w.Store.Bots(ctx, w.Tenant.ID, store.BotFilter{}, scaigrid.PageRequest{After: cursor})
			if code := scaigrid.ErrorCode(err); code != "" && code != scaigrid.CodeValidation {
				w.T.Errorf("cursor %.10q gave %v", cursor, err)
			}
		}
	}},
	{"deleting a bot leaves its conversations without a name", func(w *World) {
		vis := w.Visitor("u-1", "ann@example.test")
		a := w.Ask(vis, "", "hello")
		a.Page, a.Claimed = &scaigrid.Page{URL: "https://a.test/"}, &scaigrid.Claimed{Email: "x@y.test"}
		acc := w.Accept(a)
		w.Finish(acc.Turn.ID, "hi")
		d := w.AddDocument("Terms", "text")
		w.WantCode(w.Store.DeleteBot(ctx, w.Tenant.ID, w.Bot.ID, 7, w.Now), scaigrid.CodeConflict)
		w.WantCode(w.Store.DeleteBot(ctx, "tenant_other", w.Bot.ID, 0, w.Now), scaigrid.CodeNotFound)
		w.Must(w.Store.DeleteBot(ctx, w.Tenant.ID, w.Bot.ID, 1, w.Now))
		_, err := w.Store.Document(ctx, w.Bot.ID, d.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		_, err = w.Store.DocumentBlob(ctx, d.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, acc.Turn.ConversationID)
		w.Must(err)
		if c.Visitor.Ref != vis || c.Visitor.ID != nil || c.Visitor.Email != nil || c.Visitor.Verified || c.Metadata != nil || c.Page != nil || c.Claimed != nil || c.MessageCount != 2 {
			w.T.Fatalf("left over: %+v", c)
		}
		_, err = w.Store.Accept(ctx, w.Ask(vis, acc.Turn.ConversationID, "still there?"))
		w.WantCode(err, scaigrid.CodeNotFound)
		_, err = w.Store.Accept(ctx, w.Ask(vis, "", "anybody?"))
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
}

var visitorCases = []testCase{
	{"a visitor is written when he changes, and never twice", func(w *World) {
		v := scaigrid.Visitor{ID: w.ID("vis"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, ExternalID: "42", Email: "a@b.test", Metadata: []byte(`{ "plan": "pro" }`), UpdatedAt: w.Now}
		id, err := w.Store.SaveVisitor(ctx, v)
		w.Must(err)
		w.Equal("id", id, v.ID)
		again := v
		again.ID, again.UpdatedAt = w.ID("vis"), w.Now.Add(time.Hour)
		id, err = w.Store.SaveVisitor(ctx, again)
		w.Must(err)
		w.Equal("the same visitor", id, v.ID)
		held, err := w.Store.VisitorByID(ctx, id)
		w.Must(err)
		w.Equal("nothing was written", held.UpdatedAt, w.Now)
		w.Equal("metadata", string(held.Metadata), `{"plan":"pro"}`)
		again.Email, again.Metadata = "", nil
		_, err = w.Store.SaveVisitor(ctx, again)
		w.Must(err)
		held, err = w.Store.VisitorByExternalID(ctx, w.Bot.ID, "42")
		w.Must(err)
		if held.Email != "" || held.Metadata != nil || !held.UpdatedAt.Equal(w.Now.Add(time.Hour)) || !held.CreatedAt.Equal(w.Now) || !held.Verified() {
			w.T.Fatalf("held %+v", held)
		}
		other := w.NewBot("other")
		v.BotID, v.ID = other.ID, w.ID("vis")
		id, err = w.Store.SaveVisitor(ctx, v)
		w.Must(err)
		w.Equal("of another bot", id, v.ID)
	}},
	{"a visitor minted for by many at once is one", func(w *World) {
		ids := sync.Map{}
		var wg sync.WaitGroup
		for range 20 {
			v := scaigrid.Visitor{ID: w.ID("vis"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, ExternalID: "42", Name: "Ann", UpdatedAt: w.Now}
			wg.Go(func() {
				id, err := w.Store.SaveVisitor(ctx, v)
				w.Note(err)
				ids.Store(id, true)
			})
		}
		wg.Wait()
		n := 0
		ids.Range(func(any, any) bool { n++; return true })
		w.Equal("visitors", n, 1)
	}},
	{"joining moves an anonymous visitor's conversations once and ends the key", func(w *World) {
		key := []byte("hash of a key")
		a := w.Ask("", "", "before")
		a.KeyHash, a.ClientMessageID = key, "m-1"
		acc := w.Accept(a)
		w.Finish(acc.Turn.ID, "answer")
		ann := w.Visitor("ann", "")
		b := w.Ask(ann, "", "of her own")
		b.ClientMessageID = "m-1" // the same id, which must not stop the joining
		w.Finish(w.Accept(b).Turn.ID, "x")
		_, err := w.Store.JoinVisitor(ctx, w.Bot.ID, key, "vis_none", w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
		joined, err := w.Store.JoinVisitor(ctx, w.Bot.ID, key, ann, w.Now)
		w.Must(err)
		w.Equal("joined", joined, true)
		joined, err = w.Store.JoinVisitor(ctx, w.Bot.ID, key, ann, w.Now)
		w.Must(err)
		w.Equal("joined again", joined, false)
		_, err = w.Store.VisitorByKey(ctx, w.Bot.ID, key)
		w.WantCode(err, scaigrid.CodeNotFound)
		_, err = w.Store.VisitorConversation(ctx, w.Bot.ID, ann, acc.Turn.ConversationID)
		w.Must(err)
		turn, _, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		w.Equal("the turn's visitor", turn.VisitorID, ann)
		c := w.Ask("", "", "with the dead key")
		c.KeyHash = key
		fresh := w.Accept(c)
		if fresh.VisitorID == ann || fresh.VisitorID == acc.VisitorID {
			w.T.Fatal("a dead key still opens a visitor")
		}
		_, err = w.Store.VisitorByKey(ctx, w.Bot.ID, key)
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
}
