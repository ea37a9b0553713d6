// Command scaigrid is the whole product in one binary: the server, and the
// commands that look after it. This package reads the command line, prints, and
// turns errors into exit codes; what a command does is done by internal/app.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/app"
	"github.com/scailabs/scaigrid/internal/config"
)

// The exit codes, as the reference documents them.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2 // the command line or a setting is wrong
	exitDatabase = 3 // the database is damaged, or was written by a newer release
)

const description = `Chat bots that answer from your documents, on any page.

Without a command's --config, settings come from flags, then SCAIGRID_… variables, then scaigrid.yaml.
"scaigrid config doc" explains every one.

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 the database is damaged or newer than this binary.`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program but for the process around it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var commands cli
	common, server := newFlagSet(isCommon), newFlagSet(isServers)
	commands.addSettings(common, server)
	parser, err := kong.New(&commands,
		kong.Name("scaigrid"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, FlagsLast: true}),
		kong.Exit(os.Exit),
	)
	if err != nil {
		panic(err) // the grammar is ours
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return usage(stderr, err)
	}
	s := &session{
		stdin: stdin, stdout: stdout, stderr: stderr, environ: os.Environ(),
		file: commands.Config, flags: []*flagSet{common, server},
	}
	return s.code(ctx.Run(s))
}

func usage(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "scaigrid: %s\n", err)
	var pe *kong.ParseError
	if errors.As(err, &pe) && pe.Context != nil {
		command := strings.TrimSpace("scaigrid " + strings.Join(words(pe.Context), " "))
		fmt.Fprintf(stderr, "See: %s --help\n", command)
	}
	return exitUsage
}

// words are the commands that were given before the mistake.
func words(ctx *kong.Context) []string {
	var out []string
	for _, p := range ctx.Path {
		if p.Command != nil {
			out = append(out, p.Command.Name)
		}
	}
	return out
}

// code tells a person what went wrong and the shell how wrong it was.
func (s *session) code(err error) int {
	var problems config.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &problems):
		fmt.Fprintf(s.stderr, "scaigrid: %s\n", problems)
		return exitUsage
	case errors.Is(err, errSaid):
		return exitFailed
	}
	fmt.Fprintf(s.stderr, "scaigrid: %s\n", explain(err))
	var u *usageError
	switch {
	case errors.As(err, &u):
		return exitUsage
	case errors.Is(err, app.ErrDatabase):
		return exitDatabase
	}
	return exitFailed
}

// explain writes an error for the operator at his own terminal, who may see
// its cause.
func explain(err error) string {
	var e *scaigrid.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(e.Message)
	if len(e.Details) > 1 {
		for _, d := range e.Details {
			fmt.Fprintf(&b, "\n  %s %s", d.Field, d.Message)
		}
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, " (%v)", e.Cause)
	}
	return b.String()
}

// errSaid ends a command that has told already what failed.
var errSaid = errors.New("failed, as told")

// usageError is a command line that is wrong in itself.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }
