package app

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"

	"github.com/scailabs/scaigrid/internal/config"
)

// redactor is the last net under every log line. Rooms do not log secrets;
// this catches those that an error of somebody else's library repeats.
type redactor struct {
	exact *strings.Replacer // the installation's own secrets
}

const hidden = "[redacted]"

// secretForms are the forms of our keys and tokens, of common provider keys,
// of credentials in addresses, and of e-mail addresses.
var secretForms = regexp.MustCompile(`sgk_[0-9A-Za-z_]+|eyJ[\w-]+\.[\w-]+\.[\w-]*|\bsk-[\w-]{8,}|(?i:bearer)\s+[^\s"',]+|://[^/\s:@"]*:[^/\s@"]+@|[\w.+-]+@[\w-]+(?:\.[\w-]+)+`)

func newRedactor(cfg *config.Config) *redactor {
	var pairs []string
	add := func(s string) {
		if len(s) >= 6 {
			pairs = append(pairs, s, hidden)
		}
	}
	for _, p := range cfg.AllProviders() {
		add(p.APIKey.Reveal())
	}
	if u, err := url.Parse(cfg.DatabaseURL.Reveal()); err == nil && u.User != nil {
		password, _ := u.User.Password()
		add(password)
		add(u.Query().Get("password"))
	}
	r := &redactor{}
	if len(pairs) > 0 {
		r.exact = strings.NewReplacer(pairs...)
	}
	return r
}

// attr is slog's ReplaceAttr.
func (r *redactor) attr(_ []string, a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		if s := r.text(v.String()); s != v.String() {
			a.Value = slog.StringValue(s)
		}
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			a.Value = slog.StringValue(r.text(x.Error()))
		case *slog.Source:
		default:
			s := fmt.Sprint(x)
			if clean := r.text(s); clean != s {
				a.Value = slog.StringValue(clean)
			}
		}
	}
	return a
}

func (r *redactor) text(s string) string {
	if r.exact != nil {
		s = r.exact.Replace(s)
	}
	if !suspicious(s) {
		return s
	}
	return secretForms.ReplaceAllString(s, hidden)
}

// suspicious is the cheap look that spares most values the expression.
func suspicious(s string) bool {
	return strings.IndexByte(s, '@') >= 0 || strings.Contains(s, "sgk_") || strings.Contains(s, "eyJ") ||
		strings.Contains(s, "sk-") || strings.Contains(s, "earer") || strings.Contains(s, "EARER")
}
