package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/scailabs/scaigrid/internal/app"
)

type docCommands struct {
	Add    docAdd    `cmd:"" help:"Give a bot documents: Markdown or text files, or a folder of them."`
	List   docList   `cmd:"" help:"List a bot's documents."`
	Delete docDelete `cmd:"" help:"Delete a document."`
}

type docAdd struct {
	Bot    string   `arg:"" help:"Id or slug of the bot."`
	Paths  []string `arg:"" name:"path" help:"Files or folders."`
	URL    string   `help:"Where citations lead: {path} stands for the file's path without .md, {file} for it with .md." placeholder:"URL"`
	NoWait bool     `help:"Do not wait until they are indexed."`
	JSON   bool     `name:"json" help:"Print JSON."`
}

func (d *docAdd) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, d.Bot)
		if err != nil {
			return err
		}
		changes, err := c.AddDocuments(ctx, &bot.Bot, d.Paths, d.URL, !d.NoWait)
		if err != nil {
			return err
		}
		if d.JSON {
			return s.writeJSON(changes)
		}
		for _, ch := range changes {
			s.printf("%s %s\n", ch.Sign(), ch.Name)
		}
		return nil
	})
}

type docList struct {
	Bot  string `arg:"" help:"Id or slug of the bot."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (d *docList) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, d.Bot)
		if err != nil {
			return err
		}
		docs, err := c.Documents(ctx, bot.ID)
		if err != nil {
			return err
		}
		if d.JSON {
			return s.writeJSON(docs)
		}
		if len(docs) == 0 {
			s.tellf("%s has no document yet. Add some with: scaigrid doc add %s FILE…\n", bot.Name, bot.Slug)
			return nil
		}
		w := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tSTATUS\tPASSAGES\tSIZE")
		for _, doc := range docs {
			status := string(doc.Status)
			if doc.Error != nil {
				status += ": " + doc.Error.Message
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", doc.ID, doc.Name, status, doc.Chunks, humanize.Bytes(uint64(max(doc.Bytes, 0))))
		}
		return w.Flush()
	})
}

type docDelete struct {
	Bot string `arg:"" help:"Id or slug of the bot."`
	Doc string `arg:"" help:"Id or name of the document."`
}

func (d *docDelete) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, d.Bot)
		if err != nil {
			return err
		}
		doc, err := c.DeleteDocument(ctx, bot.ID, d.Doc)
		if err != nil {
			return err
		}
		s.tellf("Deleted %s (%s).\n", doc.Name, doc.ID)
		return nil
	})
}
