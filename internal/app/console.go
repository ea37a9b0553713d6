package app

import (
	"context"
	"io"
	"time"

	"github.com/scailabs/scaigrid/internal/config"
)

// Console is an installation as the operator at the command line works with
// it, beside a server that may be running. Its methods act for the
// administrator of the tenant.
type Console struct {
	*hall
	url string // under which browsers reach the server
}

// OpenConsole opens the installation that the settings name, making it where
// there is none. Warnings and errors are logged to stderr.
func OpenConsole(ctx context.Context, cfg *config.Loaded, version string, stderr io.Writer) (*Console, error) {
	quiet := cfg.Config
	if quiet.LogLevel == "info" {
		quiet.LogLevel = "warn" // a command's own words are enough
	}
	log := newLogger(&quiet, stderr)
	h, err := openHall(ctx, hallOptions{cfg: cfg, log: log, clock: time.Now, version: version})
	if err != nil {
		return nil, err
	}
	c := &Console{hall: h, url: cfg.ExternalURL()}
	if cfg.PublicURL == "" {
		if running, ok := readNotice(cfg.DataDir); ok {
			c.url = running.URL
		}
	}
	return c, nil
}

// Close closes the database.
func (c *Console) Close() error { return c.close() }
