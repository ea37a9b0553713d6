package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/scailabs/scaigrid/internal/app"
	"github.com/scailabs/scaigrid/internal/config"
)

// cli is the command line.
type cli struct {
	Config string       `help:"Settings file. Default: scaigrid.yaml, if there is one." placeholder:"FILE"`
	Common kong.Plugins `embed:""`

	Serve      serveCommand       `cmd:"" help:"Start the server."`
	Bot        botCommands        `cmd:"" help:"Bots: list, create, export, apply."`
	Doc        docCommands        `cmd:"" help:"Documents that a bot answers from."`
	Ask        askCommand         `cmd:"" help:"Ask a bot one question."`
	Key        keyCommands        `cmd:"" help:"API keys for your servers and scripts."`
	Token      tokenCommands      `cmd:"" help:"Embed tokens for pages."`
	Doctor     doctorCommand      `cmd:"" help:"Look for what is wrong with the installation, and say what to do."`
	Migrate    migrateCommand     `cmd:"" help:"Bring the database up to date. The server does it by itself at its start."`
	Secret     secretCommands     `cmd:"" help:"The installation secret."`
	SigningKey signingKeyCommands `cmd:"" help:"The keys that sign embed tokens."`
	Cfg        configCommands     `cmd:"" name:"config" help:"Explain, check and print the settings."`
	Version    versionCommand     `cmd:"" help:"Print the version."`
}

// session is what a command works with.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	file           string
	flags          []*flagSet
}

// config reads the settings.
func (s *session) config() (*config.Loaded, error) {
	given := map[string]string{}
	for _, f := range s.flags {
		f.given(given)
	}
	return config.Load(config.Input{Flags: given, Environ: s.environ, File: s.file})
}

// console opens the installation for a short command, beside a server that may
// be running.
func (s *session) console(work func(context.Context, *app.Console) error) error {
	ctx, stop := interruptible()
	defer stop()
	cfg, err := s.config()
	if err != nil {
		return err
	}
	c, err := app.OpenConsole(ctx, cfg, release(), s.stderr)
	if err != nil {
		return err
	}
	err = work(ctx, c)
	if cerr := c.Close(); err == nil {
		err = cerr
	}
	return err
}

// interruptible ends with the first signal; the next one ends the process.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// printf writes what the command was asked for.
func (s *session) printf(format string, args ...any) { fmt.Fprintf(s.stdout, format, args...) }

// tellf writes what a person should know; it is not part of the result.
func (s *session) tellf(format string, args ...any) { fmt.Fprintf(s.stderr, format, args...) }

// writeJSON prints v as one indented JSON document.
func (s *session) writeJSON(v any) error {
	enc := json.NewEncoder(s.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// confirm asks a person; without one the answer is no.
func (s *session) confirm(question string) bool {
	s.tellf("%s [y/N] ", question)
	line, _ := bufio.NewReader(s.stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}
