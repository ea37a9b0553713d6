package main

import (
	"encoding/json"
	"io"

	"github.com/alecthomas/kong"

	"github.com/scailabs/scaigrid/internal/config"
)

// cli is the command line.
type cli struct {
	Config string       `help:"Settings file. Default: scaigrid.yaml, if there is one." placeholder:"FILE"`
	Common kong.Plugins `embed:""`

	Serve   serveCommand   `cmd:"" help:"Start the server."`
	Cfg     configCommands `cmd:"" name:"config" help:"Explain, check and print the settings."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// session is what a command works with.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	file           string
	flags          []*flagSet
}

// config reads the settings and tells of likely mistakes.
func (s *session) config() (*config.Loaded, error) {
	given := map[string]string{}
	for _, f := range s.flags {
		f.given(given)
	}
	return config.Load(config.Input{Flags: given, Environ: s.environ, File: s.file})
}

// writeJSON prints v as one indented JSON document.
func (s *session) writeJSON(v any) error {
	enc := json.NewEncoder(s.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
