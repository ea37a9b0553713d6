// Package suite is what every model client must pass: the faults of a provider,
// each before the first text and after it, and for each the one end that its
// reader sees, the calls that it costs and the time that it may take.
//
// It runs under a clock of its own, so that minutes of silence cost nothing.
package suite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/llm/llmtest"
)

// Key is the API key that a client under test must use, and never show.
const Key = "sk-canary-4f1d9a7be2"

// Question is what the suite asks.
const Question = "Where is order 66? canary-question-8d1c"

// Client answers prompts whose Model is "openai/" and the name of a script.
type Client interface {
	Stream(ctx context.Context, p scaigrid.Prompt) iter.Seq2[scaigrid.Part, error]
}

// Open makes a client of a provider with its standard limits. Its connections
// go through transport, its log to log.
type Open func(t *testing.T, transport http.RoundTripper, log *slog.Logger) Client

// Case is one behaviour of a provider and what a reader must see.
type Case struct {
	Row    string // of the fault matrix
	Script string // model name without its provider
	Text   string // what the reader got in the end
	Prefix string // instead of Text: how it begins

	Finish     string        // "" where the answer fails
	Code       scaigrid.Code // of the failure
	Retryable  bool
	RetryAfter time.Duration

	Calls    int           // to the provider; 0: one
	Within   time.Duration // 0: 2 s
	AtLeast  time.Duration
	MaxBytes int // of text; 0: not bounded here
}

const said = "You said: " + Question

