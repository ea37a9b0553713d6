package llmtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
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

func newTalk(w http.ResponseWriter, r *http.Request, q Request) *talk {
	return &talk{w: w, r: r, q: q}
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
	return fmt.Sprintf(`{"id":"c","object":"chat.completion.chunk","created":1,"model":%q,"choices":[{"index":0,"delta":{"content":%s},"finish_reason":%s}]}`, t.q.Model, d, f)
}

func (t *talk) say(word string) { t.raw("data: " + t.chunk(word, nil) + "\n\n") }

// end is how a whole answer ends: finish reason, usage, [DONE].
func (t *talk) end(reason string) {
	t.raw(fmt.Sprintf(`data: {"choices":[{"index":0,"delta":{},"finish_reason":%q}]}`+"\n\n", reason))
	t.raw(`data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":16}}` + "\n\n")
	t.raw("data: [DONE]\n\n")
	t.ended = true
}

func (t *talk) whole(words []string, pause time.Duration) {
	for _, w := range words {
		if !t.rest(pause) {
			return
		}
		t.say(w)
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
	for k, v := range header {
		t.w.Header().Set(k, v)
	}
	t.w.Header().Set("Content-Type", "application/json")
	t.w.WriteHeader(code)
	_, _ = io.WriteString(t.w, body)
	t.ended = true
}

// hang says nothing more until the client goes.
func (t *talk) hang() { <-t.r.Context().Done() }

// reset breaks the connection off.
func (t *talk) reset() {
	t.ended = true
	panic(http.ErrAbortHandler)
}

func fails(code int, body string) func(*talk) {
	return func(t *talk) { t.status(code, nil, body) }
}

// faults are what a provider can do wrong, by name.
var faults = map[string]func(*talk){
	"too-long":     fails(400, `{"error":{"message":"This model's maximum context length is 10 tokens","code":"context_length_exceeded"}}`),
	"bad-request":  fails(400, `{"error":{"message":"unknown parameter"}}`),
	"unauthorized": fails(401, `{"error":{"message":"Incorrect API key provided"}}`),
	"forbidden":    fails(403, `{"error":{"message":"forbidden"}}`),
	"missing":      fails(404, `{"error":{"message":"no such model"}}`),
	"error-500":    fails(500, `{"error":{"message":"boom"}}`),
	"error-502":    fails(502, `<html>bad gateway</html>`),
	"error-503":    fails(503, `{"error":{"message":"overloaded"}}`),
	"error-529":    fails(529, `{"error":{"message":"overloaded"}}`),
	"busy-long": func(t *talk) {
		t.status(429, map[string]string{"Retry-After": "3600"}, `{"error":{"message":"slow down","code":"rate_limit_exceeded"}}`)
	},
	"busy-odd": func(t *talk) {
		t.status(429, map[string]string{"Retry-After": "soon"}, `{"error":{"message":"slow down"}}`)
	},
	"redirect": func(t *talk) {
		t.status(307, map[string]string{"Location": "http://127.0.0.1:1/elsewhere"}, "")
	},
	"html": func(t *talk) {
		t.w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(t.w, "<html><body>Sign in</body></html>")
		t.ended = true
	},
	"hang-headers": func(t *talk) { t.hang() },
	"hang":         func(t *talk) { t.start(); t.hang() },
	"pings": func(t *talk) {
		for t.rest(10 * time.Millisecond) {
			t.raw(": ping\n\n")
		}
	},
	"drip": func(t *talk) {
		for t.rest(15 * time.Millisecond) {
			t.say("x")
		}
	},
	"cut": func(t *talk) {
		half := "data: " + t.chunk("lost", nil)
		t.raw(half[:len(half)-9])
		t.reset()
	},
	"no-finish": func(t *talk) { t.start(); t.ended = true },
	"only-done": func(t *talk) { t.raw("data: [DONE]\n\n"); t.ended = true },
	"error-event": func(t *talk) {
		t.raw(`data: {"error":{"message":"engine died","type":"server_error","code":null}}` + "\n\n")
		t.ended = true
	},
	"bad-json":   func(t *talk) { t.raw("data: {\"choices\":[{\n\n"); t.end("stop") },
	"empty":      func(t *talk) { t.start(); t.end("stop") },
	"filter":     func(t *talk) { t.start(); t.end("content_filter") },
	"length":     func(t *talk) { t.start(); t.end("length") },
	"tool":       func(t *talk) { t.start(); t.end("tool_calls") },
	"after-done": func(t *talk) { t.say("whole"); t.end("stop"); t.say("more"); t.end("stop") },
	"late-text": func(t *talk) {
		t.say("whole")
		t.raw("data: " + t.chunk("", "stop") + "\n\n")
		t.say("more")
		t.end("stop")
	},
	"long-line": func(t *talk) { t.raw("data: " + strings.Repeat("x", 3<<20) + "\n\n"); t.end("stop") },
	"flood":     func(t *talk) { t.whole(repeated(strings.Repeat("y", 16<<10), 64), 0) },
	"dirty":     func(t *talk) { t.say("a\x00b\r"); t.say("\nc\u202ed\r\ne\u0085f\r"); t.say("g"); t.end("stop") },
	"odd-form":  oddForm,
	"unknown":   unknownThings,
	"usage-absent": func(t *talk) {
		t.say("ok")
		t.raw("data: " + t.chunk("", "stop") + "\n\ndata: [DONE]\n\n")
		t.ended = true
	},
}

func repeated(s string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = s
	}
	return out
}

// oddForm is all that the format allows and few use: CRLF, no space, comments,
// data over several lines, bytes cut within a character.
func oddForm(t *talk) {
	t.raw(": hello\r\n\r\n")
	t.raw("event: message\r\nid: 7\r\nretry: 10\r\n")
	for _, b := range []byte("data:" + t.chunk("Grüße ", nil) + "\r\n\r\n") {
		t.raw(string([]byte{b}))
	}
	whole := t.chunk("🙂", nil)
	i := strings.Index(whole, `"choices"`)
	t.raw("data: " + whole[:i] + "\r\ndata: " + whole[i:] + "\r\n\r\n")
	t.end("stop")
}

// unknownThings are events and fields of a later version of the protocol.
func unknownThings(t *talk) {
	t.raw("event: future\ndata: {\"object\":\"something.else\"}\n\n")
	t.raw(`data: {"choices":[],"obfuscation":"xyz","usage":null}` + "\n\n")
	t.raw(`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"ok","annotations":[]},"logprobs":null,"finish_reason":null}],"x":{"y":1}}` + "\n\n")
	t.raw(`data: {"choices":[{"index":1,"delta":{"content":"second choice"},"finish_reason":null}]}` + "\n\n")
	t.end("stop")
}
