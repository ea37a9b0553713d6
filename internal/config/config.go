// Package config holds the settings of an installation: one struct that
// documents them all, one loader (flag before environment before file), one
// validator, and the reference page that is generated from the struct.
//
// It never opens a database or a socket and imports no other room. It promises
// that every complaint names the setting and the place that set it, and that a
// secret is never part of a message or of a printed configuration.
package config

import (
	"net/netip"
	"time"
)

// Config is every setting of an installation. What each one means, its names
// and its default stand in table.go.
type Config struct {
	Addr           string
	PublicURL      string
	TrustedProxies []netip.Prefix
	TLSCert        string
	TLSKey         string
	TLSACME        string
	ShutdownGrace  time.Duration

	DataDir     string
	DatabaseURL Secret
	SecretFile  string

	LogLevel  string
	LogFormat string

	OpenAIAPIKey  Secret
	OpenAIBaseURL string
	OpenAIModels  []string

	Limits               Switch
	LimitKeyMinute       int
	LimitUserMinute      int
	LimitTenantMinute    int
	LimitMintMinute      int
	LimitVisitorMinute   int
	LimitVisitorDay      int
	LimitAddressMinute   int
	LimitAnonymousMinute int
	LimitTokenMinute     int
	LimitBotDailyTurns   int
	LimitBotDailyTokens  int

	DemoAddr string

	Providers []Provider // those of the file; AllProviders adds openai
}

// TLS tells whether the server itself speaks HTTPS.
func (c *Config) TLS() bool { return c.TLSCert != "" || c.TLSACME != "" }

// ExternalURL is the address under which browsers reach the server, without a
// slash at its end.
func (c *Config) ExternalURL() string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	scheme := "http"
	if c.TLS() {
		scheme = "https"
	}
	if c.TLSACME != "" {
		return scheme + "://" + splitList(c.TLSACME)[0]
	}
	return scheme + "://" + dialable(c.Addr)
}
