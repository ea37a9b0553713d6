package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// talk is one answer under way.
type talk struct {
	w       http.ResponseWriter
	r       *http.Request
	q       Request
	started bool
	ended   bool
}

func (t *talk) start() {
	if t.started {
		return
	}
	t.started = true
	t.w.Header().Set("Content-Type", "text/event-stream")
	t.w.WriteHeader(http.StatusOK)
	t.flush()
}

func (t *talk) flush() {
	if f, ok := t.w.(http.Flusher); ok {
		f.Flush()
	}
}

// raw writes bytes as they are.
func (t *talk) raw(s string) {
	t.start()
	_, _ = io.WriteString(t.w, s)
	t.flush()
}

func (t *talk) chunk(delta string, finish any) string {
	d, _ := json.Marshal(delta)
	f, _ := json.Marshal(finish)
	return fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":%q,"choices":[{"index":0,"delta":{"content":%s},"logprobs":null,"finish_reason":%s}]}`, t.q.Model, d, f)
}

func (t *talk) say(word string) { t.raw("data: " + t.chunk(word, nil) + "\n\n") }

// end is how a whole answer ends: finish reason, usage where it was asked for, [DONE].
func (t *talk) end(reason string) {
	t.raw(fmt.Sprintf(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":%q}]}`+"\n\n", reason))
	if t.q.StreamOptions != nil && t.q.StreamOptions.IncludeUsage {
		t.raw(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16}}` + "\n\n")
	}
	t.raw("data: [DONE]\n\n")
	t.ended = true
}

func (t *talk) whole(words []string, pause time.Duration) {
	t.start()
	for _, w := range words {
		if !t.rest(pause) {
			return
		}
		if w != "" {
			t.say(w)
		}
	}
	t.end("stop")
}

// rest waits, or returns false when the client has gone.
func (t *talk) rest(d time.Duration) bool {
	if d == 0 {
		return t.r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.r.Context().Done():
		return false
	}
}

func (t *talk) status(code int, header map[string]string, body string) {
	if t.started {
		t.cut() // a status cannot follow text
	}
	t.w.Header().Set("Content-Type", "application/json")
	for k, v := range header {
		t.w.Header().Set(k, v)
	}
	t.w.WriteHeader(code)
	_, _ = io.WriteString(t.w, body)
	t.ended = true
}

// hang says nothing more until the client goes.
func (t *talk) hang() { <-t.r.Context().Done() }

// cut ends the connection without ending the response.
func (t *talk) cut() {
	t.ended = true
	panic(http.ErrAbortHandler)
}

// reset ends the connection as a crash does, with RST where it is one of TCP.
func (t *talk) reset() {
	t.ended = true
	conn, _, err := http.NewResponseController(t.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
