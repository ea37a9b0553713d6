package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/app"
)

type keyCommands struct {
	Create keyCreate `cmd:"" help:"Create an API key and show it once."`
	List   keyList   `cmd:"" help:"List API keys. The keys themselves are not stored and cannot be shown."`
	Revoke keyRevoke `cmd:"" help:"End an API key at once."`
}

type keyCreate struct {
	Name    string        `required:"" help:"What the key is for, as lists show it." placeholder:"NAME"`
	Role    string        `help:"What it may do: tenant_admin, tenant_viewer, agent or tenant_user. Default: tenant_admin." default:"tenant_admin" placeholder:"ROLE"`
	Allow   []string      `help:"Only these permissions, such as scaibot:embed:issue. Overrides --role." placeholder:"PERMISSION"`
	Bot     []string      `help:"Only these bots, by id or slug." placeholder:"BOT"`
	Expires time.Duration `help:"How long it works, such as 2160h. Default: until it is revoked." placeholder:"DURATION"`
	JSON    bool          `name:"json" help:"Print JSON."`
}

func (k *keyCreate) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		key, secret, err := c.CreateKey(ctx, app.NewKey{Name: k.Name, Role: k.Role, Permissions: k.Allow, Bots: k.Bot, ExpiresIn: k.Expires})
		if err != nil {
			return err
		}
		if k.JSON {
			return s.writeJSON(struct {
				ID          string                `json:"id"`
				Key         string                `json:"key"`
				Name        string                `json:"name"`
				Prefix      string                `json:"prefix"`
				Permissions []scaigrid.Permission `json:"permissions"`
				BotIDs      []string              `json:"bot_ids"`
				ExpiresAt   *time.Time            `json:"expires_at"`
				CreatedAt   time.Time             `json:"created_at"`
			}{key.ID, secret, key.Name, key.Prefix, key.Permissions, key.BotIDs, key.ExpiresAt, key.CreatedAt})
		}
		s.printf("%s\n", secret)
		s.tellf("\nThis is the only time the key (%s) is shown. Keep it on your server, never in a page.\n", key.ID)
		return nil
	})
}

type keyList struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (k *keyList) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		keys, err := c.Keys(ctx)
		if err != nil {
			return err
		}
		if k.JSON {
			return s.writeJSON(keys)
		}
		if len(keys) == 0 {
			s.tellf("There is no API key yet. Make one with: scaigrid key create --name my-site\n")
			return nil
		}
		w := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tNAME\tKEY\tSTATE\tLAST USED\tMAY")
		for _, key := range keys {
			fmt.Fprintf(w, "%s\t%s\t%s…\t%s\t%s\t%s\n", key.ID, key.Name, key.Prefix, c.KeyState(&key), when(key.LastUsedAt), may(key.Permissions))
		}
		return w.Flush()
	})
}

func may(p []scaigrid.Permission) string {
	if len(p) == len(scaigrid.AllPermissions()) {
		return "everything"
	}
	names := make([]string, len(p))
	for i := range p {
		names[i] = strings.TrimPrefix(string(p[i]), "scaibot:")
	}
	return strings.Join(names, " ")
}

func when(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

type keyRevoke struct {
	ID string `arg:"" help:"Id of the key (apikey_…), or the part of it that key list shows."`
}

func (k *keyRevoke) Run(s *session) error {
	return s.console(func(ctx context.Context, c *app.Console) error {
		key, err := c.RevokeKey(ctx, k.ID)
		if err != nil {
			return err
		}
		s.tellf("Revoked %s (%s). A running server refuses it from now on.\n", key.ID, key.Name)
		return nil
	})
}
