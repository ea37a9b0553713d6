package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// validate checks what no single value shows, and every value's range.
func (l *Loaded) validate() Problems {
	var bad Problems
	check := func(key string, err error) {
		if err != nil {
			bad = append(bad, l.complaint(key, err.Error()))
		}
	}
	check("addr", checkAddr(l.Addr))
	check("demo_addr", checkAddr(l.DemoAddr))
	if l.PublicURL != "" {
		check("public_url", checkURL(l.PublicURL))
	}
	if l.OpenAIBaseURL != "" {
		check("openai_base_url", checkURL(l.OpenAIBaseURL))
	}
	if l.DataDir == "" {
		check("data_dir", fmt.Errorf("must name a folder"))
	}
	check("database_url", checkDatabaseURL(l.DatabaseURL.Reveal()))
	check("log_level", oneOf(l.LogLevel, "debug", "info", "warn", "error"))
	check("log_format", oneOf(l.LogFormat, "text", "json"))
	if l.ShutdownGrace < 0 || l.ShutdownGrace > 10*time.Minute {
		check("shutdown_grace", fmt.Errorf("must be between 0s and 10m"))
	}
	l.validateTLS(check)
	l.validateLimits(check)
	return append(bad, l.validateProviders()...)
}

func (l *Loaded) validateTLS(check func(string, error)) {
	if (l.TLSCert == "") != (l.TLSKey == "") {
		key, other := "tls_cert", "tls_key"
		if l.TLSCert == "" {
			key, other = other, key
		}
		check(key, fmt.Errorf("needs %s beside it", other))
	}
	if l.TLSCert != "" && l.TLSACME != "" {
		check("tls_acme", fmt.Errorf("can't be used together with tls_cert; keep one of them"))
	}
	for key, path := range map[string]string{"tls_cert": l.TLSCert, "tls_key": l.TLSKey} {
		if path == "" {
			continue
		}
		if f, err := os.Open(path); err != nil { //nolint:gosec // the operator names his own file
			check(key, fmt.Errorf("names %s, which can't be read: %w", path, bare(err)))
		} else {
			_ = f.Close()
		}
	}
	for _, host := range splitList(l.TLSACME) {
		if strings.ContainsAny(host, "*/:") || !strings.Contains(host, ".") || net.ParseIP(host) != nil {
			check("tls_acme", fmt.Errorf("must be full host names such as chat.example.com"))
		}
	}
}

func (l *Loaded) validateLimits(check func(string, error)) {
	for _, s := range settings(&l.Config) {
		n, ok := s.field.(*int)
		if !ok {
			continue
		}
		lowest := 1
		if strings.HasPrefix(s.Key, "limit_bot_") {
			lowest = 0
		}
		if *n < lowest || *n > 1_000_000_000 {
			check(s.Key, fmt.Errorf("must be between %d and 1000000000", lowest))
		}
	}
}

func (l *Loaded) validateProviders() Problems {
	var bad Problems
	seen := map[string]bool{}
	if l.OpenAIAPIKey != "" || l.OpenAIBaseURL != "" {
		seen["openai"] = true
	}
	for i := range l.Providers {
		p := &l.Providers[i]
		for _, b := range p.check() {
			bad = append(bad, fmt.Sprintf("providers[%d].%s (%s)", i, b, l.File))
		}
		if seen[p.Name] {
			bad = append(bad, fmt.Sprintf("providers[%d].name: %s is set twice; OPENAI_API_KEY and OPENAI_BASE_URL make a provider named openai too (%s)", i, clip(p.Name), l.File))
		}
		seen[p.Name] = true
	}
	return bad
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		n, perr := strconv.Atoi(port)
		if perr != nil || n < 0 || n > 65535 {
			err = fmt.Errorf("port")
		}
	}
	if err != nil {
		return fmt.Errorf("must be host:port with a port up to 65535, for example 127.0.0.1:8000 or :8000")
	}
	return nil
}

func checkDatabaseURL(raw string) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return fmt.Errorf("must begin with postgres://; without it, SQLite in the data folder is used")
	}
	return nil
}

func oneOf(v string, allowed ...string) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
}

// Loopback tells whether only this machine can reach addr.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// dialable turns a listening address into one that this machine can open.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
