package llm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/llm"
	"github.com/scailabs/scaigrid/internal/llm/llmtest"
	"github.com/scailabs/scaigrid/internal/llm/llmtest/suite"
)

func registry(t testing.TB, o llm.Options) *llm.Registry {
	t.Helper()
	o.Extractive = canned{}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r, err := llm.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestModels(t *testing.T) {
	r := registry(t, llm.Options{Providers: []llm.Provider{{Name: "b", BaseURL: "http://b.example", Models: []string{"z", "a"}}, {Name: "a", BaseURL: "http://a.example"}}})
	models, err := r.Models(t.Context())
	var slugs []string
	for _, m := range models {
		slugs = append(slugs, m.Slug)
	}
	if err != nil || fmt.Sprint(slugs) != "[scaigrid/extractive b/z b/a]" || models[0].HealthStatus != "healthy" || models[1].HealthStatus != "unknown" || models[1].Provider != "b" || models[1].DisplayName != "z" {
		t.Errorf("%+v %v", models, err)
	}
	for slug, code := range map[string]scaigrid.Code{
		scaigrid.ExtractiveModel: "", "a/anything": "", "a/x/y:free": "", "b/z": "", "b/none": scaigrid.CodeModelNotFound, "c/x": scaigrid.CodeModelNotFound,
		"a": scaigrid.CodeModelNotFound, "a/": scaigrid.CodeModelNotFound, "": scaigrid.CodeModelNotFound, "scaigrid/other": scaigrid.CodeModelNotFound,
	} {
		if err := r.CheckModel(t.Context(), slug); scaigrid.ErrorCode(err) != code {
			t.Errorf("%s: %v", slug, err)
		}
	}
	if o := suite.Read(t.Context(), r, scaigrid.Prompt{Model: "c/x"}); scaigrid.ErrorCode(o.Err) != scaigrid.CodeModelNotFound {
		t.Errorf("%+v", o)
	}
	if o := suite.Read(t.Context(), r, scaigrid.Prompt{Model: scaigrid.ExtractiveModel}); o.Err != nil || o.Text != "from the documents" {
		t.Errorf("%+v", o)
	}
}

func TestWrongProvidersAreNamed(t *testing.T) {
	for want, providers := range map[string][]llm.Provider{
		"providers[0].name":       {{Name: "scaigrid"}},
		"providers[1].name":       {{Name: "a"}, {Name: "a"}},
		"providers[0].type":       {{Name: "a", Type: "anthropic"}},
		"providers[0].base_url":   {{Name: "a", BaseURL: "file:///etc"}},
		"providers[0].fallback.m": {{Name: "a", Fallback: map[string][]string{"m": {"b/x"}}}},
	} {
		if _, err := llm.New(llm.Options{Providers: providers}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestCost(t *testing.T) {
	r := registry(t, llm.Options{Providers: []llm.Provider{{Name: "a", Prices: map[string]llm.Price{"x/y": {Prompt: 2, Completion: 4}}}}})
	for model, want := range map[string]float64{"a/x/y": (1000*2 + 500*4) / 1e6, "a/z": 0, "b/x": 0, scaigrid.ExtractiveModel: 0} {
		if got := r.Cost(scaigrid.Usage{Model: model, PromptTokens: 1000, CompletionTokens: 500}); got != want {
			t.Errorf("%s: %v, want %v", model, got, want)
		}
	}
}

func TestFallbackOnlyWhileNothingWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := llmtest.NewNetwork()
		defer n.Close()
		transport := n.Transport()
		defer transport.CloseIdleConnections()
		r := registry(t, llm.Options{Transport: transport, Providers: []llm.Provider{{
			Name: "openai", BaseURL: "http://p.example/v1",
			Fallback: map[string][]string{
				"fault:error-500":    {"openai/fault:html", "openai/echo"},
				"fault:cut@2":        {"openai/echo"},
				"fault:unauthorized": {scaigrid.ExtractiveModel},
				"fault:filter":       {"openai/echo"},
				"fault:hang-head":    {"openai/fault:missing"},
			},
		}}})
		o := suite.Read(t.Context(), r, suite.Prompt("fault:error-500"))
		if o.Err != nil || !strings.HasPrefix(o.Text, "You said: ") || o.Usage == nil || o.Usage.Model != "openai/echo" || len(o.Faults) > 0 {
			t.Errorf("two fallbacks: %+v", o)
		}
		if o := suite.Read(t.Context(), r, suite.Prompt("fault:cut@2")); o.Err == nil || o.Text != llmtest.Words(2) {
			t.Errorf("after text: %+v", o)
		}
		if o := suite.Read(t.Context(), r, suite.Prompt("fault:unauthorized")); o.Err != nil || o.Text != "from the documents" {
			t.Errorf("to the built-in answerer: %+v", o)
		}
		if o := suite.Read(t.Context(), r, suite.Prompt("fault:filter")); o.Finish != "refused" || o.Text != "" {
			t.Errorf("a refusal is an answer: %+v", o)
		}
		if o := suite.Read(t.Context(), r, suite.Prompt("fault:hang-head")); scaigrid.ErrorCode(o.Err) != scaigrid.CodeModelUnavailable {
			t.Errorf("the last failure counts: %+v", o)
		}
		good, _ := r.Lookup("openai/echo")
		bad, _ := r.Lookup("openai/fault:error-500")
		if good.HealthStatus != "healthy" || bad.HealthStatus != "unhealthy" {
			t.Errorf("health %s and %s", good.HealthStatus, bad.HealthStatus)
		}
	})
}

// dialFails is a network on which no connection comes about.
type dialFails struct {
	err   error
	tries int
}

func (d *dialFails) transport() *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		d.tries++
		return nil, d.err
	}}
}

