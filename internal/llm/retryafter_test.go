package llm

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]struct {
		wait            time.Duration
		given, readable bool
	}{
		"": {}, "2": {2 * time.Second, true, true}, " 2 ": {2 * time.Second, true, true}, "0.5": {500 * time.Millisecond, true, true},
		"-3": {0, true, true}, "99999999999": {24 * time.Hour, true, true}, "soon": {0, true, false}, "NaN": {24 * time.Hour, true, false},
		"Tue, 24 Nov 2026 12:00:07 GMT": {7 * time.Second, true, true}, "Thu, 01 Jan 1970 00:00:00 GMT": {0, true, true}, "1e999": {0, true, false},
	} {
		h := http.Header{}
		if text != "" {
			h.Set("Retry-After", text)
		}
		wait, given, readable := retryAfter(h, now)
		if wait != want.wait || given != want.given || readable != want.readable {
			t.Errorf("%q: %v %v %v, want %+v", text, wait, given, readable, want)
		}
	}
	if wait, _, _ := retryAfter(http.Header{"Retry-After-Ms": {"1500"}, "Retry-After": {"9"}}, now); wait != 1500*time.Millisecond {
		t.Errorf("milliseconds: %v", wait)
	}
}
