package main

import (
	"github.com/alecthomas/kong"

	"github.com/scailabs/scaigrid/internal/app"
)

type serveCommand struct {
	Demo     bool         `help:"Add a bot that answers from the documentation, and start a sample site that embeds it."`
	Settings kong.Plugins `embed:""`
}

func (c *serveCommand) Run(s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	return app.Serve(ctx, app.ServeOptions{Config: cfg, Demo: c.Demo, Version: release(), Stdout: s.stdout, Stderr: s.stderr})
}
