package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"github.com/scailabs/scaigrid/internal/config"
)

// newTLS builds what HTTPS needs; nil where the settings do not ask for it.
func newTLS(cfg *config.Config, log *slog.Logger, clock func() time.Time) (*tls.Config, error) {
	switch {
	case cfg.TLSACME != "":
		hosts := strings.FieldsFunc(cfg.TLSACME, func(r rune) bool { return r == ',' || r == ' ' })
		m := &autocert.Manager{
			Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(hosts...),
			Cache: autocert.DirCache(filepath.Join(cfg.DataDir, "certificates")),
		}
		t := m.TLSConfig()
		t.MinVersion = tls.VersionTLS12
		return t, nil
	case cfg.TLSCert != "":
		k := &certificateFile{cert: cfg.TLSCert, key: cfg.TLSKey, log: log, clock: clock}
		if err := k.load(); err != nil {
			return nil, err
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get, NextProtos: []string{"h2", "http/1.1"}}, nil
	}
	return nil, nil
}

// certificateFile is a certificate on disk, read again when the file has
// changed, so that a renewal needs no restart.
type certificateFile struct {
	cert, key string
	log       *slog.Logger
	clock     func() time.Time

	mu      sync.Mutex
	held    *tls.Certificate
	changed time.Time // of the file that is held
	looked  time.Time
}

// lookEvery is how long a new certificate may lie unnoticed.
const lookEvery = 10 * time.Second

func (c *certificateFile) load() error {
	info, err := os.Stat(c.cert)
	if err != nil {
		return fmt.Errorf("the certificate %s can't be read: %w", c.cert, err)
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("the certificate %s and the key %s do not work together: %w", c.cert, c.key, err)
	}
	c.held, c.changed = &pair, info.ModTime()
	return nil
}

// get returns the certificate. A new file that does not work leaves the old
// certificate in place.
func (c *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if info, err := os.Stat(c.cert); err == nil && !info.ModTime().Equal(c.changed) {
			if err := c.load(); err != nil {
				c.log.Error("the new TLS certificate can't be used, the old one stays", "err", err)
			} else {
				c.log.Info("TLS certificate read again", "file", c.cert)
			}
		}
	}
	return c.held, nil
}
