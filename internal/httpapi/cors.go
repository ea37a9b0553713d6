package httpapi

import (
	"errors"
	"net/http"
)

// chatPath is the root of everything that a visitor's widget calls.
const chatPath = "/v1/modules/scaibot/chat"

// cors says what a page of another origin may see of a row's answers.
// Credentials are never allowed: no answer depends on a cookie of ours.
type cors int

const (
	corsUnsaid cors = iota
	corsStaff       // nothing, but for the error that tells of an API key in a page
	corsChat        // every answer, with the limits and the request id
	corsPublic      // every answer
	corsNone        // nothing at all
)

type headerLine struct {
	name   string
	values []string
}

type headerLines []headerLine

func (l headerLines) apply(h http.Header) {
	for _, x := range l {
		h[x.name] = x.values
	}
}

const exposed = "x-request-id, retry-after, x-scaigrid-ratelimit-limit, x-scaigrid-ratelimit-remaining, x-scaigrid-ratelimit-reset"

// The header lines below are read by every request and changed by none.
var (
	chatCORS = headerLines{
		{"Access-Control-Allow-Origin", []string{"*"}},
		{"Access-Control-Expose-Headers", []string{exposed}},
		{"Cross-Origin-Resource-Policy", []string{"cross-origin"}},
	}
	publicCORS = headerLines{
		{"Access-Control-Allow-Origin", []string{"*"}},
		{"Cross-Origin-Resource-Policy", []string{"cross-origin"}},
	}
	// documentHeaders are for what a browser shows as a page.
	documentHeaders = headerLines{
		{"Referrer-Policy", []string{"no-referrer"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	}
	// leakedKey makes KEY_IN_BROWSER readable by the page that leaked the key.
	leakedKey = headerLines{
		{"Access-Control-Allow-Origin", []string{"*"}},
		{"Access-Control-Expose-Headers", []string{"x-request-id"}},
	}
)

func (k cors) lines() headerLines {
	switch k {
	case corsChat:
		return chatCORS
	case corsPublic:
		return publicCORS
	case corsStaff, corsNone, corsUnsaid:
	}
	return nil
}

// preflight answers OPTIONS: 204 and headers. For management rows they let the
// request pass only so that the page can read why its key was refused.
func preflight(k cors) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		switch k {
		case corsChat:
			h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type, idempotency-key, last-event-id, x-scaibot-visitor")
		case corsPublic:
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "if-none-match")
		case corsStaff:
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "authorization, content-type, if-match, idempotency-key")
		case corsNone, corsUnsaid:
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
	}
}

func isUnsupported(err error) bool { return errors.Is(err, http.ErrNotSupported) }
