package storetest

import (
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// talk is a conversation with one finished turn in it.
func (w *World) talk(visitorID, question string) scaigrid.Accepted {
	w.T.Helper()
	acc := w.Accept(w.Ask(visitorID, "", question))
	w.Finish(acc.Turn.ID, "answer to "+question)
	return acc
}

var conversationCases = []testCase{
	{"conversations are filtered", func(w *World) {
		ann, bob := w.Visitor("ann", "ann@x.test"), w.Visitor("bob", "")
		first := w.talk(ann, "Where is my parcel? 100% sure_it is lost")
		w.Now = w.Now.Add(time.Hour)
		second := w.talk(bob, "Refund")
		old := w.Bot
		w.Bot = w.NewBot("second")
		third := w.talk("", "Hello from another bot")
		preview := w.Ask("", "", "A trial")
		preview.Pass.Preview = true
		fourth := w.Accept(preview)
		w.Must(w.Store.CloseConversation(ctx, w.Tenant.ID, second.Turn.ConversationID, w.Now))
		w.Must(w.Store.RateReply(ctx, old.ID, ann, first.Turn.ReplyID, "down", "late", w.Now))
		name := map[string]string{first.Turn.ConversationID: "1", second.Turn.ConversationID: "2", third.Turn.ConversationID: "3", fourth.Turn.ConversationID: "4"}
		yes, no := true, false
		for what, c := range map[string]struct {
			f    scaigrid.ConversationFilter
			want string
		}{
			"all":                   {scaigrid.ConversationFilter{}, "3 2 1"},
			"with previews":         {scaigrid.ConversationFilter{Preview: true}, "4 3 2 1"},
			"bot":                   {scaigrid.ConversationFilter{BotIDs: []string{old.ID}}, "2 1"},
			"bots":                  {scaigrid.ConversationFilter{BotIDs: []string{old.ID, w.Bot.ID}}, "3 2 1"},
			"visitor by site id":    {scaigrid.ConversationFilter{VisitorID: "ann"}, "1"},
			"visitor by our id":     {scaigrid.ConversationFilter{VisitorID: bob}, "2"},
			"visitor and wrong bot": {scaigrid.ConversationFilter{VisitorID: bob, BotIDs: []string{w.Bot.ID}}, ""},
			"closed":                {scaigrid.ConversationFilter{Status: scaigrid.ConversationClosed}, "2"},
			"escalated":             {scaigrid.ConversationFilter{Escalated: &yes}, ""},
			"not escalated":         {scaigrid.ConversationFilter{Escalated: &no}, "3 2 1"},
			"rating":                {scaigrid.ConversationFilter{Rating: "down"}, "1"},
			"since":                 {scaigrid.ConversationFilter{Since: w.Now}, "3 2"},
			"until":                 {scaigrid.ConversationFilter{Until: w.Now}, "1"},
			"words":                 {scaigrid.ConversationFilter{Query: "PARCEL"}, "1"},
			"words of an answer":    {scaigrid.ConversationFilter{Query: "answer to refund"}, "2"},
			"a percent sign":        {scaigrid.ConversationFilter{Query: "100% sure_it"}, "1"},
			"no wildcard":           {scaigrid.ConversationFilter{Query: "Where%parcel"}, ""},
			"no underscore":         {scaigrid.ConversationFilter{Query: "R_fund"}, ""},
			"a backslash":           {scaigrid.ConversationFilter{Query: `\`}, ""},
			"a quote":               {scaigrid.ConversationFilter{Query: `' OR 1=1 --`}, ""},
		} {
			list, _, err := w.Store.Conversations(ctx, w.Tenant.ID, c.f, scaigrid.PageRequest{})
			if err != nil {
				w.T.Errorf("%s: %v", what, err)
				continue
			}
			var got []string
			for _, c := range list {
				got = append(got, name[c.ID])
			}
			w.Equal(what, strings.Join(got, " "), c.want)
		}
		list, _, err := w.Store.Conversations(ctx, "tenant_other", scaigrid.ConversationFilter{VisitorID: ann, Preview: true}, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("another tenant's", len(list), 0)
	}},
	{"a page stays where it was while new conversations come", func(w *World) {
		for i := range 5 {
			w.Now = w.Now.Add(time.Duration(i%2) * time.Second) // some at the same moment
			w.talk("", string(rune('a'+i)))
		}
		list, next, err := w.Store.Conversations(ctx, w.Tenant.ID, scaigrid.ConversationFilter{}, scaigrid.PageRequest{Limit: 2})
		w.Must(err)
		seen := map[string]bool{list[0].ID: true, list[1].ID: true}
		for next.NextCursor != "" {
			w.Now = w.Now.Add(time.Hour)
			w.talk("", "new")
			list, next, err = w.Store.Conversations(ctx, w.Tenant.ID, scaigrid.ConversationFilter{}, scaigrid.PageRequest{Limit: 2, After: next.NextCursor})
			w.Must(err)
			for _, c := range list {
				if seen[c.ID] {
					w.T.Errorf("%s came twice", c.ID)
				}
				seen[c.ID] = true
			}
		}
		w.Equal("seen", len(seen), 5)
	}},
	{"a visitor's current conversation is the newest that is open and was used lately", func(w *World) {
		ann := w.Visitor("ann", "")
		since := w.Now.Add(-time.Hour)
		_, err := w.Store.CurrentConversation(ctx, w.Bot.ID, ann, since)
		w.WantCode(err, scaigrid.CodeNotFound)
		first := w.talk(ann, "1")
		w.Now = w.Now.Add(time.Minute)
		second := w.talk(ann, "2")
		c, err := w.Store.CurrentConversation(ctx, w.Bot.ID, ann, since)
		w.Must(err)
		w.Equal("newest", c.ID, second.Turn.ConversationID)
		w.Must(w.Store.CloseConversation(ctx, w.Tenant.ID, c.ID, w.Now))
		c, err = w.Store.CurrentConversation(ctx, w.Bot.ID, ann, since)
		w.Must(err)
		w.Equal("the one before", c.ID, first.Turn.ConversationID)
		_, err = w.Store.CurrentConversation(ctx, w.Bot.ID, ann, w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
		pass := scaigrid.Pass{TenantID: w.Tenant.ID, BotID: w.Bot.ID}
		fresh, err := w.Store.NewConversation(ctx, pass, ann, w.ID("conv"), w.Now)
		w.Must(err)
		if fresh.MessageCount != 0 || fresh.Status != scaigrid.ConversationOpen || *fresh.Visitor.ID != "ann" || string(fresh.Metadata) != `{"plan":"pro"}` {
			w.T.Fatalf("fresh %+v", fresh)
		}
		w.talkIn(fresh.ID, ann, "3")
		list, _, err := w.Store.VisitorConversations(ctx, w.Bot.ID, ann, scaigrid.PageRequest{})
		w.Must(err)
		w.Equal("all of hers", len(list), 3)
		w.Equal("newest first", list[0].ID, fresh.ID)
		pass.BotID = "bot_none"
		_, err = w.Store.NewConversation(ctx, pass, ann, w.ID("conv"), w.Now)
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
	{"only the visitor rates his own replies", func(w *World) {
		ann, bob := w.Visitor("ann", ""), w.Visitor("bob", "")
		acc := w.talk(ann, "1")
		for what, err := range map[string]error{
			"another visitor": w.Store.RateReply(ctx, w.Bot.ID, bob, acc.Turn.ReplyID, "up", "", w.Now),
			"another bot":     w.Store.RateReply(ctx, "bot_none", ann, acc.Turn.ReplyID, "up", "", w.Now),
			"his own message": w.Store.RateReply(ctx, w.Bot.ID, ann, acc.Turn.MessageID, "up", "", w.Now),
			"nothing":         w.Store.RateReply(ctx, w.Bot.ID, ann, "msg_none", "up", "", w.Now),
		} {
			if scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
				w.T.Errorf("%s: %v", what, err)
			}
		}
		w.Must(w.Store.RateReply(ctx, w.Bot.ID, ann, acc.Turn.ReplyID, "up", "fine", w.Now))
		messages, err := w.Store.Messages(ctx, acc.Turn.ConversationID)
		w.Must(err)
		w.Equal("rating", messages[1].Rating+" "+messages[1].Comment, "up fine")
		w.Must(w.Store.RateReply(ctx, w.Bot.ID, ann, acc.Turn.ReplyID, "", "", w.Now))
		c, err := w.Store.Conversation(ctx, w.Tenant.ID, acc.Turn.ConversationID)
		w.Must(err)
		w.Equal("taken back", c.Rating, "")
	}},
}

func (w *World) talkIn(conversationID, visitorID, question string) scaigrid.Accepted {
	w.T.Helper()
	acc := w.Accept(w.Ask(visitorID, conversationID, question))
	w.Finish(acc.Turn.ID, "answer to "+question)
	return acc
}

var deletionCases = []testCase{
	{"a deleted conversation is gone, its cost is not", func(w *World) {
		acc := w.talk("", "secret")
		kept := w.talk(acc.VisitorID, "other")
		w.WantCode(w.Store.DeleteConversation(ctx, "tenant_other", acc.Turn.ConversationID), scaigrid.CodeNotFound)
		w.Must(w.Store.DeleteConversation(ctx, w.Tenant.ID, acc.Turn.ConversationID))
		w.WantCode(w.Store.DeleteConversation(ctx, w.Tenant.ID, acc.Turn.ConversationID), scaigrid.CodeNotFound)
		messages, err := w.Store.Messages(ctx, acc.Turn.ConversationID)
		w.Must(err)
		w.Equal("messages", len(messages), 0)
		_, _, err = w.Store.Turn(ctx, acc.Turn.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		use, err := w.Store.TurnCounts(ctx, w.Bot.ID, w.Now)
		w.Must(err)
		w.Equal("use", use, scaigrid.TurnLimitUse{BotTurns: 2, BotTokens: 300})
		_, err = w.Store.VisitorByID(ctx, acc.VisitorID)
		w.Must(err)
		w.Must(w.Store.DeleteConversation(ctx, w.Tenant.ID, kept.Turn.ConversationID))
		_, err = w.Store.VisitorByID(ctx, acc.VisitorID)
		w.WantCode(err, scaigrid.CodeNotFound)
	}},
	{"a turn that runs while its conversation is deleted leaves nothing", func(w *World) {
		acc := w.Accept(w.Ask("", "", "secret"))
		w.Must(w.Store.DeleteConversation(ctx, w.Tenant.ID, acc.Turn.ConversationID))
		w.Must(w.Store.SaveText(ctx, []scaigrid.TextUpdate{{TurnID: acc.Turn.ID, ReplyID: acc.Turn.ReplyID, Content: "late"}}))
		w.Finish(acc.Turn.ID, "late")
		_, _, err := w.Store.Turn(ctx, acc.Turn.ID)
		w.WantCode(err, scaigrid.CodeNotFound)
		_, err = w.Store.Conversation(ctx, w.Tenant.ID, acc.Turn.ConversationID)
		w.WantCode(err, scaigrid.CodeNotFound)
		use, err := w.Store.TurnCounts(ctx, w.Bot.ID, w.Now)
		w.Must(err)
		w.Equal("it counts against the limit", use.BotTurns, 1)
	}},
}

var textCases = []testCase{
	{"text of every kind comes back as it was, and NUL harms nobody", func(w *World) {
		for _, text := range []string{"e\u0301 👩‍👩‍👧 \u202Eevil\u202C \r\n\t", "'; DROP TABLE messages; --", "{\"a\":\"\\u0000\"}", strings.Repeat("字", 8000), "$1 $2 ? :x @y"} {
			acc := w.Accept(w.Ask("", "", text))
			o := Answer(text)
			o.Passages[0].Text, o.Citations[0].Quote = text, text
			w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, o, nil, w.Now))
			messages, err := w.Store.Messages(ctx, acc.Turn.ConversationID)
			w.Must(err)
			w.Equal("question", messages[0].Content, text)
			w.Equal("answer", messages[1].Content, text)
			w.Equal("passage", messages[1].Passages[0].Text, text)
		}
		a := w.Ask("", "", "a\x00b\xffc")
		a.Page, a.Claimed, a.Locale = &scaigrid.Page{URL: "x\x00y\xff"}, &scaigrid.Claimed{Name: "\x00\xff"}, "e\x00"
		acc := w.Accept(a)
		o := Answer("x\x00y\xff")
		o.Passages[0].Text = "p\x00\xff"
		w.Must(w.Store.FinishTurn(ctx, acc.Turn.ID, o, []scaigrid.Mark{{Name: "n", Data: []byte(`{"a":"\u0000"}`)}}, w.Now))
		messages, err := w.Store.Messages(ctx, acc.Turn.ConversationID)
		w.Must(err)
		w.Equal("cleaned", contents(messages), "a\uFFFDb\uFFFDc|x\uFFFDy\uFFFD")
		v := scaigrid.Visitor{ID: w.ID("vis"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, ExternalID: "a\x00b", UpdatedAt: w.Now}
		_, err = w.Store.SaveVisitor(ctx, v)
		w.WantCode(err, scaigrid.CodeValidation)
		v.ExternalID, v.Name, v.Email = "ok", "n\x00", "e\xff"
		_, err = w.Store.SaveVisitor(ctx, v)
		w.Must(err)
		a = w.Ask("", "", "x")
		a.ClientMessageID = "\x00"
		_, err = w.Store.Accept(ctx, a)
		w.WantCode(err, scaigrid.CodeValidation)
	}},
	{"an id with NUL in a path is an object that is not there", func(w *World) {
		bad := "x\x00"
		one := func(_ any, err error) error { return err }
		_, _, turnErr := w.Store.Turn(ctx, bad)
		_, _, keyErr := w.Store.APIKeyByPublicID(ctx, bad)
		for what, err := range map[string]error{
			"bot": one(w.Store.Bot(ctx, w.Tenant.ID, bad)), "public bot": one(w.Store.BotPublic(ctx, bad)), "turn": turnErr, "key": keyErr,
			"conversation": one(w.Store.Conversation(ctx, w.Tenant.ID, bad)), "document": one(w.Store.Document(ctx, w.Bot.ID, bad)),
			"visitor": one(w.Store.VisitorByID(ctx, bad)), "delete": w.Store.DeleteConversation(ctx, w.Tenant.ID, bad),
			"close": w.Store.CloseConversation(ctx, w.Tenant.ID, bad, w.Now), "revoke": w.Store.RevokeAPIKey(ctx, scaigrid.Caller{TenantID: w.Tenant.ID}, bad, w.Now),
			"replace": one(w.Store.SetBotStatus(ctx, w.Tenant.ID, bad, scaigrid.BotDraft, 0, "", w.Now)),
			"remove":  w.Store.DeleteDocument(ctx, w.Bot.ID, bad, 0, w.Now),
		} {
			if code := scaigrid.ErrorCode(err); code != scaigrid.CodeNotFound && code != scaigrid.CodeValidation {
				w.T.Errorf("%s: %v", what, err)
			}
		}
	}},
}
