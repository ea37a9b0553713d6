package llm

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const longestRetryAfter = 24 * time.Hour

// retryAfter reads how long a provider asks to wait. given is false where it
// says nothing, readable where what it says can be followed.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, given, readable bool) {
	if ms := h.Get("Retry-After-Ms"); ms != "" {
		if n, err := strconv.ParseFloat(ms, 64); err == nil && n >= 0 {
			return clampWait(n / 1000), true, true
		}
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false, false
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return clampWait(max(n, 0)), true, n == n
	}
	if at, err := http.ParseTime(text); err == nil {
		return clampWait(max(at.Sub(now).Seconds(), 0)), true, true
	}
	return 0, true, false
}

func clampWait(seconds float64) time.Duration {
	if !(seconds < longestRetryAfter.Seconds()) {
		return longestRetryAfter
	}
	return time.Duration(seconds * float64(time.Second))
}
