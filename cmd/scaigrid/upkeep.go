package main

import (
	"context"

	"github.com/scailabs/scaigrid/internal/app"
)

type migrateCommand struct{}

func (migrateCommand) Run(s *session) error {
	return s.console(func(context.Context, *app.Console) error {
		s.tellf("The database is up to date.\n")
		return nil
	})
}

type secretCommands struct {
	Rotate secretRotate `cmd:"" help:"Replace the installation secret and seal everything anew."`
}

type secretRotate struct {
	Prepare bool `help:"Only put the new secret into the file, so that every node can be given it first." xor:"step"`
	Finish  bool `help:"After --prepare, when every node runs with the file: seal everything anew and drop the old secret." xor:"step"`
}

func (r *secretRotate) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		if !r.Finish {
			if err := c.PrepareSecret(); err != nil {
				return err
			}
		}
		if r.Prepare {
			s.tellf("The file holds a new secret and the old one. Give it to every node and restart them, then run: scaigrid secret rotate --finish\n")
			return nil
		}
		if err := c.FinishSecret(ctx); err != nil {
			return err
		}
		s.tellf("Everything is sealed with the new secret. Keep a copy of the file, and restart a server that is running: it still holds the old one.\n")
		return nil
	})
}

type signingKeyCommands struct {
	Rotate signingKeyRotate `cmd:"" help:"Sign new embed tokens with a new key. Old ones go on until they end."`
}

type signingKeyRotate struct {
	Emergency bool `help:"End every embed token that was ever made, at once."`
}

func (r *signingKeyRotate) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		if err := c.RotateSigningKey(ctx, r.Emergency); err != nil {
			return err
		}
		if r.Emergency {
			s.tellf("Every embed token has ended. Pages fetch new ones by themselves, if they have data-token-url.\n")
		} else {
			s.tellf("New embed tokens are signed with a new key within a minute. Those that are out work until they end.\n")
		}
		return nil
	})
}

type doctorCommand struct {
	Full bool `help:"Read the whole database for damage, however large it is."`
	JSON bool `name:"json" help:"Print JSON."`
}

func (d *doctorCommand) Run(s *session) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, err := s.config()
	if err != nil {
		return err
	}
	findings := app.Examine(ctx, cfg, d.Full)
	if d.JSON {
		if err := s.writeJSON(findings); err != nil {
			return err
		}
		return findings.Err()
	}
	for _, f := range findings {
		s.printf("%-5s %s\n", f.Mark(), f.Text)
		if f.Fix != "" {
			s.printf("      → %s\n", f.Fix)
		}
	}
	return findings.Err()
}
