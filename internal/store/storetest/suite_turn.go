package storetest

import (
	"time"

	"github.com/scailabs/scaigrid"
)

var turnCases = []testCase{
	{"a finished turn stores reply, marks, usage and counters once", func(w *World) {
		acc := w.Accept(w.Ask("", "", "hello"))
		o := Answer("Two days. [1]")
		marks := []scaigrid.Mark{{Name: scaigrid.EventTurn, Data: []byte(`{"turn_id":"x"}`)}, {At: 13, Name: scaigrid.EventFinish, Data: []byte(`{}`)}}
		end := w.Now.Add(time.Second)
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, o, marks, end))
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, Answer("another"), nil, end.Add(time.Hour)))
		turn, reply, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		if turn.State != scaigrid.TurnDone || !turn.FinishedAt.Equal(end) {
			w.T.Fatalf("turn %+v", turn)
		}
		w.Equal("marks", turn.Marks, marks)
		first, latency, yes, sure := int64(40), int64(90), true, 0.75
		w.Equal("reply", *reply, scaigrid.Message{
			ID: acc.Turn.ReplyID, ConversationID: acc.Turn.ConversationID, TurnID: acc.Turn.ID, Role: scaigrid.RoleAssistant, Content: o.Content,
			Status: scaigrid.MessageComplete, Citations: o.Citations, Passages: o.Passages, Usage: o.Usage, FirstTokenMS: &first, LatencyMS: &latency,
			Answered: &yes, Confidence: &sure, CreatedAt: w.Now,
		})
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, acc.Turn.ConversationID)
		w.Must(err)
		if c.PromptTokens != 120 || c.CompletionTokens != 30 || c.Cost != 0.002 || c.MessageCount != 2 || !c.UpdatedAt.Equal(end) {
			w.T.Fatalf("counters %+v", c)
		}
		use, err := w.Store.TurnCounts(ctx, w.Bot.ID, w.Now)
		w.Must(err)
		w.Equal("use", use, scaigrid.TurnLimitUse{BotTurns: 1, BotTokens: 150})
		w.Must(w.Store.FinishTurn(ctx, "turn_none", o, nil, end))
	}},
	{"a failed turn stores what was said and why it ended", func(w *World) {
		acc := w.Accept(w.Ask("", "", "hello"))
		why := &scaigrid.TurnError{Code: scaigrid.CodeBackendTimeout, Message: "The model was too slow.", Retryable: true}
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageFailed, Content: "Tw", Error: why}, nil, w.Now))
		_, reply, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		if reply.Content != "Tw" || *reply.Error != *why || reply.Usage != nil || reply.Answered != nil || reply.FirstTokenMS != nil {
			w.T.Fatalf("reply %+v", reply)
		}
		history, err := w.Store.History(ctx, acc.Turn.ConversationID, "", 5)
		w.Must(err)
		w.Equal("history", contents(history), "hello")
	}},
	{"text of running turns is saved, of turns that are over it is not", func(w *World) {
		a, b := w.Accept(w.Ask("", "", "a")), w.Accept(w.Ask("", "", "b"))
		w.Finish(b.Turn.ID, "whole")
		marks := []scaigrid.Mark{{Name: scaigrid.EventTurn}}
		w.Must(w.Store.SaveText(ctx, []scaigrid.TextUpdate{
			{TurnID: b.Turn.ID, ReplyID: b.Turn.ReplyID, Content: "late"},
			{TurnID: "turn_none", ReplyID: "msg_none", Content: "nobody's"},
			{TurnID: a.Turn.ID, ReplyID: a.Turn.ReplyID, Content: "so far", Marks: marks},
		}))
		turn, reply, err := w.Store.Turn(ctx, a.Turn.ID)
		w.Must(err)
		w.Equal("running", reply.Content, "so far")
		w.Equal("marks", len(turn.Marks), 1)
		_, reply, err = w.Store.Turn(ctx, b.Turn.ID)
		w.Must(err)
		w.Equal("over", reply.Content, "whole")
	}},
	{"a stop is seen by the node that owns the turn", func(w *World) {
		a, b := w.Accept(w.Ask("", "", "a")), w.Accept(w.Ask("", "", "b"))
		w.Must(w.Store.RequestStop(ctx, a.Turn.ID))
		w.Must(w.Store.RequestStop(ctx, "turn_none"))
		for node, want := range map[string]int{"node-a": 1, "node-b": 0} {
			ids, err := w.Store.StopsRequested(ctx, node)
			w.Must(err)
			w.Equal(node, len(ids), want)
		}
		w.Finish(a.Turn.ID, "x")
		w.Finish(b.Turn.ID, "x")
		w.Must(w.Store.RequestStop(ctx, b.Turn.ID))
		ids, err := w.Store.StopsRequested(ctx, "node-a")
		w.Must(err)
		w.Equal("after the end", len(ids), 0)
	}},
	{"a turn whose lease ran out is abandoned, a renewed one is not", func(w *World) {
		dead, alive := w.Ask("", "", "a"), w.Ask("", "", "b")
		dead.Node = "node-dead"
		d := w.Accept(dead)
		w.Accept(alive)
		later := w.Now.Add(11 * time.Second)
		w.Must(w.Store.RenewLeases(ctx, "node-a", later.Add(10*time.Second)))
		turns, err := w.Store.AbandonedTurns(ctx, later, 10)
		w.Must(err)
		if len(turns) != 1 || turns[0].ID != d.Turn.ID {
			w.T.Fatalf("abandoned %+v", turns)
		}
		w.Must(w.Store.FinishTurn(ctx, d.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageInterrupted, Rebuilt: true}, nil, later))
		turn, _, err := w.Store.Turn(ctx, d.Turn.ID)
		w.Must(err)
		w.Equal("epoch of a rebuilt log", turn.Epoch, 2)
		turns, err = w.Store.AbandonedTurns(ctx, later, 10)
		w.Must(err)
		w.Equal("after", len(turns), 0)
	}},
	{"a cut answer goes on with the next epoch", func(w *World) {
		acc := w.Accept(w.Ask("", "", "hello"))
		_, _, err := w.Store.ReopenTurn(ctx, acc.Turn.ID, "node-b", w.Now)
		w.WantCode(err, scaigrid.CodeConflict)
		marks := []scaigrid.Mark{{Name: scaigrid.EventTurn}, {At: 3, Name: scaigrid.EventError}}
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageInterrupted, Content: "One"}, marks, w.Now))
		turn, reply, err := w.Store.ReopenTurn(ctx, acc.Turn.ID, "node-b", w.Now.Add(time.Minute))
		w.Must(err)
		if turn.Epoch != 2 || turn.Node != "node-b" || turn.State != scaigrid.TurnRunning || len(turn.Marks) != 1 || turn.FinishedAt != nil ||
			reply.Content != "One" || reply.Status != scaigrid.MessageStreaming || reply.Error != nil {
			w.T.Fatalf("reopened %+v %+v", turn, reply)
		}
		stored, _, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		w.Equal("stored", stored, turn)
		w.Finish(acc.Turn.ID, "One two")
		_, _, err = w.Store.ReopenTurn(ctx, acc.Turn.ID, "node-b", w.Now)
		w.WantCode(err, scaigrid.CodeConflict) // it is whole
		_, _, err = w.Store.ReopenTurn(ctx, "turn_none", "node-b", w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
		use, err := w.Store.TurnCounts(ctx, w.Bot.ID, w.Now)
		w.Must(err)
		w.Equal("each model call counts", use.BotTurns, 2)
	}},
	{"an answer does not go on beside another turn, nor once it is withdrawn", func(w *World) {
		cut := scaigrid.Outcome{Status: scaigrid.MessageStopped, FinishReason: "stopped", Content: "One"}
		acc := w.Accept(w.Ask("", "", "hello"))
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, cut, nil, w.Now))
		edit := w.Ask(acc.VisitorID, acc.Turn.ConversationID, "hello!")
		edit.Replaces = acc.Turn.MessageID
		other := w.Accept(edit)
		_, _, err := w.Store.ReopenTurn(ctx, acc.Turn.ID, "node-b", w.Now)
		w.WantCode(err, scaigrid.CodeTurnInProgress)
		w.Finish(other.Turn.ID, "hi")
		_, _, err = w.Store.ReopenTurn(ctx, acc.Turn.ID, "node-b", w.Now)
		w.WantCode(err, scaigrid.CodeConflict)
		turn, _, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.Must(err)
		w.Equal("a refused one is as before", turn.State, scaigrid.TurnDone)
	}},
	{"history is the newest that counts, oldest first", func(w *World) {
		acc := w.Accept(w.Ask("", "", "1"))
		w.Finish(acc.Turn.ID, "2")
		vis, conv := acc.VisitorID, acc.Turn.ConversationID
		empty := w.Accept(w.Ask(vis, conv, "3"))
		w.Must(w.Store.FinishTurn(ctx, empty.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageStopped}, nil, w.Now))
		last := w.Accept(w.Ask(vis, conv, "4"))
		for skip, want := range map[string]string{"": "1|2|3|4", last.Turn.MessageID: "1|2|3", acc.Turn.ReplyID: "1", acc.Turn.MessageID: ""} {
			h, err := w.Store.History(ctx, conv, skip, 10)
			w.Must(err)
			w.Equal("before "+skip, contents(h), want)
		}
		h, err := w.Store.History(ctx, conv, "", 2)
		w.Must(err)
		w.Equal("two", contents(h), "3|4")
		h, err = w.Store.History(ctx, conv, "", 0)
		w.Must(err)
		w.Equal("none", len(h), 0)
	}},
	{"limits count running turns, anonymous ones apart, from a time on", func(w *World) {
		known := w.Ask(w.Visitor("u", ""), "", "a")
		known.Pass.Anonymous = false
		w.Finish(w.Accept(known).Turn.ID, "x")
		w.Accept(w.Ask("", "", "b"))
		w.Now = w.Now.Add(time.Hour)
		w.Finish(w.Accept(w.Ask("", "", "c")).Turn.ID, "x")
		use, err := w.Store.TurnCounts(ctx, w.Bot.ID, w.Now.Add(-time.Hour))
		w.Must(err)
		w.Equal("all", use, scaigrid.TurnLimitUse{BotTurns: 2, BotTokens: 300})
		use, err = w.Store.TurnCounts(ctx, w.Bot.ID, w.Now)
		w.Must(err)
		w.Equal("since", use, scaigrid.TurnLimitUse{BotTurns: 1, BotTokens: 150})
		use, err = w.Store.TurnCounts(ctx, "bot_none", w.Now)
		w.Must(err)
		w.Equal("another bot", use, scaigrid.TurnLimitUse{})
	}},
}
