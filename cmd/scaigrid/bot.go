package main

import (
	"context"
	"fmt"
	"os"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/app"
)

type botCommands struct {
	List   botList   `cmd:"" help:"List bots, each with the snippet for a page."`
	Show   botShow   `cmd:"" help:"Show one bot."`
	Create botCreate `cmd:"" help:"Create a bot."`
	Export botExport `cmd:"" help:"Write a bot, and its documents if wanted, as files that apply reads."`
	Plan   botPlan   `cmd:"" help:"Show what apply would change. Changes nothing."`
	Apply  botApply  `cmd:"" help:"Make bots as a file declares them. Applying again changes nothing."`
	Delete botDelete `cmd:"" help:"Delete a bot with its documents. Its conversations stay, without names."`
}

type botList struct {
	Status string `help:"Only bots of this status: draft, active or archived." placeholder:"STATUS"`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (b *botList) Run(s *session) error {
	if b.Status != "" && !scaigrid.BotStatus(b.Status).Valid() {
		return usagef("--status must be draft, active or archived")
	}
	return s.console(func(ctx context.Context, c *app.Console) error {
		bots, err := c.Bots(ctx, scaigrid.BotStatus(b.Status))
		if err != nil {
			return err
		}
		if b.JSON {
			return s.writeJSON(bots)
		}
		if len(bots) == 0 {
			s.tellf("There is no bot yet. Make one with: scaigrid bot create --name Help\n")
			return nil
		}
		for i := range bots {
			if i > 0 {
				s.printf("\n")
			}
			s.printBot(c, &bots[i])
		}
		return nil
	})
}

func (s *session) printBot(c *app.Console, b *app.BotInfo) {
	s.printf("%s  %s\n", b.ID, b.Name)
	s.printf("  slug %s, %s, %s, %s\n", b.Slug, b.Status, b.Model, count(b.Documents, "document"))
	s.printf("\n%s\n", indent(c.Snippet(b.ID, app.TokenURL(app.DefaultTokenURL))))
}

type botShow struct {
	Bot  string `arg:"" help:"Id or slug of the bot."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (b *botShow) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, b.Bot)
		if err != nil {
			return err
		}
		if b.JSON {
			return s.writeJSON(bot)
		}
		s.printBot(c, bot)
		s.printf("\n")
		return app.WriteBotFile(s.stdout, &bot.Bot, nil)
	})
}

type botCreate struct {
	Name       string   `required:"" help:"Its name." placeholder:"NAME"`
	Slug       string   `help:"Its name in addresses. Default: made from the name." placeholder:"SLUG"`
	Model      string   `help:"What answers, provider/model. Default: scaigrid/extractive." default:"scaigrid/extractive" placeholder:"MODEL"`
	Welcome    string   `help:"What the panel says first." placeholder:"TEXT"`
	Question   []string `help:"A question that the panel suggests. May be given several times." placeholder:"TEXT" sep:"none"`
	Origin     []string `help:"A site that may show it, https://host. May be given several times. Default: every site." placeholder:"ORIGIN"`
	Draft      bool     `help:"Leave it a draft, which visitors cannot reach."`
	NoDocument bool     `name:"no-documents" help:"Let it answer without looking into its documents."`
	JSON       bool     `name:"json" help:"Print JSON."`
}

func (b *botCreate) Run(s *session) error {
	config := scaigrid.DefaultBotConfig()
	config.Name, config.Slug, config.Model, config.WelcomeMessage = b.Name, b.Slug, b.Model, b.Welcome
	if config.Slug == "" {
		config.Slug = app.SlugOf(b.Name)
	}
	config.KnowledgeEnabled = !b.NoDocument
	config.SuggestedQuestions = append(config.SuggestedQuestions, b.Question...)
	config.AllowedOrigins = append(config.AllowedOrigins, b.Origin...)
	status := scaigrid.BotActive
	if b.Draft {
		status = scaigrid.BotDraft
	}
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.CreateBot(ctx, config, status)
		if err != nil {
			return err
		}
		if b.JSON {
			return s.writeJSON(bot)
		}
		s.printf("%s\n", bot.ID)
		s.tellf("\nCreated %q (%s). Next:\n  scaigrid doc add %s FILE…          give it something to answer from\n  scaigrid ask %s \"…\"               try it\n  scaigrid token mint %s --print-embed   put it on a page\n",
			bot.Name, bot.Status, bot.Slug, bot.Slug, bot.Slug)
		return nil
	})
}

type botExport struct {
	Bot       string `arg:"" help:"Id or slug of the bot."`
	Output    string `short:"o" help:"File to write. Default: standard output." placeholder:"FILE"`
	Documents string `help:"Also write its documents into this folder." placeholder:"FOLDER"`
}

func (b *botExport) Run(s *session) (err error) {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, b.Bot)
		if err != nil {
			return err
		}
		var folder *app.DocumentFolder
		if b.Documents != "" {
			n, err := c.ExportDocuments(ctx, bot.ID, b.Documents)
			if err != nil {
				return err
			}
			folder = &app.DocumentFolder{Folder: app.RelativeTo(b.Output, b.Documents)}
			s.tellf("Wrote %s into %s.\n", count(n, "document"), b.Documents)
		}
		if b.Output == "" {
			return app.WriteBotFile(s.stdout, &bot.Bot, folder)
		}
		return writeFile(b.Output, func(f *os.File) error { return app.WriteBotFile(f, &bot.Bot, folder) })
	})
}

func writeFile(name string, fill func(*os.File) error) error {
	f, err := os.Create(name) //nolint:gosec // the operator names his own file
	if err != nil {
		return fmt.Errorf("%s can't be written: %w", name, err)
	}
	if err := fill(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

type botPlan struct {
	File string `arg:"" help:"The file, or - for standard input."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (b *botPlan) Run(s *session) error { return s.applyFile(b.File, b.JSON, false, false) }

type botApply struct {
	File   string `arg:"" help:"The file, or - for standard input."`
	NoWait bool   `help:"Do not wait until changed documents are indexed."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (b *botApply) Run(s *session) error { return s.applyFile(b.File, b.JSON, true, !b.NoWait) }

func (s *session) applyFile(name string, asJSON, apply, wait bool) error {
	files, err := app.ReadBotFiles(name, s.stdin)
	if err != nil {
		return err
	}
	return s.console(func(ctx context.Context, c *app.Console) error {
		plans := make([]*app.BotPlan, 0, len(files))
		for i := range files {
			plan, err := c.Plan(ctx, &files[i])
			if err != nil {
				return err
			}
			plans = append(plans, plan)
		}
		for _, plan := range plans {
			if !apply {
				continue
			}
			if err := c.Apply(ctx, plan, wait); err != nil {
				return err
			}
		}
		if asJSON {
			return s.writeJSON(map[string]any{"bots": plans, "applied": apply})
		}
		for _, plan := range plans {
			s.printPlan(plan, apply)
		}
		return nil
	})
}

func (s *session) printPlan(p *app.BotPlan, applied bool) {
	head := "bot " + p.Slug
	switch {
	case p.Create:
		head += " (new)"
	case p.Empty():
		head += ": nothing to change"
	}
	s.printf("%s\n", head)
	for _, f := range p.Fields {
		s.printf("  ~ %s: %s → %s\n", f.Field, short(f.From), short(f.To))
	}
	for _, d := range p.Documents {
		s.printf("  %s document %s\n", d.Sign(), d.Name)
	}
	if applied && !p.Empty() {
		s.tellf("Applied (%s).\n", p.BotID)
	}
}

func short(b []byte) string {
	if r := []rune(string(b)); len(r) > 70 {
		return string(r[:70]) + "…"
	}
	return string(b)
}

type botDelete struct {
	Bot string `arg:"" help:"Id or slug of the bot."`
	Yes bool   `help:"Do it without asking."`
}

func (b *botDelete) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, b.Bot)
		if err != nil {
			return err
		}
		if !b.Yes && !s.confirm(fmt.Sprintf("Delete the bot %q (%s) with %s?", bot.Name, bot.ID, count(bot.Documents, "document"))) {
			return fmt.Errorf("nothing was deleted; repeat with --yes to delete %s without being asked", bot.Slug)
		}
		if err := c.DeleteBot(ctx, bot.ID); err != nil {
			return err
		}
		s.tellf("Deleted %s.\n", bot.ID)
		return nil
	})
}
