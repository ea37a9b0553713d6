package storetest

import (
	"sync"
	"sync/atomic"

	"github.com/scailabs/scaigrid"
)

var retryCases = []testCase{
	{"100 equal messages at once are one message and one turn", func(w *World) {
		vis := w.Visitor("u", "")
		var turns, visitors sync.Map
		var made atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			a := w.Ask(vis, "", "hello")
			a.ClientMessageID = "5c9e"
			wg.Go(func() {
				acc, err := w.Store.Accept(ctx, a)
				if err != nil {
					w.Note(err)
					return
				}
				if acc.NewTurn {
					made.Add(1)
				}
				turns.Store(acc.Turn.ID, acc.Turn.ConversationID)
				visitors.Store(acc.VisitorID, true)
			})
		}
		wg.Wait()
		w.Equal("turns made", made.Load(), int64(1))
		n := 0
		turns.Range(func(_, conversation any) bool {
			n++
			messages, err := w.Store.Messages(ctx, conversation.(string))
			w.Must(err)
			w.Equal("messages", len(messages), 2)
			return true
		})
		w.Equal("turns seen", n, 1)
		list, _, err := w.Store.Conversations(ctx, w.Tenant.ID, scaigrid.ConversationFilter{}, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("conversations", len(list), 1)
	}},
	{"100 equal messages of a new browser at once are one", func(w *World) {
		var made atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			a := w.Ask("", "", "hello")
			a.ClientMessageID, a.KeyHash = "5c9e", []byte("hash")
			wg.Go(func() {
				acc, err := w.Store.Accept(ctx, a)
				w.Note(err)
				if acc.NewTurn {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		w.Equal("turns made", made.Load(), int64(1))
	}},
	{"50 equal messages at once in a conversation are one", func(w *World) {
		first := w.talk("", "one")
		var made atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			a := w.Ask(first.VisitorID, first.Turn.ConversationID, "two")
			a.ClientMessageID = "m2"
			wg.Go(func() {
				acc, err := w.Store.Accept(ctx, a)
				w.Note(err)
				if acc.NewTurn {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		w.Equal("made", made.Load(), int64(1))
	}},
	{"a retry joins a running and a whole turn, and another text is refused", func(w *World) {
		a := w.Ask(w.Visitor("u", ""), "", "hello")
		a.ClientMessageID = "m1"
		acc := w.Accept(a)
		retry := w.Ask(a.VisitorID, "", "hello")
		retry.ClientMessageID = "m1"
		joined := w.Accept(retry)
		w.Equal("joined", joined.NewTurn, false)
		w.Equal("turn", joined.Turn.ID, acc.Turn.ID)
		w.Finish(acc.Turn.ID, "hi")
		joined = w.Accept(retry)
		w.Equal("state", joined.Turn.State, scaigrid.TurnDone)
		w.Equal("marks", len(joined.Turn.Marks), 1)
		retry.Text = "goodbye"
		_, err := w.Store.Accept(ctx, retry)
		w.WantCode(err, scaigrid.CodeIdempotencyMismatch)
		retry.VisitorID = w.Visitor("another", "")
		w.Equal("another visitor may use the id", w.Accept(retry).NewTurn, true)
	}},
	{"after a failure that may be retried, a retry is a new turn on the same message", func(w *World) {
		a := w.Ask(w.Visitor("u", ""), "", "hello")
		a.ClientMessageID = "m1"
		first := w.Accept(a)
		fail := scaigrid.Outcome{Status: scaigrid.MessageFailed, Content: "half", Error: &scaigrid.TurnError{Code: scaigrid.CodeBackendError, Message: "The model failed.", Retryable: true}}
		w.Must(w.Store.FinishTurn(ctx, first.Turn.ID, fail, nil, w.Now))
		retry := w.Ask(a.VisitorID, "", "hello")
		retry.ClientMessageID = "m1"
		second := w.Accept(retry)
		if !second.NewTurn || second.Turn.MessageID != first.Turn.MessageID || second.Turn.ReplyID == first.Turn.ReplyID || second.Turn.ConversationID != first.Turn.ConversationID {
			w.T.Fatalf("retried to %+v", second)
		}
		w.Equal("a third joins the second", w.Accept(retry).Turn.ID, second.Turn.ID)
		interrupted := scaigrid.Outcome{Status: scaigrid.MessageInterrupted, Content: "hal"}
		w.Must(w.Store.FinishTurn(ctx, second.Turn.ID, interrupted, nil, w.Now))
		retry2 := w.Ask(a.VisitorID, "", "hello")
		retry2.ClientMessageID = "m1"
		third := w.Accept(retry2)
		w.Equal("new turn", third.NewTurn, true)
		w.Finish(third.Turn.ID, "hi")
		messages, err := w.Store.Messages(ctx, first.Turn.ConversationID)
		w.Must(err)
		w.Equal("states", states(messages), "complete|withdrawn|withdrawn|complete")
		w.Equal("the message's turn", messages[0].TurnID, third.Turn.ID)
		w.Equal("why it failed stays", messages[1].Error.Code, scaigrid.CodeBackendError)
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, first.Turn.ConversationID)
		w.Must(err)
		w.Equal("count", c.MessageCount, 4)
	}},
	{"a failure that may not be retried is joined", func(w *World) {
		a := w.Ask(w.Visitor("u", ""), "", "hello")
		a.ClientMessageID = "m1"
		first := w.Accept(a)
		w.Must(w.Store.FinishTurn(ctx, first.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageFailed, Error: &scaigrid.TurnError{Code: scaigrid.CodeModelNotFound}}, nil, w.Now))
		again := w.Ask(a.VisitorID, "", "hello")
		again.ClientMessageID = "m1"
		w.Equal("joined", w.Accept(again).Turn.ID, first.Turn.ID)
	}},
	{"50 retries at once after a failure open one new turn", func(w *World) {
		a := w.Ask(w.Visitor("u", ""), "", "hello")
		a.ClientMessageID = "m1"
		first := w.Accept(a)
		w.Must(w.Store.FinishTurn(ctx, first.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageInterrupted}, nil, w.Now))
		var made atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			again := w.Ask(a.VisitorID, "", "hello")
			again.ClientMessageID = "m1"
			wg.Go(func() {
				acc, err := w.Store.Accept(ctx, again)
				w.Note(err)
				if acc.NewTurn {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		w.Equal("made", made.Load(), int64(1))
	}},
}
