package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/scailabs/scaigrid"
)

// BotPlan is what applying a bot file would change.
type BotPlan struct {
	Slug      string           `json:"slug"`
	BotID     string           `json:"bot_id"` // "" before a new bot is made
	Create    bool             `json:"create"`
	Fields    []FieldChange    `json:"fields"`
	Documents []DocumentChange `json:"documents"`

	file *BotFile
	bot  *scaigrid.Bot // as it is; nil for a new one
}

// Empty tells whether there is nothing to change.
func (p *BotPlan) Empty() bool { return !p.Create && len(p.Fields) == 0 && len(p.Documents) == 0 }

// Plan compares a bot file with what there is. It changes nothing.
func (c *Console) Plan(ctx context.Context, file *BotFile) (*BotPlan, error) {
	if err := c.models.CheckModel(ctx, file.Model); err != nil {
		return nil, fmt.Errorf("bot %s: %w", file.Slug, err)
	}
	p := &BotPlan{Slug: file.Slug, Fields: []FieldChange{}, Documents: []DocumentChange{}, file: file}
	found, err := c.botBySlug(ctx, file.Slug)
	if p.Create = scaigrid.ErrorCode(err) == scaigrid.CodeNotFound; err != nil && !p.Create {
		return nil, err
	}
	p.bot = found
	have := fieldsOf(scaigrid.BotDraft, scaigrid.DefaultBotConfig())
	if !p.Create {
		p.BotID = found.ID
		have = fieldsOf(found.Status, found.BotConfig)
	}
	p.Fields = differences(have, fieldsOf(scaigrid.BotStatus(file.Status), file.BotConfig))
	if file.Documents == nil {
		return p, nil
	}
	if err := checkAddress(file.Documents.URL); err != nil {
		return nil, fmt.Errorf("bot %s: %w", file.Slug, err)
	}
	folder := file.Documents.Folder
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(file.Dir, folder)
	}
	wanted, err := readFolder(folder, file.Documents.URL)
	if err != nil {
		return nil, fmt.Errorf("bot %s: %w", file.Slug, err)
	}
	p.Documents, err = c.planDocuments(ctx, found, wanted, file.Documents.Prune)
	return p, err
}

// Apply makes the changes of a plan. With wait it returns when answers come
// from the changed documents. Errors: CONFLICT where the bot was changed since
// the plan was made.
func (c *Console) Apply(ctx context.Context, p *BotPlan, wait bool) (err error) {
	bot := p.bot
	status := scaigrid.BotStatus(p.file.Status)
	switch {
	case p.Create:
		bot, err = c.CreateBot(ctx, p.file.BotConfig, status)
	case len(p.Fields) > 0:
		bot, err = c.store.ReplaceBot(ctx, c.tenant.ID, bot.ID, p.file.BotConfig, status, bot.Version, c.admin.ID, c.clock())
	}
	if err != nil {
		return fmt.Errorf("bot %s: %w", p.Slug, err)
	}
	p.BotID = bot.ID
	if err := c.change(ctx, bot, p.Documents, wait); err != nil {
		return fmt.Errorf("bot %s: %w", p.Slug, err)
	}
	return nil
}
