package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/scailabs/scaigrid/internal/app"
)

type askCommand struct {
	Bot      string   `arg:"" help:"Id or slug of the bot. Drafts answer too."`
	Question []string `arg:"" help:"The question."`
	JSON     bool     `name:"json" help:"Print one JSON document with the answer and its sources."`
}

func (a *askCommand) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, a.Bot)
		if err != nil {
			return err
		}
		say := func(text string) { s.printf("%s", text) }
		if a.JSON {
			say = func(string) {}
		}
		answer, err := c.Ask(ctx, &bot.Bot, strings.Join(a.Question, " "), say)
		if err != nil {
			return err
		}
		if a.JSON {
			return s.writeJSON(answer)
		}
		s.printf("\n")
		for i, cite := range answer.Citations {
			if i == 0 {
				s.printf("\n")
			}
			line := cite.Title
			if cite.Heading != "" && cite.Heading != cite.Title {
				line += " › " + cite.Heading
			}
			if cite.URL != "" {
				line += "  " + cite.URL
			}
			s.printf("[%d] %s\n", cite.N, line)
		}
		if answer.Error != nil {
			return fmt.Errorf("%s (%s)", answer.Error.Message, answer.Error.Code)
		}
		return nil
	})
}