// Cases lists the fault matrix.
func Cases() []Case {
	shown := llmtest.Words(2)
	bad, slow, busy, off := scaigrid.CodeBackendError, scaigrid.CodeBackendTimeout, scaigrid.CodeBackendRateLimited, scaigrid.CodeModelUnavailable
	return []Case{
		{Row: "whole", Script: "echo", Text: said, Finish: "stop"},
		{Row: "whole", Script: "text:5000", Text: llmtest.Text(5000), Finish: "stop"},
		{Row: "U4", Script: "fault:too-long", Code: bad, Calls: 2, Within: 10 * time.Second},
		{Row: "U4", Script: "fault:short-memory", Text: said, Finish: "stop", Calls: 2},
		{Row: "U4", Script: "fault:bad-request", Code: bad},
		{Row: "U5", Script: "fault:unauthorized", Code: off},
		{Row: "U5", Script: "fault:forbidden", Code: off},
		{Row: "U5", Script: "fault:no-quota", Code: off},
		{Row: "U6", Script: "fault:missing", Code: off},
		{Row: "U7", Script: "fault:busy-once", Text: said, Finish: "stop", Calls: 2, AtLeast: 2 * time.Second, Within: 20 * time.Second},
		{Row: "U7", Script: "fault:busy", Code: busy, Retryable: true, Calls: 3, Within: 20 * time.Second},
		{Row: "U8", Script: "fault:busy-long", Code: busy, Retryable: true, RetryAfter: time.Hour},
		{Row: "U8", Script: "fault:busy-odd", Code: busy, Retryable: true},
		{Row: "U8", Script: "fault:busy-past", Code: busy, Retryable: true, Calls: 2},
		{Row: "U9", Script: "fault:error-500", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U9", Script: "fault:error-502", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U9", Script: "fault:error-503", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U9", Script: "fault:error-504", Code: slow, Retryable: true, Calls: 2, Within: 15 * time.Second},
		{Row: "U9", Script: "fault:error-529", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U9", Script: "fault:endless-error", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U9", Script: "flaky:2", Text: said, Finish: "stop", Calls: 3, Within: 15 * time.Second},
		{Row: "U10", Script: "fault:error-event", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U10", Script: "fault:error-named", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U10", Script: "fault:error-vllm", Code: bad, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U10", Script: "fault:error-busy", Code: busy, Retryable: true, Calls: 3, Within: 15 * time.Second},
		{Row: "U11", Script: "fault:html", Code: bad, Retryable: true},
		{Row: "U12", Script: "fault:hang-head", Code: slow, Retryable: true, Calls: 2, AtLeast: 30 * time.Second, Within: 62 * time.Second},
		{Row: "U13", Script: "fault:hang", Code: slow, Retryable: true, Calls: 2, AtLeast: 30 * time.Second, Within: 62 * time.Second},
		{Row: "U13", Script: "fault:pings", Code: slow, Retryable: true, AtLeast: 60 * time.Second, Within: 61 * time.Second},
		{Row: "U13", Script: "fault:think", Text: "thought", Finish: "stop", AtLeast: 100 * time.Second, Within: 101 * time.Second},
		{Row: "U14", Script: "fault:hang@2", Text: shown, Code: slow, Retryable: true, AtLeast: 30 * time.Second, Within: 31 * time.Second},
		{Row: "U15", Script: "fault:pings@2", Text: shown, Code: slow, Retryable: true, AtLeast: 90 * time.Second, Within: 91 * time.Second},
		{Row: "U16", Script: "fault:drip", Prefix: "xxxxxxxxxxxxxx", Code: slow, Retryable: true, AtLeast: 299 * time.Second, Within: 301 * time.Second},
		{Row: "U17", Script: "fault:cut", Code: bad, Retryable: true, Calls: 3, Within: 8 * time.Second},
		{Row: "U17", Script: "fault:cut@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U17", Script: "fault:reset", Code: bad, Retryable: true, Calls: 3, Within: 8 * time.Second},
		{Row: "U17", Script: "fault:reset@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U18", Script: "fault:no-finish", Code: bad, Retryable: true, Calls: 3, Within: 8 * time.Second},
		{Row: "U18", Script: "fault:no-finish@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U18", Script: "fault:only-done", Code: bad, Retryable: true, Calls: 3, Within: 8 * time.Second},
		{Row: "U18", Script: "fault:only-done@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U19", Script: "fault:error-event@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U19", Script: "fault:error-named@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U19", Script: "fault:error-busy@2", Text: shown, Code: busy, Retryable: true},
		{Row: "U20", Script: "fault:bad-json", Code: bad, Retryable: true},
		{Row: "U20", Script: "fault:bad-json@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U20", Script: "fault:bad-types@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U21", Script: "fault:odd-form", Text: "Grüße 🙂 CR only", Finish: "stop"},
		{Row: "U22", Script: "fault:unknown", Text: "ok", Finish: "stop"},
		{Row: "U22", Script: "fault:parts", Text: "in parts", Finish: "stop"},
		{Row: "U23", Script: "fault:long-line", Code: bad, Retryable: true},
		{Row: "U23", Script: "fault:huge-line@2", Text: shown, Code: bad, Retryable: true},
		{Row: "U24", Script: "fault:flood", Prefix: "üüü", Finish: "length", MaxBytes: scaigrid.MaxAnswerBytes},
		{Row: "U24", Script: "fault:length", Text: "cut short", Finish: "length"},
		{Row: "U25", Script: "fault:empty", Code: bad, Retryable: true, Calls: 2, Within: 10 * time.Second},
		{Row: "U25", Script: "fault:empty-once", Text: said, Finish: "stop", Calls: 2},
		{Row: "U26", Script: "fault:filter", Finish: "refused"},
		{Row: "U26", Script: "fault:filter@2", Text: shown, Finish: "refused"},
		{Row: "U26", Script: "fault:refusal", Finish: "refused"},
		{Row: "U26", Script: "fault:filtered-prompt", Finish: "refused"},
		{Row: "U27", Script: "fault:after-done", Text: "whole", Finish: "stop"},
		{Row: "U27", Script: "fault:late-text", Text: "whole", Finish: "stop"},
		{Row: "U28", Script: "fault:dirty", Text: "ab\ncd\nef\ng🙂\ufffdx\ufffd", Finish: "stop"},
		{Row: "U29", Script: "fault:tool", Code: bad, Retryable: true},
		{Row: "U30", Script: "fault:redirect", Code: off},
		{Row: "U30", Script: "fault:redirect-get", Code: off},
		{Row: "manners", Script: "fault:old-server", Text: said, Finish: "stop", Calls: 2},
		{Row: "manners", Script: "fault:new-server", Text: said, Finish: "stop", Calls: 2},
		{Row: "manners", Script: "fault:unstreamed", Text: "all at once", Finish: "stop"},
		{Row: "manners", Script: "fault:no-usage", Text: "ok", Finish: "stop"},
		{Row: "manners", Script: "fault:no-done", Text: "ok", Finish: "stop"},
		{Row: "manners", Script: "fault:no-end", Text: "ok", Finish: "stop", Within: 4 * time.Second},
		{Row: "manners", Script: "fault:plain-type", Text: "ok", Finish: "stop"},
	}
}

// Run has a client pass every case, and the rules that hold beside them.
func Run(t *testing.T, open Open) {
	for _, c := range Cases() {
		t.Run(c.Row+" "+c.Script, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { runCase(t, open, c) }) })
	}
	t.Run("U30 no connection elsewhere", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { noConnectionElsewhere(t, open) }) })
	t.Run("reader leaves", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { readerLeaves(t, open) }) })
	t.Run("caller ends", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { callerEnds(t, open) }) })
}