// Rows U1 and U2.
func TestNoConnection(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		tries int
	}{
		"U1 refused":      {&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, 3},
		"U2 unknown host": {&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &dialFails{err: tc.err}
			r := registry(t, llm.Options{Transport: d.transport(), Providers: []llm.Provider{{Name: "openai", BaseURL: "http://p.example/v1", APIKey: suite.Key}}})
			began := time.Now()
			o := suite.Read(t.Context(), r, suite.Prompt("echo"))
			if e := scaigrid.AsError(o.Err); e.Code != scaigrid.CodeBackendError || !e.Retryable || d.tries != tc.tries || time.Since(began) > 8*time.Second {
				t.Errorf("%s: %v after %d tries and %v", name, o.Err, d.tries, time.Since(began))
			}
		})
	}
}

// Row U3: a certificate that nobody vouches for, and a server without TLS.
func TestNoTrust(t *testing.T) {
	secure := httptest.NewUnstartedServer(&llmtest.Provider{})
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secure.StartTLS()
	defer secure.Close()
	plain := llmtest.Start(t)
	for name, base := range map[string]string{"untrusted": secure.URL + "/v1", "no TLS": strings.Replace(plain.URL, "http:", "https:", 1)} {
		began := time.Now()
		o := suite.Read(t.Context(), registry(t, llm.Options{Providers: []llm.Provider{{Name: "openai", BaseURL: base, APIKey: suite.Key}}}), suite.Prompt("echo"))
		if e := scaigrid.AsError(o.Err); e.Code != scaigrid.CodeBackendError || e.Retryable || !strings.Contains(e.Error(), "TLS") || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v, retryable %v", name, o.Err, e.Retryable)
		}
	}
	if len(plain.Requests()) > 0 {
		t.Error("the question went out in the clear")
	}
}

// Over real sockets: the connection is used again, the key is sent and nothing
// else that the environment says, a reset is seen, and a reader who leaves ends
// the call.
func TestOverLoopback(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-of-the-environment")
	t.Setenv("OPENAI_ORG_ID", "org-of-the-environment")
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	p := &llmtest.Provider{}
	conns := 0
	server := httptest.NewUnstartedServer(p)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns++
		}
	}
	server.Start()
	defer server.Close()
	r := registry(t, llm.Options{Providers: []llm.Provider{{Name: "openai", BaseURL: server.URL + "/v1", APIKey: suite.Key}, {Name: "open", BaseURL: server.URL + "/v1/"}}})
	for range 20 {
		if o := suite.Read(t.Context(), r, suite.Prompt("text:3000")); o.Err != nil || o.Text != llmtest.Text(3000) {
			t.Fatalf("%+v", o)
		}
	}
	if conns != 1 {
		t.Errorf("%d connections for 20 answers one after the other", conns)
	}
	q := p.Requests()[0]
	if q.Key != suite.Key || q.Header.Get("Openai-Organization") != "" || !q.Stream || q.Messages[0].Role != "system" || len(q.Messages) != 6 || q.MaxTokens != 50 {
		t.Errorf("%+v", q)
	}
	open := suite.Prompt("echo")
	open.Model = "open/echo"
	if o := suite.Read(t.Context(), r, open); o.Err != nil {
		t.Errorf("without a key: %+v", o)
	}
	if q := p.Requests()[20]; q.Header.Get("Authorization") != "" {
		t.Errorf("a key was sent where none is configured")
	}
	if o := suite.Read(t.Context(), r, suite.Prompt("fault:reset@2")); o.Text != llmtest.Words(2) || scaigrid.ErrorCode(o.Err) != scaigrid.CodeBackendError {
		t.Errorf("%+v", o)
	}
	for part, err := range r.Stream(t.Context(), suite.Prompt("words:100000@1")) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(part.Text, "w5 ") {
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := p.WaitLeft(ctx, 1); err != nil {
		t.Error("the provider still writes")
	}
}

// Row U23: a line of 100 MB costs what a line may have, not what it has.
func TestHugeLineCostsLittle(t *testing.T) {
	s := llmtest.Start(t)
	r := registry(t, llm.Options{Providers: []llm.Provider{{Name: "openai", BaseURL: s.URL}}})
	suite.Read(t.Context(), r, suite.Prompt("echo"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := suite.Read(t.Context(), r, suite.Prompt("fault:huge-line"))
	runtime.ReadMemStats(&after)
	if scaigrid.ErrorCode(o.Err) != scaigrid.CodeBackendError {
		t.Errorf("%+v", o)
	}
	// All that was ever allocated, the server's share too; a reader without a bound takes over 200 MiB.
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 24<<20 {
		t.Errorf("%d MiB", grown>>20)
	}
}

func TestKeysDoNotShow(t *testing.T) {
	var out bytes.Buffer
	p := llm.Provider{Name: "a", APIKey: suite.Key}
	fmt.Fprintf(&out, "%v %+v %#v %s %q", p, p, p, p.APIKey, p.APIKey)
	_ = json.NewEncoder(&out).Encode(p)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "provider", p, "key", p.APIKey)
	if strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), "[redacted]") {
		t.Error(out.String())
	}
}

func BenchmarkAnswerOfOneToken(b *testing.B) {
	p := &llmtest.Provider{}
	server := httptest.NewServer(p)
	defer server.Close()
	r := registry(b, llm.Options{Providers: []llm.Provider{{Name: "openai", BaseURL: server.URL + "/v1", APIKey: suite.Key}}})
	b.ReportAllocs()
	for b.Loop() {
		if o := suite.Read(b.Context(), r, suite.Prompt("words:1")); o.Err != nil {
			b.Fatal(o.Err)
		}
	}
}
