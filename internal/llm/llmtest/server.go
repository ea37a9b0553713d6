// Package llmtest is a scripted model provider for tests: a real HTTP server
// that speaks the OpenAI protocol, faults included. What it does is chosen by
// the model's name, so that a bot's setting is the whole script.
//
//	echo                 "You said: " and the last question, word by word
//	words:N              N words, "w0 w1 …", as fast as they can be written
//	words:N@MS           the same, MS milliseconds apart
//	text:N               N bytes of prose with accents and emoji, always the same
//	text:N@MS            the same, a word every MS milliseconds
//	say:TEXT             the text, with _ for spaces
//	cite                 an answer that rests on the first passage: "… [1]."
//	unknown              says that the passages do not answer: "[0]"
//	flaky:N              503 for the first N requests of each question, then echo
//	fault:NAME           the fault before any text
//	fault:NAME@N         the fault after N words
//	ask                  plays the name that the question begins with: "!fault:hang@3 …"; else echo
//
// The faults are listed in fault.go. It keeps what it was asked, and counts the
// clients that left before their answer was whole. Nothing in it is random.
package llmtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Request is what a client asked.
type Request struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	MaxTokens           int  `json:"max_tokens"`
	MaxCompletionTokens int  `json:"max_completion_tokens"`
	Stream              bool `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	Header http.Header `json:"-"`
	Key    string      `json:"-"` // of the Authorization header
	Host   string      `json:"-"`
}

// Question returns the last message of the visitor.
func (r Request) Question() string {
	for _, m := range slices.Backward(r.Messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// Provider answers as its models' names say. The zero value is ready.
type Provider struct {
	mu       sync.Mutex
	requests []Request
	open     int
	left     int // clients that went away in the middle
	changed  chan struct{}
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
	return slices.Clone(p.requests)
}

// Open tells how many answers are under way.
func (p *Provider) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// Left tells how many clients went away before their answer was whole.
func (p *Provider) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
}

// WaitLeft waits until n clients went away, or ctx ends.
func (p *Provider) WaitLeft(ctx context.Context, n int) error {
	for {
		p.mu.Lock()
		if p.changed == nil {
			p.changed = make(chan struct{})
		}
		left, changed := p.left, p.changed
		p.mu.Unlock()
		if left >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stats is what GET /stats tells.
type Stats struct {
	Requests int      `json:"requests"`
	Open     int      `json:"open"`
	Left     int      `json:"left"`
	Models   []string `json:"models"` // of each request
}

func (p *Provider) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Requests: len(p.requests), Open: p.open, Left: p.left, Models: []string{}}
	for _, r := range p.requests {
		s.Models = append(s.Models, r.Model)
	}
	return s
}

// ServeHTTP answers POST …/chat/completions, GET /stats and POST /reset.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/stats":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p.stats())
		return
	case r.URL.Path == "/reset" && r.Method == http.MethodPost:
		p.mu.Lock()
		p.requests, p.left, p.failed = nil, 0, nil
		p.mu.Unlock()
		return
	case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/chat/completions"):
		http.Error(w, `{"error":{"message":"no such path","type":"invalid_request_error"}}`, http.StatusNotFound)
		return
	}
	var q Request
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &q) != nil {
		http.Error(w, `{"error":{"message":"bad json","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	q.Header, q.Host = r.Header.Clone(), r.Host
	q.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	p.requests = append(p.requests, q)
	p.open++
	p.mu.Unlock()
	t := &talk{w: w, r: r, q: q}
	defer p.over(t)
	p.play(t, q)
}

func (p *Provider) over(t *talk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	if t.r.Context().Err() != nil && !t.ended {
		p.left++
		if p.changed != nil {
			close(p.changed)
			p.changed = nil
		}
	}
}

// failsAgain counts the requests of one question.
func (p *Provider) failsAgain(q Request, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = map[string]int{}
	}
	key := q.Model + "\x00" + q.Question()
	p.failed[key]++
	return p.failed[key] <= n
}
