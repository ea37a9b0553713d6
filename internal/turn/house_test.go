package turn_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
	"github.com/scailabs/scaigrid/internal/turn"
)

// world is a house over a real store, with an answerer that a test scripts.
type world struct {
	t      *testing.T
	store  *store.Store
	house  *turn.House
	bot    *scaigrid.Bot
	answer func(ctx context.Context, p scaigrid.Prompt, say func(string)) error
	calls  atomic.Int64
	limit  error

	mu      sync.Mutex
	counted []string // by what the limits counted turns
}

func (w *world) Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	w.calls.Add(1)
	return func(yield func(scaigrid.Part, error) bool) {
		err := w.answer(ctx, p, func(s string) { yield(scaigrid.Part{Text: s}, nil) })
		if err != nil {
			yield(scaigrid.Part{}, err)
			return
		}
		yield(scaigrid.Part{FinishReason: "stop", Usage: &scaigrid.Usage{PromptTokens: 7, CompletionTokens: 3, Model: p.Model}}, nil)
	}
}

func (w *world) Retrieve(context.Context, *scaigrid.Bot, string, []scaigrid.PromptMessage) (scaigrid.Retrieval, error) {
	return scaigrid.Retrieval{}, nil
}

func (w *world) TakeTurn(_ context.Context, _ *scaigrid.Bot, _ scaigrid.Pass, visitorID, _ string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counted = append(w.counted, visitorID)
	return w.limit
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, store: s}
	w.answer = func(_ context.Context, p scaigrid.Prompt, say func(string)) error {
		for _, word := range strings.SplitAfter("You said: "+p.Question, " ") {
			say(word)
		}
		return nil
	}
	w.bot = storetest.Bot(t, s, func(c *scaigrid.BotConfig) { c.Model = "openai/scripted" })
	w.house = w.newHouse("node_a")
	return w
}

