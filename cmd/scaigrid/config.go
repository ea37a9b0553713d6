package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/scailabs/scaigrid/internal/config"
)

type configCommands struct {
	Doc   configDoc   `cmd:"" help:"Explain every setting, as Markdown."`
	Check configCheck `cmd:"" help:"Say what is wrong with the settings, and who set it."`
	Print configPrint `cmd:"" help:"Show what holds and where it came from, with secrets left out."`
}

type configDoc struct{}

func (configDoc) Run(s *session) error { return config.WriteReference(s.stdout) }

type configCheck struct{}

func (configCheck) Run(s *session) error {
	l, err := s.config()
	if err != nil {
		return err
	}
	for _, w := range l.Warnings {
		fmt.Fprintln(s.stderr, "warning:", w)
	}
	from := "no settings file"
	if l.File != "" {
		from = l.File
	}
	_, err = fmt.Fprintf(s.stdout, "The settings are good (%s, %d set).\n", from, len(l.Sources)+len(l.Providers))
	return err
}

type configPrint struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *configPrint) Run(s *session) error {
	l, err := s.config()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.writeJSON(l.Lines())
	}
	w := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	for _, line := range l.Lines() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", line.Key, line.Value, line.Source)
	}
	return w.Flush()
}