// Prompt is what the suite asks of a script: a history, so that there is
// something to shorten, and a question.
func Prompt(script string) scaigrid.Prompt {
	return scaigrid.Prompt{
		Model: "openai/" + script, System: "Be kind.", MaxTokens: 50, Question: Question,
		Messages: []scaigrid.PromptMessage{
			{Role: scaigrid.RoleVisitor, Content: "first"},
			{Role: scaigrid.RoleAssistant, Content: "one"},
			{Role: scaigrid.RoleVisitor, Content: "second"},
			{Role: scaigrid.RoleHuman, Content: "two"},
			{Role: scaigrid.RoleVisitor, Content: Question},
		},
	}
}

// Outcome is an answer as its reader got it.
type Outcome struct {
	Text, Finish string
	Usage        *scaigrid.Usage
	Err          error
	Faults       []string // of the order of its parts
}

// Read reads an answer to its end.
func Read(ctx context.Context, client Client, p scaigrid.Prompt) Outcome {
	var o Outcome
	var text strings.Builder
	for part, err := range client.Stream(ctx, p) {
		if o.Err != nil || o.Finish != "" {
			o.Faults = append(o.Faults, fmt.Sprintf("something came after the end: %+v, %v", part, err))
		}
		if err != nil {
			o.Err = err
			continue
		}
		text.WriteString(part.Text)
		o.Finish += part.FinishReason
		if part.Usage != nil {
			o.Usage = part.Usage
		}
	}
	if o.Text = text.String(); (o.Err == nil) == (o.Finish == "") {
		o.Faults = append(o.Faults, fmt.Sprintf("finish reason %q beside the error %v", o.Finish, o.Err))
	}
	return o
}