func (w *world) newHouse(node string) *turn.House {
	h := turn.New(turn.Options{
		Store: w.store, Library: w, Models: w, Limits: w,
		OriginAllowed: func(o string, list []string) bool { return slices.Contains(list, o) },
		HashKey: func(k string) ([]byte, error) {
			sum := sha256.Sum256([]byte(k))
			return sum[:], nil
		},
		Cost: func(scaigrid.Usage) float64 { return 0 },
		Log:  slog.New(slog.NewTextHandler(io.Discard, nil)), Clock: time.Now, Node: node,
		SaveEvery: time.Millisecond, FollowEvery: 2 * time.Millisecond, Lease: 400 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	w.t.Cleanup(func() { cancel(); <-done })
	return h
}

// pass is a token's content: of a verified visitor, or of an anonymous one where id is "".
func (w *world) pass(id string) scaigrid.Pass {
	w.t.Helper()
	p := scaigrid.Pass{TokenID: scaigrid.NewID(scaigrid.KindToken, time.Now()), TenantID: w.bot.TenantID, BotID: w.bot.ID}
	if id == "" {
		p.Subject, p.Anonymous = scaigrid.NewID(scaigrid.KindVisitor, time.Now()), true
		return p
	}
	p.Subject = storetest.Visitor(w.t, w.store, w.bot, id)
	return p
}

func (w *world) guest(p scaigrid.Pass, key string) turn.Guest {
	w.t.Helper()
	g, err := w.house.Verify(context.Background(), p, "", "", key)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) ask(g turn.Guest, a scaigrid.Ask) *turn.Log {
	w.t.Helper()
	l, err := w.house.Ask(context.Background(), g, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// told is a stream as its reader hears it.
type told struct {
	text  string
	names []string
	last  string // data of the last event
	at    []scaigrid.Cursor
}

func hear(t *testing.T, l *turn.Log, after *scaigrid.Cursor) told {
	t.Helper()
	r := l.ReadFrom(after)
	defer r.Close()
	var out told
	for {
		select {
		case <-r.Wake():
		case <-time.After(20 * time.Second):
			t.Fatalf("the turn never ended; heard %+v", out)
		}
		items, over := r.Read(nil)
		for _, it := range items {
			out.at = append(out.at, it.Cursor)
			if it.Text != nil {
				out.text += string(it.Text)
				continue
			}
			out.names, out.last = append(out.names, it.Mark.Name), string(it.Mark.Data)
		}
		if over {
			return out
		}
	}
}

func (w *world) stored(turnID string) *scaigrid.Message {
	w.t.Helper()
	_, m, err := w.store.Turn(context.Background(), turnID)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func wantCode(t *testing.T, err error, code scaigrid.Code) {
	t.Helper()
	if got := scaigrid.ErrorCode(err); got != code {
		t.Fatalf("error %v, want %s", err, code)
	}
}

func TestTurn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, f := range map[string]func(*testing.T, *world){
			"an answer is heard, stored and heard again": answered,
			"a failure keeps what was said":              failed,
			"stop keeps what was said, continue goes on": stopped,
			"a shutdown interrupts, resumably":           drained,
			"a dead node's turns are settled":            abandoned,
			"another node follows and stops":             followed,
			"retries join":                               retried,
			"the guest's limits hold":                    limited,
			"who a visitor is":                           recognised,
			"nobody reads what is another's":             foreign,
			"an edited question replaces the last":       edited,
		} {
			t.Run(name, func(t *testing.T) { f(t, newWorld(t, s)) })
		}
	})
}

func answered(t *testing.T, w *world) {
	var before *scaigrid.Message
	var turnID string
	w.answer = func(_ context.Context, _ scaigrid.Prompt, say func(string)) error {
		before = w.stored(turnID)
		say("Hallo ")
		say("Wörld 🙂")
		return nil
	}
	g := w.guest(w.pass("alice"), "")
	// The scripted answerer waits for the id, which Ask returns while it runs.
	ready := make(chan struct{})
	inner := w.answer
	w.answer = func(ctx context.Context, p scaigrid.Prompt, say func(string)) error {
		<-ready
		return inner(ctx, p, say)
	}
	l := w.ask(g, scaigrid.Ask{Message: "Hi"})
	turnID = l.Turn.ID
	close(ready)
	first := hear(t, l, nil)
	if want := []string{"turn", "usage", "finish"}; !slices.Equal(first.names, want) {
		t.Errorf("events %v, want %v", first.names, want)
	}
	if before == nil || before.Status != scaigrid.MessageStreaming {
		t.Errorf("before the first word the reply was stored as %+v", before)
	}
	m := w.stored(turnID)
	if m.Content != "Hallo Wörld 🙂" || m.Content != first.text || m.Status != scaigrid.MessageComplete {
		t.Errorf("stored %q (%s), heard %q", m.Content, m.Status, first.text)
	}
	for i := range first.at {
		again, err := w.house.Resume(context.Background(), g, turnID)
		if err != nil {
			t.Fatal(err)
		}
		if rest := hear(t, again, &first.at[i]); rest.last != first.last && i < len(first.at)-1 {
			t.Errorf("resumed after %s: last event %s", first.at[i], rest.last)
		}
	}
}

func failed(t *testing.T, w *world) {
	w.answer = func(_ context.Context, _ scaigrid.Prompt, say func(string)) error {
		say("Half an ans")
		return &scaigrid.Error{Code: scaigrid.CodeBackendError, Message: "The model broke off.", Retryable: true, Cause: errors.New("secret detail")}
	}
	g := w.guest(w.pass("alice"), "")
	l := w.ask(g, scaigrid.Ask{Message: "Hi", ClientMessageID: "m-1"})
	got := hear(t, l, nil)
	if got.names[len(got.names)-1] != "error" || !strings.Contains(got.last, "BACKEND_ERROR") || strings.Contains(got.last, "secret") {
		t.Errorf("last event %s", got.last)
	}
	if m := w.stored(l.Turn.ID); m.Content != "Half an ans" || m.Status != scaigrid.MessageFailed || m.Error == nil {
		t.Errorf("stored %+v", m)
	}
	w.answer = func(_ context.Context, _ scaigrid.Prompt, say func(string)) error { say("Whole."); return nil }
	again := w.ask(g, scaigrid.Ask{Message: "Hi", ClientMessageID: "m-1"})
	if again.Turn.ID == l.Turn.ID || again.Turn.MessageID != l.Turn.MessageID {
		t.Errorf("a retry after a failure: turn %s → %s, message %s → %s", l.Turn.ID, again.Turn.ID, l.Turn.MessageID, again.Turn.MessageID)
	}
	if got := hear(t, again, nil); got.text != "Whole." {
		t.Errorf("heard %q", got.text)
	}
}

// hang is an answerer that says something and then waits for its end.
func hang(said chan<- struct{}, text string) func(context.Context, scaigrid.Prompt, func(string)) error {
	return func(ctx context.Context, _ scaigrid.Prompt, say func(string)) error {
		say(text)
		close(said)
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

func stopped(t *testing.T, w *world) {
	said := make(chan struct{})
	w.answer = hang(said, "One, two")
	g := w.guest(w.pass("alice"), "")
	l := w.ask(g, scaigrid.Ask{Message: "Count"})
	<-said
	if err := w.house.Stop(context.Background(), g, l.Turn.ID); err != nil {
		t.Fatal(err)
	}
	got := hear(t, l, nil)
	if !strings.Contains(got.last, `"finish_reason":"stopped"`) || got.text != "One, two" {
		t.Errorf("heard %q, %s", got.text, got.last)
	}
	w.answer = func(_ context.Context, p scaigrid.Prompt, say func(string)) error {
		if p.Question != "Count" || p.Messages[len(p.Messages)-2].Content != "One, two" {
			t.Errorf("asked to go on with %+v", p.Messages)
		}
		say(", three")
		return nil
	}
	more, err := w.house.Continue(context.Background(), g, l.Turn.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := hear(t, more, &got.at[len(got.at)-1]); got.text != ", three" || got.names[len(got.names)-1] != "finish" {
		t.Errorf("went on with %q, %v", got.text, got.names)
	}
	if m := w.stored(l.Turn.ID); m.Content != "One, two, three" || m.Status != scaigrid.MessageComplete {
		t.Errorf("stored %q (%s)", m.Content, m.Status)
	}
	if _, err := w.house.Continue(context.Background(), g, l.Turn.ID, ""); err == nil {
		t.Error("a whole answer could be continued")
	}
}

func drained(t *testing.T, w *world) {
	said := make(chan struct{})
	w.answer = hang(said, "So far")
	g := w.guest(w.pass("alice"), "")
	l := w.ask(g, scaigrid.Ask{Message: "Hi"})
	<-said
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.house.Drain(ctx)
	if got := hear(t, l, nil); !strings.Contains(got.last, "TURN_INTERRUPTED") || !strings.Contains(got.last, `"retryable":true`) {
		t.Errorf("last event %s", got.last)
	}
	if m := w.stored(l.Turn.ID); m.Content != "So far" || m.Status != scaigrid.MessageInterrupted {
		t.Errorf("stored %q (%s)", m.Content, m.Status)
	}
	_, err := w.house.Ask(context.Background(), g, scaigrid.Ask{Message: "More"})
	wantCode(t, err, scaigrid.CodeShuttingDown)
}

func abandoned(t *testing.T, w *world) {
	g := w.guest(w.pass("alice"), "")
	now := time.Now()
	acc, err := w.store.Accept(context.Background(), scaigrid.Acceptance{
		Bot: w.bot, Pass: g.Pass, VisitorID: g.VisitorID, Text: "Hi", Node: "node_dead", LeaseUntil: now.Add(-time.Second), Now: now,
		NewConversationID: scaigrid.NewID(scaigrid.KindConversation, now), NewMessageID: scaigrid.NewID(scaigrid.KindMessage, now),
		NewReplyID: scaigrid.NewID(scaigrid.KindMessage, now), NewTurnID: scaigrid.NewID(scaigrid.KindTurn, now),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.SaveText(context.Background(), []scaigrid.TextUpdate{{TurnID: acc.Turn.ID, ReplyID: acc.Turn.ReplyID, Content: "It said"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.house.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	l, err := w.house.Resume(context.Background(), g, acc.Turn.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := hear(t, l, &scaigrid.Cursor{Epoch: 1, Bytes: 3, Marks: 3})
	if got.text != "said" || !strings.Contains(got.last, "TURN_INTERRUPTED") {
		t.Errorf("resumed with %q, %s", got.text, got.last)
	}
	if hear(t, w.ask(g, scaigrid.Ask{Message: "Next", ConversationID: acc.Turn.ConversationID}), nil).text == "" {
		t.Error("the conversation did not go on")
	}
}

func followed(t *testing.T, w *world) {
	said := make(chan struct{})
	w.answer = hang(said, "From A")
	g := w.guest(w.pass("alice"), "")
	l := w.ask(g, scaigrid.Ask{Message: "Hi"})
	<-said
	b := w.newHouse("node_b")
	there, err := b.Resume(context.Background(), g, l.Turn.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(context.Background(), g, l.Turn.ID); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, there, nil); got.text != "From A" || !strings.Contains(got.last, "stopped") {
		t.Errorf("node B heard %q, %s", got.text, got.last)
	}
}

func retried(t *testing.T, w *world) {
	const n = 100
	g := w.guest(w.pass(""), "browser-key")
	logs := make([]told, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			l, err := w.house.Ask(context.Background(), g, scaigrid.Ask{Message: "Once", ClientMessageID: "c-1"})
			if err != nil {
				t.Error(err)
				return
			}
			logs[i] = hear(t, l, nil)
		}()
	}
	wg.Wait()
	if got := w.calls.Load(); got != 1 {
		t.Errorf("%d model calls", got)
	}
	for _, l := range logs {
		if l.text != logs[0].text || l.last != logs[0].last || !slices.Equal(l.names, logs[0].names) {
			t.Fatalf("streams differ: %+v and %+v", l, logs[0])
		}
	}
	g = w.guest(g.Pass, "browser-key")
	_, err := w.house.Ask(context.Background(), g, scaigrid.Ask{Message: "Other", ClientMessageID: "c-1"})
	wantCode(t, err, scaigrid.CodeIdempotencyMismatch)
}

func limited(t *testing.T, w *world) {
	w.limit = scaigrid.Errorf(scaigrid.CodeRateLimited, "Too many.")
	_, err := w.house.Ask(context.Background(), w.guest(w.pass("alice"), ""), scaigrid.Ask{Message: "Hi"})
	wantCode(t, err, scaigrid.CodeRateLimited)

	w.limit, w.counted = nil, nil
	for range 2 { // the first message makes the visitor, the second finds him
		hear(t, w.ask(w.guest(w.pass(""), "browser-key"), scaigrid.Ask{Message: "Hi"}), nil)
	}
	if len(w.counted) != 2 || w.counted[0] == "" || w.counted[0] != w.counted[1] {
		t.Errorf("one browser's turns are counted by %q", w.counted)
	}
}

func recognised(t *testing.T, w *world) {
	shared := w.pass("") // one static token for everybody
	conversations := map[string]bool{}
	for i := range 50 {
		key := fmt.Sprintf("browser-%d", i)
		first := w.ask(w.guest(shared, key), scaigrid.Ask{Message: "Hi"})
		hear(t, first, nil)
		conversations[first.Turn.ConversationID] = true
		again := w.guest(w.pass(""), key) // another anonymous token, the same browser
		if again.VisitorID != first.Turn.VisitorID {
			t.Fatalf("browser %d is %s, then %s", i, first.Turn.VisitorID, again.VisitorID)
		}
	}
	if len(conversations) != 50 {
		t.Errorf("50 browsers have %d conversations", len(conversations))
	}
	if w.guest(shared, "").Known() {
		t.Error("a token alone makes an anonymous visitor known")
	}
	old := w.guest(shared, "browser-7")
	alice := w.guest(w.pass("alice"), "browser-7")
	if alice.VisitorID == old.VisitorID {
		t.Error("a verified visitor has the id of the anonymous one")
	}
	c, err := w.store.CurrentConversation(context.Background(), w.bot.ID, alice.VisitorID, time.Time{})
	if err != nil || !conversations[c.ID] {
		t.Errorf("the conversation did not follow the visitor who signed in: %v", err)
	}
	if w.guest(shared, "browser-7").Known() {
		t.Error("the key still opens what was joined")
	}
}

func foreign(t *testing.T, w *world) {
	alice, bob := w.guest(w.pass("alice"), ""), w.guest(w.pass("bob"), "")
	l := w.ask(alice, scaigrid.Ask{Message: "Hi"})
	hear(t, l, nil)
	nobody := w.guest(w.pass(""), "")
	for name, g := range map[string]turn.Guest{"bob": bob, "an unknown visitor": nobody} {
		for what, err := range map[string]error{
			"resume":   func() error { _, err := w.house.Resume(context.Background(), g, l.Turn.ID); return err }(),
			"stop":     w.house.Stop(context.Background(), g, l.Turn.ID),
			"continue": func() error { _, err := w.house.Continue(context.Background(), g, l.Turn.ID, ""); return err }(),
			"ask": func() error {
				_, err := w.house.Ask(context.Background(), g, scaigrid.Ask{Message: "x", ConversationID: l.Turn.ConversationID})
				return err
			}(),
		} {
			if scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
				t.Errorf("%s may %s: %v", name, what, err)
			}
		}
	}
}

func edited(t *testing.T, w *world) {
	g := w.guest(w.pass("alice"), "")
	first := w.ask(g, scaigrid.Ask{Message: "Wat time?"})
	hear(t, first, nil)
	var asked scaigrid.Prompt
	w.answer = func(_ context.Context, p scaigrid.Prompt, say func(string)) error {
		asked = p
		say("Noon.")
		return nil
	}
	second := w.ask(g, scaigrid.Ask{Message: "What time?", ConversationID: first.Turn.ConversationID, Replaces: first.Turn.MessageID})
	hear(t, second, nil)
	if len(asked.History) != 0 {
		t.Errorf("the withdrawn pair is still told to the model: %+v", asked.History)
	}
	if m := w.stored(first.Turn.ID); m.Status != scaigrid.MessageWithdrawn {
		t.Errorf("the old reply is %s", m.Status)
	}
	_, err := w.house.Ask(context.Background(), g, scaigrid.Ask{Message: "x", ConversationID: first.Turn.ConversationID, Replaces: first.Turn.MessageID})
	wantCode(t, err, scaigrid.CodeConflict)
}
