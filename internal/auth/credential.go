package auth

import "log/slog"

// Credential is the text of an API key or an embed token, fresh from the mint.
// It prints, logs and marshals as [redacted]; Reveal gives the text to the one
// place that hands it to its owner.
type Credential struct{ text string }

// Reveal returns the text.
func (c Credential) Reveal() string { return c.text }

// String hides the text, in every fmt verb that uses it.
func (Credential) String() string { return redacted }

// GoString hides the text from %#v.
func (Credential) GoString() string { return redacted }

// MarshalText hides the text from encoders.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the text from slog.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }
