package llm

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// Provider is a place that answers prompts, as it was configured.
type Provider struct {
	Name     string // first part of its slugs
	Type     string // "openai", also where it is ""
	BaseURL  string // with its version path; "": OpenAI's own
	APIKey   Key
	Models   []string            // empty: any name
	Fallback map[string][]string // model name → slugs that answer when it cannot
	Prices   map[string]Price    // by model name
}

// Price is what a model costs for a million tokens, in the installation's currency.
type Price struct {
	Prompt     float64
	Completion float64
}

// Key is a provider's API key. It prints, logs and marshals as [redacted].
type Key string

const redacted = "[redacted]"

// String hides the key, in every fmt verb that uses it.
func (k Key) String() string {
	if k == "" {
		return ""
	}
	return redacted
}

// GoString hides the key from %#v.
func (k Key) GoString() string { return k.String() }

// MarshalText hides the key from encoders.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue hides the key from slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Limits bound one answer. A zero field takes its default.
type Limits struct {
	Dial      time.Duration // to reach the provider; 3 s
	FirstByte time.Duration // from the request to the head of the response; 30 s
	FirstText time.Duration // from the request to the first text, or sign of thinking; 60 s
	Silence   time.Duration // with no byte at all; 30 s
	NoText    time.Duration // with bytes but no text; 90 s
	Duration  time.Duration // of the whole answer, retries included; 300 s
	Trailer   time.Duration // from the finish reason to the end of the stream; 3 s

	RetryWithin  time.Duration // a failure later than this after the start is not tried again; 8 s
	TimeoutRetry time.Duration // the same for an answer that did not come in time; 35 s
	RetryAfter   time.Duration // the longest wait that a provider may ask for; 10 s
	Backoff      time.Duration // before the first retry, four times as long before each further one; 500 ms

	Line   int // longest line of a stream, bytes; 1 MiB
	Answer int // longest answer, bytes; 256 KiB
}

func (l Limits) withDefaults() Limits {
	d := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	d(&l.Dial, 3*time.Second)
	d(&l.FirstByte, 30*time.Second)
	d(&l.FirstText, 60*time.Second)
	d(&l.Silence, 30*time.Second)
	d(&l.NoText, 90*time.Second)
	d(&l.Duration, 300*time.Second)
	d(&l.Trailer, 3*time.Second)
	d(&l.RetryWithin, 8*time.Second)
	d(&l.TimeoutRetry, 35*time.Second)
	d(&l.RetryAfter, 10*time.Second)
	d(&l.Backoff, 500*time.Millisecond)
	if l.Line == 0 {
		l.Line = 1 << 20
	}
	if l.Answer == 0 {
		l.Answer = scaigrid.MaxAnswerBytes
	}
	return l
}

// Options are the parts and bounds of a registry.
type Options struct {
	Providers  []Provider
	Extractive Answerer // answers scaigrid/extractive
	Limits     Limits
	Log        *slog.Logger
	Proxy      *url.URL          // nil: none; the environment is not asked
	Transport  http.RoundTripper // nil: one made here, shared by all providers
}

// check says what is wrong with the providers.
func check(providers []Provider) error {
	for i, p := range providers {
		if p.Name == "" || strings.Contains(p.Name, "/") || p.Name == builtin {
			return fmt.Errorf("providers[%d].name: %q cannot be the first part of a slug", i, p.Name)
		}
		if slices.ContainsFunc(providers[:i], func(q Provider) bool { return q.Name == p.Name }) {
			return fmt.Errorf("providers[%d].name: %q is taken", i, p.Name)
		}
		if p.Type != "" && p.Type != "openai" {
			return fmt.Errorf("providers[%d].type: %q is not known, use openai", i, p.Type)
		}
		if u, err := url.Parse(p.BaseURL); p.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("providers[%d].base_url: must be an http:// or https:// address", i)
		}
	}
	return nil
}
