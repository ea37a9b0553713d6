package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scailabs/scaigrid/internal/app"
)

type tokenCommands struct {
	Mint tokenMint `cmd:"" help:"Make an embed token, with which one visitor may talk to one bot."`
}

type tokenMint struct {
	Bot        string        `arg:"" help:"Id or slug of the bot."`
	TTL        time.Duration `name:"ttl" help:"How long it lives, 1m to 24h. Default: 1h." default:"1h" placeholder:"DURATION"`
	Visitor    string        `help:"Your id of the visitor. Default: anonymous." placeholder:"ID"`
	Email      string        `help:"The visitor's e-mail address." placeholder:"ADDRESS"`
	Name       string        `help:"The visitor's name." placeholder:"NAME"`
	Metadata   string        `help:"More about the visitor, a JSON value of up to 16 KiB." placeholder:"JSON"`
	Origin     []string      `help:"A site on which alone it works, https://host. May be given several times." placeholder:"ORIGIN"`
	Preview    bool          `help:"Let it talk to a draft. Such conversations are not counted."`
	PrintEmbed bool          `help:"Print the snippet for a page instead of the token."`
	JSON       bool          `name:"json" help:"Print JSON."`
}

func (t *tokenMint) Run(s *session) error {
	if t.Metadata != "" && !json.Valid([]byte(t.Metadata)) {
		return usagef("--metadata must be a JSON value, such as '{\"plan\":\"pro\"}'")
	}
	return s.console(func(ctx context.Context, c *app.Console) error {
		bot, err := c.Bot(ctx, t.Bot)
		if err != nil {
			return err
		}
		token, err := c.Mint(ctx, &bot.Bot, app.NewToken{
			TTL: t.TTL, VisitorID: t.Visitor, Email: t.Email, Name: t.Name, Metadata: json.RawMessage(t.Metadata), Origins: t.Origin, Preview: t.Preview,
		})
		if err != nil {
			return err
		}
		switch {
		case t.JSON && t.PrintEmbed:
			return s.writeJSON(struct {
				*app.Token
				Snippet string `json:"snippet"`
			}{token, c.Snippet(bot.ID, app.StaticToken(token.Token))})
		case t.JSON:
			return s.writeJSON(token)
		case t.PrintEmbed:
			s.printf("%s\n", c.Snippet(bot.ID, app.StaticToken(token.Token)))
			s.tellf("\nThe token ends at %s. For a site that stays, let your server mint tokens and use:\n\n%s\n",
				token.ExpiresAt.UTC().Format(time.RFC3339), c.Snippet(bot.ID, app.TokenURL(app.DefaultTokenURL)))
		default:
			s.printf("%s\n", token.Token)
		}
		return nil
	})
}
