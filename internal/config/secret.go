package config

import (
	"log/slog"
	"net/url"
)

// redacted stands where a secret would.
const redacted = "[redacted]"

// Secret is a value that must not be seen: it prints, logs and marshals as
// [redacted]. Reveal gives the value itself.
type Secret string

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String hides the value, in every fmt verb that uses it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// shownURL is a database address fit to be seen: scheme, host and name, with
// the password and every parameter that may hold one left out.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return redacted
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		shown.User = url.UserPassword(u.User.Username(), "redacted")
	}
	return shown.String()
}
