package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

// sink is a response writer that forgets.
type sink struct {
	h http.Header
	n int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { s.n += len(b); return len(b), nil }
func (s *sink) WriteHeader(int)             {}

// What the three calls of a page view cost here, without net/http around them.
func BenchmarkPageView(b *testing.B) {
	s := open(b, LimitSettings{MintMinute: 1 << 30, AnonymousMinute: 1 << 30})
	s.server.log = slog.New(slog.NewTextHandler(io.Discard, nil)) // as an installation logs
	for _, c := range []struct{ name, method, path, body string }{
		{"mint", "POST", bots + "/" + s.mine.bot.ID + "/embed-token", `{"ttl_seconds":3600,"visitor_id":"bench"}`},
		{"info", "GET", bots + "/" + s.mine.bot.ID + "/embed-info", ""},
		{"widget", "GET", staticPath + "widget.js", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, err := http.NewRequest(c.method, "http://x"+c.path, nil)
			if err != nil {
				b.Fatal(err)
			}
			r.RemoteAddr = "127.0.0.1:1000"
			if c.body != "" {
				r.Header.Set("Authorization", "Bearer "+s.mine.key)
				r.Header.Set("Content-Type", "application/json")
				r.ContentLength = int64(len(c.body))
			}
			b.ReportAllocs()
			for b.Loop() {
				if c.body != "" {
					r.Body = io.NopCloser(strings.NewReader(c.body))
				}
				s.server.ServeHTTP(&sink{h: http.Header{}}, r)
			}
		})
	}
}
