package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // from here on the next signal ends the process at once
	}()
	err = app.Serve(ctx, app.ServeOptions{Config: cfg, Demo: c.Demo, Version: release(), Stdout: s.stdout, Stderr: s.stderr})
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}