func runCase(t *testing.T, open Open, c Case) {
	n := llmtest.NewNetwork()
	defer n.Close()
	var logged strings.Builder
	transport := n.Transport()
	defer transport.CloseIdleConnections()
	began := time.Now()
	o := Read(t.Context(), open(t, transport, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))), Prompt(c.Script))
	took := time.Since(began)
	for _, f := range o.Faults {
		t.Error(f)
	}
	if c.Prefix == "" && o.Text != c.Text || !strings.HasPrefix(o.Text, c.Prefix) {
		t.Errorf("text %.80q, want %.80q", o.Text, c.Text+c.Prefix)
	}
	if c.MaxBytes > 0 && (len(o.Text) > c.MaxBytes || len(o.Text) < c.MaxBytes-4) {
		t.Errorf("%d bytes of text, want %d at most and no fewer than can be", len(o.Text), c.MaxBytes)
	}
	if o.Finish != c.Finish || scaigrid.ErrorCode(o.Err) != c.Code {
		t.Fatalf("finish %q, error %v; want %q, %q", o.Finish, o.Err, c.Finish, c.Code)
	}
	if calls := len(n.Requests()); calls != max(c.Calls, 1) {
		t.Errorf("%d calls, want %d", calls, max(c.Calls, 1))
	}
	within := c.Within
	if within == 0 {
		within = 2 * time.Second
	}
	if took > within || took < c.AtLeast {
		t.Errorf("took %v, want %v to %v", took, c.AtLeast, within)
	}
	checkError(t, o.Err, c)
	for _, secret := range []string{Key, "canary"} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("the log tells a secret:\n%s", logged.String())
		}
	}
	if c.Row == "whole" && (o.Usage == nil || o.Usage.PromptTokens != 11 || o.Usage.Model != "openai/"+c.Script) {
		t.Errorf("usage %+v", o.Usage)
	}
	if c.Script == "fault:no-usage" && o.Usage != nil {
		t.Errorf("usage %+v where the provider said nothing", o.Usage)
	}
}

func checkError(t *testing.T, err error, c Case) {
	if err == nil {
		return
	}
	var e *scaigrid.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is a %T", err)
	}
	if e.Retryable != c.Retryable || e.RetryAfter != c.RetryAfter {
		t.Errorf("retryable %v after %v, want %v after %v", e.Retryable, e.RetryAfter, c.Retryable, c.RetryAfter)
	}
	if strings.Contains(e.Error(), "canary") {
		t.Errorf("the error tells a secret: %v", e)
	}
	if e.Message == "" || strings.Contains(e.Message, "openai") || e.Cause == nil {
		t.Errorf("message %q, cause %v", e.Message, e.Cause)
	}
}

func noConnectionElsewhere(t *testing.T, open Open) {
	n := llmtest.NewNetwork()
	defer n.Close()
	transport := n.Transport()
	defer transport.CloseIdleConnections()
	Read(t.Context(), open(t, transport, slog.New(slog.DiscardHandler)), Prompt("fault:redirect"))
	if k := n.Dialled("elsewhere.example:80"); k != 0 {
		t.Errorf("connected %d times to where it was sent", k)
	}
}

// readerLeaves stops reading in the middle: the provider must see it at once.
func readerLeaves(t *testing.T, open Open) {
	n := llmtest.NewNetwork()
	defer n.Close()
	transport := n.Transport()
	defer transport.CloseIdleConnections()
	client := open(t, transport, slog.New(slog.DiscardHandler))
	for part, err := range client.Stream(t.Context(), Prompt("words:1000@100")) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(part.Text, "w5 ") {
			break
		}
	}
	waitLeft(t, n)
}

// callerEnds ends the context in the middle: the cause comes out, no code.
func callerEnds(t *testing.T, open Open) {
	n := llmtest.NewNetwork()
	defer n.Close()
	transport := n.Transport()
	defer transport.CloseIdleConnections()
	for _, script := range []string{"words:1000@100", "fault:hang-head", "fault:hang", "fault:error-503"} {
		why := errors.New("stopped by the visitor")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		began := time.Now()
		o := Read(ctx, open(t, transport, slog.New(slog.DiscardHandler)), Prompt(script))
		if !errors.Is(o.Err, why) || len(o.Faults) > 0 {
			t.Errorf("%s: error %v, want the cause; %v", script, o.Err, o.Faults)
		}
		if took := time.Since(began); took > 1100*time.Millisecond {
			t.Errorf("%s: went on for %v", script, took)
		}
		cancel(nil)
	}
	waitLeft(t, n)
}

func waitLeft(t *testing.T, n *llmtest.Network) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := n.WaitLeft(ctx, 1); err != nil {
		t.Error("the provider still writes")
	}
}
