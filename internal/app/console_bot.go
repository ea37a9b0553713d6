package app

import (
	"context"
	"strings"
	"unicode"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

// BotInfo is a bot with what a list says of it.
type BotInfo struct {
	scaigrid.Bot
	Documents int    `json:"documents"`
	Snippet   string `json:"snippet"`
}

// listPage is the largest page of a list.
const listPage = 100

// all reads every page of a list.
func all[T any](page func(scaigrid.PageRequest) ([]T, scaigrid.PageResult, error)) ([]T, error) {
	out := []T{}
	for next := (scaigrid.PageRequest{Limit: listPage}); ; {
		items, more, err := page(next)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
		if more.NextCursor == "" {
			return out, nil
		}
		next.After = more.NextCursor
	}
}

// Bots lists the bots, newest first; status "" for all.
func (c *Console) Bots(ctx context.Context, status scaigrid.BotStatus) ([]BotInfo, error) {
	bots, err := c.bots(ctx, status)
	if err != nil {
		return nil, err
	}
	out := make([]BotInfo, 0, len(bots))
	for _, b := range bots {
		info, err := c.info(ctx, b)
		if err != nil {
			return nil, err
		}
		out = append(out, *info)
	}
	return out, nil
}

func (h *hall) bots(ctx context.Context, status scaigrid.BotStatus) ([]scaigrid.Bot, error) {
	return all(func(p scaigrid.PageRequest) ([]scaigrid.Bot, scaigrid.PageResult, error) {
		return h.store.Bots(ctx, h.tenant.ID, store.BotFilter{Status: status}, p)
	})
}

// botBySlug finds a bot; NOT_FOUND where there is none.
func (h *hall) botBySlug(ctx context.Context, slug string) (*scaigrid.Bot, error) {
	bots, err := h.bots(ctx, "")
	if err != nil {
		return nil, err
	}
	for i := range bots {
		if bots[i].Slug == slug {
			return &bots[i], nil
		}
	}
	return nil, scaigrid.NotFound()
}

func (c *Console) info(ctx context.Context, b scaigrid.Bot) (*BotInfo, error) {
	docs, err := c.Documents(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	return &BotInfo{Bot: b, Documents: len(docs), Snippet: c.Snippet(b.ID, TokenURL(DefaultTokenURL))}, nil
}

// Bot finds a bot by its id or its slug. The error names those that there are.
func (c *Console) Bot(ctx context.Context, ref string) (*BotInfo, error) {
	b, err := c.findBot(ctx, ref)
	if err != nil {
		return nil, err
	}
	return c.info(ctx, *b)
}

func (c *Console) findBot(ctx context.Context, ref string) (*scaigrid.Bot, error) {
	if scaigrid.IsID(scaigrid.KindBot, ref) {
		b, err := c.store.Bot(ctx, c.tenant.ID, ref)
		if err == nil || scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
			return b, err
		}
	}
	bots, err := c.bots(ctx, "")
	if err != nil {
		return nil, err
	}
	var slugs []string
	for i := range bots {
		if bots[i].Slug == ref {
			return &bots[i], nil
		}
		slugs = append(slugs, bots[i].Slug)
	}
	return nil, noSuchBot(ref, slugs)
}

func noSuchBot(ref string, slugs []string) error {
	switch n := len(slugs); {
	case n == 0:
		return scaigrid.Errorf(scaigrid.CodeNotFound, "There is no bot %q, and no other. Make one with: scaigrid bot create --name Help", ref)
	case n > 10:
		return scaigrid.Errorf(scaigrid.CodeNotFound, "There is no bot %q. scaigrid bot list shows the %d that there are.", ref, n)
	}
	return scaigrid.Errorf(scaigrid.CodeNotFound, "There is no bot %q. There are: %s.", ref, strings.Join(slugs, ", "))
}

// CreateBot makes a bot. Errors: VALIDATION_ERROR, SLUG_CONFLICT, MODEL_NOT_FOUND.
func (c *Console) CreateBot(ctx context.Context, config scaigrid.BotConfig, status scaigrid.BotStatus) (*scaigrid.Bot, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if err := c.models.CheckModel(ctx, config.Model); err != nil {
		return nil, err
	}
	now := c.clock()
	b := &scaigrid.Bot{
		ID: scaigrid.NewID(scaigrid.KindBot, now), TenantID: c.tenant.ID, Status: status, BotConfig: config, CreatedAt: now,
	}
	if err := c.store.CreateBot(ctx, b, c.admin.ID); err != nil {
		return nil, err
	}
	return b, nil
}

// DeleteBot deletes a bot with its documents.
func (c *Console) DeleteBot(ctx context.Context, id string) error {
	return c.store.DeleteBot(ctx, c.tenant.ID, id, 0, c.clock())
}

// SlugOf makes a slug of a name: "Café & Bar" gives "caf-bar".
func SlugOf(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := b.String()
	if len(slug) > 100 {
		slug = slug[:100]
	}
	if slug = strings.Trim(slug, "-"); slug == "" {
		return "bot"
	}
	return slug
}
