package llm

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/llm/llmtest"
)

var quick = Limits{
	FirstByte: 150 * time.Millisecond, Silence: 150 * time.Millisecond, FirstText: 200 * time.Millisecond,
	NoText: 200 * time.Millisecond, Whole: 400 * time.Millisecond, Backoff: time.Millisecond,
}

type nobody struct{}

func (nobody) Stream(context.Context, scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	return func(yield func(scaigrid.Part, error) bool) {
		yield(scaigrid.Part{Text: "built in", FinishReason: "stop"}, nil)
	}
}

func registry(url string, l Limits, fallback map[string][]string) *Registry {
	return NewRegistry(nobody{}, []Provider{{
		Name: "openai", BaseURL: url, APIKey: "sk-canary-secret", Fallback: fallback,
		Prices: map[string]Price{"echo": {Prompt: 2, Completion: 4}},
	}}, l, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// outcome is an answer as its reader gets it.
type outcome struct {
	text, finish string
	usage        *scaigrid.Usage
	err          error
}

func answer(ctx context.Context, r *Registry, model string) outcome {
	var o outcome
	var b strings.Builder
	p := scaigrid.Prompt{Model: "openai/" + model, System: "Be kind.", MaxTokens: 50, Messages: []scaigrid.PromptMessage{
		{Role: scaigrid.RoleVisitor, Content: "Old question"}, {Role: scaigrid.RoleAssistant, Content: "Old answer"},
		{Role: scaigrid.RoleVisitor, Content: "Hello there"},
	}}
	for part, err := range r.Stream(ctx, p) {
		if err != nil {
			o.err = err
			break
		}
		b.WriteString(part.Text)
		if part.FinishReason != "" {
			o.finish = part.FinishReason
		}
		if part.Usage != nil {
			o.usage = part.Usage
		}
	}
	o.text = b.String()
	return o
}

func TestWholeAnswer(t *testing.T) {
	s := llmtest.Start(t)
	r := registry(s.URL, Limits{}, nil)
	o := answer(context.Background(), r, "echo")
	if o.err != nil || o.text != "You said: Hello there" || o.finish != "stop" {
		t.Fatalf("%+v", o)
	}
	if o.usage == nil || *o.usage != (scaigrid.Usage{PromptTokens: 11, CompletionTokens: 5, Model: "openai/echo"}) {
		t.Errorf("usage %+v", o.usage)
	}
	if c := r.Cost(*o.usage); c != (11*2+5*4)/1e6 {
		t.Errorf("cost %v", c)
	}
	q := s.Requests()[0]
	if q.Key != "sk-canary-secret" || len(q.Messages) != 4 || q.Messages[0].Role != "system" || q.MaxTokens != 50 || !q.Stream {
		t.Errorf("asked %+v", q)
	}
}

// The rows of the fault matrix (RELIABILITY U1–U30), before the first text and after it.
func TestFaults(t *testing.T) {
	const shown = "w0 w1 "
	for _, tc := range []struct {
		model string
		code  scaigrid.Code // "" where the answer is whole
		text  string
		calls int // to the provider; 0: one
		retry bool
	}{
		{model: "fault:too-long", code: scaigrid.CodeBackendError, calls: 2},
		{model: "fault:bad-request", code: scaigrid.CodeBackendError},
		{model: "fault:unauthorized", code: scaigrid.CodeModelUnavailable},
		{model: "fault:forbidden", code: scaigrid.CodeModelUnavailable},
		{model: "fault:missing", code: scaigrid.CodeModelUnavailable},
		{model: "fault:busy-long", code: scaigrid.CodeBackendRateLimited, retry: true},
		{model: "fault:busy-odd", code: scaigrid.CodeBackendRateLimited, retry: true},
		{model: "fault:error-500", code: scaigrid.CodeBackendError, calls: 3, retry: true},
		{model: "fault:error-502", code: scaigrid.CodeBackendError, calls: 3, retry: true},
		{model: "fault:error-503", code: scaigrid.CodeBackendError, calls: 3, retry: true},
		{model: "fault:error-529", code: scaigrid.CodeBackendError, calls: 3, retry: true},
		{model: "flaky:2", text: "You said: Hello there", calls: 3},
		{model: "fault:error-event", code: scaigrid.CodeBackendError, calls: 3, retry: true},
		{model: "fault:error-event@2", code: scaigrid.CodeBackendError, text: shown, retry: true},
		{model: "fault:redirect", code: scaigrid.CodeModelUnavailable},
		{model: "fault:html", code: scaigrid.CodeBackendError},
		{model: "fault:hang-headers", code: scaigrid.CodeBackendTimeout, calls: 2, retry: true},
		{model: "fault:hang", code: scaigrid.CodeBackendTimeout, retry: true},
		{model: "fault:hang@2", code: scaigrid.CodeBackendTimeout, text: shown, retry: true},
		{model: "fault:pings", code: scaigrid.CodeBackendTimeout, calls: 2, retry: true},
		{model: "fault:pings@2", code: scaigrid.CodeBackendTimeout, text: shown, retry: true},
		{model: "fault:cut", code: scaigrid.CodeBackendError, calls: 2, retry: true},
		{model: "fault:cut@2", code: scaigrid.CodeBackendError, text: shown, retry: true},
		{model: "fault:no-finish", code: scaigrid.CodeBackendError, calls: 2, retry: true},
		{model: "fault:no-finish@2", code: scaigrid.CodeBackendError, text: shown, retry: true},
		{model: "fault:only-done@2", code: scaigrid.CodeBackendError, text: shown, retry: true},
		{model: "fault:bad-json", code: scaigrid.CodeBackendError, retry: true},
		{model: "fault:bad-json@2", code: scaigrid.CodeBackendError, text: shown, retry: true},
		{model: "fault:long-line", code: scaigrid.CodeBackendError},
		{model: "fault:long-line@2", code: scaigrid.CodeBackendError, text: shown},
		{model: "fault:empty", code: scaigrid.CodeBackendError, calls: 2, retry: true},
		{model: "fault:tool", code: scaigrid.CodeBackendError},
		{model: "fault:odd-form", text: "Grüße 🙂"},
		{model: "fault:unknown", text: "ok"},
		{model: "fault:after-done", text: "whole"},
		{model: "fault:late-text", text: "whole"},
		{model: "fault:usage-absent", text: "ok"},
		{model: "fault:dirty", text: "ab\ncd\nef\ng"},
	} {
		t.Run(tc.model, func(t *testing.T) {
			t.Parallel()
			s := llmtest.Start(t)
			o := answer(context.Background(), registry(s.URL, quick, nil), tc.model)
			if scaigrid.ErrorCode(o.err) != tc.code || o.text != tc.text {
				t.Fatalf("text %q, error %v; want %q, %q", o.text, o.err, tc.text, tc.code)
			}
			if (o.err == nil) != (o.finish != "") {
				t.Errorf("error %v beside finish %q", o.err, o.finish)
			}
			if n := len(s.Requests()); n != max(tc.calls, 1) {
				t.Errorf("%d calls, want %d", n, max(tc.calls, 1))
			}
			if o.err == nil {
				return
			}
			e := scaigrid.AsError(o.err)
			if e.Retryable != tc.retry {
				t.Errorf("retryable %v", e.Retryable)
			}
			if strings.Contains(e.Error(), "canary") || strings.Contains(e.Message, "provider") {
				t.Errorf("the error tells too much: %v", e)
			}
		})
	}
}

func TestRefusedAndLengthAreEnds(t *testing.T) {
	s := llmtest.Start(t)
	r := registry(s.URL, quick, nil)
	if o := answer(context.Background(), r, "fault:filter"); o.err != nil || o.finish != "refused" {
		t.Errorf("content filter: %+v", o)
	}
	if o := answer(context.Background(), r, "fault:length@2"); o.err != nil || o.finish != "length" {
		t.Errorf("length: %+v", o)
	}
}

func TestEndlessDripEnds(t *testing.T) {
	s := llmtest.Start(t)
	o := answer(context.Background(), registry(s.URL, quick, nil), "fault:drip")
	if scaigrid.ErrorCode(o.err) != scaigrid.CodeBackendTimeout || !strings.HasPrefix(o.text, "xx") {
		t.Errorf("%+v", o)
	}
}

func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there now
	refused := answer(context.Background(), registry("http://"+l.Addr().String()+"/v1", quick, nil), "echo")
	if scaigrid.ErrorCode(refused.err) != scaigrid.CodeBackendError || !scaigrid.AsError(refused.err).Retryable {
		t.Errorf("refused: %v", refused.err)
	}
	unknown := answer(context.Background(), registry("http://no-such-host.invalid/v1", quick, nil), "echo")
	if scaigrid.ErrorCode(unknown.err) != scaigrid.CodeBackendError {
		t.Errorf("unknown host: %v", unknown.err)
	}
	tls := httptest.NewTLSServer(&llmtest.Provider{}) // a certificate that nobody vouches for
	defer tls.Close()
	untrusted := answer(context.Background(), registry(tls.URL+"/v1", quick, nil), "echo")
	if scaigrid.ErrorCode(untrusted.err) != scaigrid.CodeModelUnavailable {
		t.Errorf("bad certificate: %v", untrusted.err)
	}
}

func TestFallbackOnlyWhileNothingWasShown(t *testing.T) {
	s := llmtest.Start(t)
	fallback := map[string][]string{
		"fault:error-500":    {"openai/fault:html", "openai/echo"},
		"fault:cut@2":        {"openai/echo"},
		"fault:unauthorized": {scaigrid.ExtractiveModel},
	}
	r := registry(s.URL, quick, fallback)
	if o := answer(context.Background(), r, "fault:error-500"); o.err != nil || o.text != "You said: Hello there" || o.usage.Model != "openai/echo" {
		t.Errorf("%+v", o)
	}
	if o := answer(context.Background(), r, "fault:cut@2"); o.err == nil || o.text != "w0 w1 " {
		t.Errorf("after text: %+v", o)
	}
	if o := answer(context.Background(), r, "fault:unauthorized"); o.err != nil || o.text != "built in" {
		t.Errorf("to the built-in answerer: %+v", o)
	}
}

func TestLeavingEndsTheCall(t *testing.T) {
	s := llmtest.Start(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	why := errors.New("stop")
	r := registry(s.URL, Limits{}, nil)
	for part, err := range r.Stream(ctx, scaigrid.Prompt{Model: "openai/words:100000@1", Messages: []scaigrid.PromptMessage{{Role: scaigrid.RoleVisitor, Content: "x"}}}) {
		if err != nil {
			t.Fatalf("a call that was ended by its caller reports %v", err)
		}
		if part.Text == "w5 " {
			cancel(why)
		}
	}
	deadline := time.After(5 * time.Second)
	for s.Left() == 0 {
		select {
		case <-deadline:
			t.Fatal("the provider still writes")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestModels(t *testing.T) {
	r := NewRegistry(nobody{}, []Provider{{Name: "b", Models: []string{"z", "a"}}, {Name: "a"}}, Limits{}, slog.New(slog.DiscardHandler))
	models, err := r.Models(context.Background())
	if err != nil || len(models) != 3 || models[0].Slug != scaigrid.ExtractiveModel || models[1].Slug != "b/a" {
		t.Errorf("%+v %v", models, err)
	}
	for slug, code := range map[string]scaigrid.Code{
		scaigrid.ExtractiveModel: "", "a/anything": "", "b/z": "", "b/none": scaigrid.CodeModelNotFound, "c/x": scaigrid.CodeModelNotFound, "a": scaigrid.CodeModelNotFound,
	} {
		if err := r.CheckModel(context.Background(), slug); scaigrid.ErrorCode(err) != code {
			t.Errorf("%s: %v", slug, err)
		}
	}
}
