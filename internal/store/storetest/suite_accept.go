package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scailabs/scaigrid"
)

var acceptCases = []testCase{
	{"a first message makes visitor, conversation, message, reply and turn", func(w *World) {
		a := w.Ask("", "", "How long does shipping take?")
		a.KeyHash, a.Locale = []byte("hash"), "en-GB"
		a.Page, a.Claimed = &scaigrid.Page{URL: "https://shop.test/cart", Title: "Cart"}, &scaigrid.Claimed{ID: "9", Email: "me@x.test", Name: "Me"}
		acc := w.Accept(a)
		want := scaigrid.Turn{
			ID: a.NewTurnID, TenantID: w.Tenant.ID, BotID: w.Bot.ID, ConversationID: a.NewConversationID, VisitorID: a.NewVisitorID,
			MessageID: a.NewMessageID, ReplyID: a.NewReplyID, State: scaigrid.TurnRunning, Epoch: 1, Node: "node-a", CreatedAt: w.Now,
		}
		w.Equal("accepted", acc, scaigrid.Accepted{Turn: want, NewTurn: true, VisitorID: a.NewVisitorID})
		turn, reply, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		want.Marks = []scaigrid.Mark{}
		w.Equal("stored turn", *turn, want)
		if reply.Status != scaigrid.MessageStreaming || reply.Role != scaigrid.RoleAssistant || reply.Content != "" || reply.TurnID != turn.ID {
			w.T.Fatalf("reply %+v", reply)
		}
		messages, err := w.Store.Messages(ctx, turn.ConversationID)
		w.Must(err)
		if len(messages) != 2 || messages[0].ID != a.NewMessageID || messages[0].Content != a.Text || messages[0].Status != scaigrid.MessageComplete || messages[1].ID != a.NewReplyID {
			w.T.Fatalf("messages %+v", messages)
		}
		v, err := w.Store.VisitorByKey(ctx, w.Bot.ID, []byte("hash"))
		w.Must(err)
		w.Equal("visitor", v.ID, a.NewVisitorID)
		c, err := w.Store.VisitorConversation(ctx, w.Bot.ID, v.ID, turn.ConversationID)
		w.Must(err)
		w.Equal("conversation", *c, scaigrid.Conversation{
			ID: turn.ConversationID, TenantID: w.Tenant.ID, BotID: w.Bot.ID, Status: scaigrid.ConversationOpen, Visitor: scaigrid.VisitorView{Ref: v.ID},
			Claimed: a.Claimed, Page: a.Page, Locale: "en-GB", MessageCount: 2, CreatedAt: w.Now, UpdatedAt: w.Now,
		})
		running, err := w.Store.RunningTurn(ctx, turn.ConversationID)
		w.Must(err)
		w.Equal("running", running, turn.ID)
	}},
	{"a verified visitor's identity and metadata come to the conversation", func(w *World) {
		vis := w.Visitor("u-7", "ann@example.test")
		acc := w.Accept(w.Ask(vis, "", "hello"))
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, acc.Turn.ConversationID)
		w.Must(err)
		if *c.Visitor.ID != "u-7" || *c.Visitor.Email != "ann@example.test" || !c.Visitor.Verified || c.Visitor.Name != nil || string(c.Metadata) != `{"plan":"pro"}` {
			w.T.Fatalf("conversation %+v", c)
		}
	}},
	{"a second message goes on in the conversation, and page and claims follow", func(w *World) {
		first := w.Accept(w.Ask("", "", "one"))
		w.Finish(first.Turn.ID, "1")
		w.Now = w.Now.Add(time.Minute)
		a := w.Ask(first.VisitorID, first.Turn.ConversationID, "two")
		a.Page = &scaigrid.Page{URL: "https://shop.test/two"}
		second := w.Accept(a)
		w.Equal("conversation", second.Turn.ConversationID, first.Turn.ConversationID)
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, first.Turn.ConversationID)
		w.Must(err)
		if c.Page.URL != "https://shop.test/two" || c.MessageCount != 4 || !c.UpdatedAt.Equal(w.Now) || c.CreatedAt.Equal(w.Now) {
			w.T.Fatalf("conversation %+v", c)
		}
		history, err := w.Store.History(ctx, c.ID, a.NewMessageID, 10)
		w.Must(err)
		w.Equal("history", contents(history), "one|1")
	}},
	{"a conversation of another visitor or bot, or none, is not found", func(w *World) {
		mine := w.Accept(w.Ask("", "", "one"))
		w.Finish(mine.Turn.ID, "1")
		other := w.Accept(w.Ask("", "", "two"))
		for name, a := range map[string]scaigrid.Acceptance{
			"another visitor":      w.Ask(other.VisitorID, mine.Turn.ConversationID, "x"),
			"nobody":               w.Ask("", mine.Turn.ConversationID, "x"),
			"no such conversation": w.Ask(mine.VisitorID, "conv_none", "x"),
			"an id with NUL":       w.Ask(mine.VisitorID, "conv_\x00", "x"),
			"a stranger who edits": func() scaigrid.Acceptance { a := w.Ask("", "", "x"); a.Replaces = mine.Turn.MessageID; return a }(),
			"the bot next door": func() scaigrid.Acceptance {
				a := w.Ask(mine.VisitorID, mine.Turn.ConversationID, "x")
				a.Bot = w.NewBot("next")
				return a
			}(),
			"a bot of other people": func() scaigrid.Acceptance {
				a := w.Ask(mine.VisitorID, "", "x")
				b := *w.Bot
				b.TenantID = "tenant_other"
				a.Bot = &b
				return a
			}(),
		} {
			_, err := w.Store.Accept(ctx, a)
			if scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
				w.T.Errorf("%s: %v", name, err)
			}
			if _, err := w.Store.VisitorByID(ctx, a.NewVisitorID); scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
				w.T.Errorf("%s left a visitor behind", name)
			}
		}
		messages, err := w.Store.Messages(ctx, mine.Turn.ConversationID)
		w.Must(err)
		w.Equal("messages", len(messages), 2)
	}},
	{"one turn at a time in a conversation, none in a closed one", func(w *World) {
		acc := w.Accept(w.Ask("", "", "one"))
		_, err := w.Store.Accept(ctx, w.Ask(acc.VisitorID, acc.Turn.ConversationID, "two"))
		w.WantCode(err, scaigrid.CodeTurnInProgress)
		w.Accept(w.Ask(acc.VisitorID, "", "in another one"))
		w.Finish(acc.Turn.ID, "1")
		w.WantCode(w.Store.CloseConversation(ctx, "tenant_other", acc.Turn.ConversationID, w.Now), scaigrid.CodeNotFound)
		w.Must(w.Store.CloseConversation(ctx, w.Tenant.ID, acc.Turn.ConversationID, w.Now))
		_, err = w.Store.Accept(ctx, w.Ask(acc.VisitorID, acc.Turn.ConversationID, "two"))
		w.WantCode(err, scaigrid.CodeConflict)
	}},
	{"of many messages at once in one conversation, one is taken", func(w *World) {
		first := w.Accept(w.Ask("", "", "one"))
		w.Finish(first.Turn.ID, "1")
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 30 {
			a := w.Ask(first.VisitorID, first.Turn.ConversationID, "again")
			wg.Go(func() {
				switch _, err := w.Store.Accept(ctx, a); scaigrid.ErrorCode(err) {
				case "":
					won.Add(1)
				case scaigrid.CodeTurnInProgress:
				default:
					w.Note(err)
				}
			})
		}
		wg.Wait()
		w.Equal("won", won.Load(), int64(1))
		messages, err := w.Store.Messages(ctx, first.Turn.ConversationID)
		w.Must(err)
		w.Equal("messages", len(messages), 4)
	}},
	{"many first messages with one new key are of one visitor", func(w *World) {
		visitors := sync.Map{}
		var wg sync.WaitGroup
		for range 20 {
			a := w.Ask("", "", "hello")
			a.KeyHash = []byte("the same browser")
			wg.Go(func() {
				acc, err := w.Store.Accept(ctx, a)
				w.Note(err)
				visitors.Store(acc.VisitorID, true)
			})
		}
		wg.Wait()
		n := 0
		visitors.Range(func(any, any) bool { n++; return true })
		w.Equal("visitors", n, 1)
	}},
	{"an edit withdraws the last question and its answer", func(w *World) {
		first := w.Accept(w.Ask("", "", "one"))
		w.Finish(first.Turn.ID, "1")
		second := w.Accept(w.Ask(first.VisitorID, first.Turn.ConversationID, "tow"))
		edit := w.Ask(first.VisitorID, first.Turn.ConversationID, "two")
		edit.Replaces = second.Turn.MessageID
		_, err := w.Store.Accept(ctx, edit)
		w.WantCode(err, scaigrid.CodeTurnInProgress)
		w.Finish(second.Turn.ID, "2?")
		early := edit
		early.Replaces = first.Turn.MessageID
		_, err = w.Store.Accept(ctx, early)
		w.WantCode(err, scaigrid.CodeConflict)
		early.Replaces = first.Turn.ReplyID
		_, err = w.Store.Accept(ctx, early)
		w.WantCode(err, scaigrid.CodeConflict)
		edit.ConversationID = "" // the message tells which
		third := w.Accept(edit)
		w.Equal("conversation", third.Turn.ConversationID, first.Turn.ConversationID)
		w.Finish(third.Turn.ID, "2")
		messages, err := w.Store.Messages(ctx, first.Turn.ConversationID)
		w.Must(err)
		w.Equal("messages", contents(messages), "one|1|tow|2?|two|2")
		w.Equal("states", states(messages), "complete|complete|withdrawn|withdrawn|complete|complete")
		history, err := w.Store.History(ctx, first.Turn.ConversationID, "", 10)
		w.Must(err)
		w.Equal("history", contents(history), "one|1|two|2")
		_, err = w.Store.Accept(ctx, func() scaigrid.Acceptance {
			a := w.Ask(first.VisitorID, "", "x")
			a.Replaces = second.Turn.MessageID
			return a
		}())
		w.WantCode(err, scaigrid.CodeConflict)
	}},
}

func contents(messages []scaigrid.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Content)
	}
	return strings.Join(out, "|")
}

func states(messages []scaigrid.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, string(m.Status))
	}
	return strings.Join(out, "|")
}
