package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/demo"
)

// openDemo makes the demo's bot, brings its documents up to date, and puts the
// sample site on its address.
func (s *server) openDemo(ctx context.Context) error {
	ln, err := listen(ctx, s.cfg.DemoAddr, "demo_addr")
	if err != nil {
		return err
	}
	s.sample = ln
	bot, err := s.demoBot(ctx)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := s.demoDocuments(ctx, bot); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	key, err := s.demoKey(ctx, bot)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	site, err := demo.New(demo.Options{ScaiGridURL: s.url(), APIURL: s.localURL(), APIKey: key, BotID: bot.ID})
	if err != nil {
		return err
	}
	s.shop = &http.Server{Handler: site, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return nil
}

// demoURL is the sample site's address, "" without it.
func (s *server) demoURL() string {
	if s.sample == nil {
		return ""
	}
	return "http://" + withPort(s.cfg.DemoAddr, s.sample.Addr())
}

// demoBot finds the demo's bot or makes it. One that is there is left as the
// operator wants it.
func (s *server) demoBot(ctx context.Context) (*scaigrid.Bot, error) {
	bot, err := s.botBySlug(ctx, demo.BotSlug)
	if scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
		return bot, err
	}
	now := s.clock()
	bot = &scaigrid.Bot{
		ID: scaigrid.NewID(scaigrid.KindBot, now), TenantID: s.tenant.ID, Status: scaigrid.BotActive, BotConfig: demo.Bot(), CreatedAt: now,
	}
	return bot, s.store.CreateBot(ctx, bot, s.admin.ID)
}

// demoDocuments gives the bot the documentation as this binary has it. Pages
// that are gone are deleted, documents of the operator's own are left alone.
func (s *server) demoDocuments(ctx context.Context, bot *scaigrid.Bot) error {
	pages, err := docPages(s.opt.Version)
	if err != nil {
		return err
	}
	var wanted []text
	for _, d := range demo.Documents(pages, s.url()) {
		wanted = append(wanted, text{name: d.Name, media: "text/markdown", url: d.URL, load: func() ([]byte, error) { return []byte(d.Text), nil }})
	}
	changes, err := s.planDocuments(ctx, bot, wanted, true)
	if err != nil {
		return err
	}
	kept := changes[:0]
	for _, c := range changes {
		if c.Action != "delete" || strings.Contains(c.held.URL, "/docs") {
			kept = append(kept, c)
		}
	}
	return s.applyDocuments(ctx, bot, kept)
}

// demoKey is the sample site's API key. It is kept in a file beside the
// database, so that a restart does not end the tokens of open pages.
func (s *server) demoKey(ctx context.Context, bot *scaigrid.Bot) (string, error) {
	path := filepath.Join(s.cfg.DataDir, "demo-key")
	if held, err := os.ReadFile(path); err == nil {
		key := strings.TrimSpace(string(held))
		if caller, err := s.guard.Keys.Authenticate(ctx, key); err == nil && caller.Reaches(bot.ID) && caller.May(scaigrid.PermEmbedIssue) {
			return key, nil
		}
	}
	text, err := s.guard.Keys.Issue(ctx, &scaigrid.APIKey{
		TenantID: s.tenant.ID, UserID: s.admin.ID, Name: "sample site of the demo",
		Permissions: []scaigrid.Permission{scaigrid.PermEmbedIssue}, BotIDs: []string{bot.ID},
	})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(text.Reveal()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("%s can't be written: %w", path, bareError(err))
	}
	return text.Reveal(), nil
}
