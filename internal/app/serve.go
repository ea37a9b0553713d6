package app

import (
	"context"
	"errors"
	"io"

	"github.com/scailabs/scaigrid/internal/config"
)

// ServeOptions are what a server needs besides its settings.
type ServeOptions struct {
	Config         *config.Loaded
	Demo           bool
	Version        string
	Stdout, Stderr io.Writer
}

// Serve runs the server until ctx ends.
func Serve(_ context.Context, _ ServeOptions) error {
	return errors.New("the server's rooms are not bound yet")
}
