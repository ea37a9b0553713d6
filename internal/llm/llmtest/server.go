// Package llmtest is a scripted model provider for tests: a real HTTP server
// that speaks the OpenAI protocol, faults included. What it does is chosen by
// the model's name, so that a bot's setting is the whole script.
//
//	echo                 "You said: " and the last message, word by word
//	words:N              N words at once
//	words:N@MS           N words, MS milliseconds apart
//	say:TEXT             the text, with _ for spaces
//	fault:NAME           the fault before any text
//	fault:NAME@N         the fault after N words
//	flaky:N              fails N times with 503 for each run of the same question, then echoes
//
// The faults are those of the table in fault.go.
package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Request is what a client asked.
type Request struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	MaxTokens int    `json:"max_tokens"`
	Stream    bool   `json:"stream"`
	Key       string `json:"-"` // of the Authorization header
}

// Question returns the last message of the visitor.
func (r Request) Question() string {
	for i := len(r.Messages) - 1; i >= 0; i-- {
		if r.Messages[i].Role == "user" {
			return r.Messages[i].Content
		}
	}
	return ""
}

// Provider answers as its models' names say. The zero value is ready.
type Provider struct {
	mu       sync.Mutex
	requests []Request
	left     int // clients that went away in the middle
	failed   map[string]int
}

// Server is a provider on a loopback port of its own.
type Server struct {
	*Provider
	URL string // base address, with the version path
}

// Start runs a provider until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	p := &Provider{}
	s := httptest.NewServer(p)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return &Server{Provider: p, URL: s.URL + "/v1"}
}

// Requests returns what was asked so far.
func (p *Provider) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Left tells how many clients went away before their answer was whole.
func (p *Provider) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
}

// ServeHTTP answers POST /v1/chat/completions, and GET /stats for people.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/stats" {
		_ = json.NewEncoder(w).Encode(map[string]int{"requests": len(p.Requests()), "left": p.Left()})
		return
	}
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		http.Error(w, `{"error":{"message":"no such path","type":"invalid_request_error"}}`, http.StatusNotFound)
		return
	}
	var q Request
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, `{"error":{"message":"bad json","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	q.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	p.requests = append(p.requests, q)
	p.mu.Unlock()
	p.play(newTalk(w, r, q), q)
}

func (p *Provider) play(t *talk, q Request) {
	kind, arg, _ := strings.Cut(q.Model, ":")
	switch kind {
	case "echo":
		t.whole(strings.SplitAfter("You said: "+q.Question(), " "), 0)
	case "say":
		t.whole(strings.SplitAfter(strings.ReplaceAll(arg, "_", " "), " "), 0)
	case "words":
		n, ms := numbers(arg)
		t.whole(numbered(n), time.Duration(ms)*time.Millisecond)
	case "flaky":
		n, _ := numbers(arg)
		if p.failsAgain(q, n) {
			t.status(http.StatusServiceUnavailable, nil, `{"error":{"message":"overloaded"}}`)
			return
		}
		t.whole(strings.SplitAfter("You said: "+q.Question(), " "), 0)
	case "fault":
		name, after, _ := strings.Cut(arg, "@")
		n, _ := strconv.Atoi(after)
		play := faults[name]
		if play == nil {
			t.status(http.StatusNotFound, nil, `{"error":{"message":"no such fault"}}`)
			return
		}
		for _, word := range numbered(n) {
			t.say(word)
		}
		play(t)
	default:
		t.status(http.StatusNotFound, nil, `{"error":{"message":"The model does not exist","code":"model_not_found"}}`)
	}
	if t.r.Context().Err() != nil && !t.ended {
		p.mu.Lock()
		p.left++
		p.mu.Unlock()
	}
}

func (p *Provider) failsAgain(q Request, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = map[string]int{}
	}
	p.failed[q.Question()]++
	return p.failed[q.Question()] <= n
}

func numbers(s string) (a, b int) {
	x, y, _ := strings.Cut(s, "@")
	a, _ = strconv.Atoi(x)
	b, _ = strconv.Atoi(y)
	return a, b
}

func numbered(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d ", i)
	}
	return words
}
