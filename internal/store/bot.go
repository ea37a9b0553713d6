package store

import (
	"context"
	"fmt"
	"time"

	"github.com/scailabs/scaigrid"
)

// BotFilter narrows a list of bots. Zero fields do not narrow.
type BotFilter struct {
	BotIDs []string // those a credential is narrowed to
	Status scaigrid.BotStatus
}

// BotVersion is what a bot was after one of its changes.
type BotVersion struct {
	BotID   string
	Version int64
	Status  scaigrid.BotStatus
	Config  scaigrid.BotConfig
	By      string // user id; "" for the system
	At      time.Time
}

const botColumns = "SELECT id, tenant_id, status, version, config, knowledge_version, created_at, updated_at FROM bots"

// CreateBot stores a new bot as version 1; SLUG_CONFLICT where the tenant has
// one with this slug.
func (s *Store) CreateBot(ctx context.Context, b *scaigrid.Bot, by string) error {
	config, err := jsonText(b.BotConfig)
	if err != nil {
		return err
	}
	err = s.write.do(ctx, durable, func(t *tx) error {
		if err := slugFree(t, b.TenantID, b.Slug, b.ID); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO bots (id, tenant_id, slug, status, version, config, knowledge_version, created_at, updated_at)
			VALUES ($1, $2, $3, $4, 1, $5, 0, $6, $6)`, b.ID, b.TenantID, b.Slug, string(b.Status), config, micros(b.CreatedAt)); err != nil {
			return err
		}
		return keepVersion(t, b.ID, 1, b.Status, config, by, b.CreatedAt)
	})
	if err != nil {
		return err
	}
	b.Version, b.UpdatedAt, b.KnowledgeVersion = 1, b.CreatedAt, 0
	return nil
}

func slugFree(t *tx, tenantID, slug, except string) error {
	var other string
	err := t.get("SELECT id FROM bots WHERE tenant_id = $1 AND slug = $2 AND id <> $3", tenantID, slug, except).Scan(&other)
	if none(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return &scaigrid.Error{
		Code: scaigrid.CodeSlugConflict, Message: "Another bot has this slug. Choose another one.",
		Details: []scaigrid.FieldError{{Field: "slug", Message: "is taken by another bot"}},
	}
}

func keepVersion(t *tx, botID string, version int64, status scaigrid.BotStatus, config any, by string, at time.Time) error {
	_, err := t.exec("INSERT INTO bot_versions (bot_id, version, status, config, by_user, at) VALUES ($1, $2, $3, $4, $5, $6)",
		botID, version, string(status), config, by, micros(at))
	return err
}

// Bot returns a bot of the tenant; NOT_FOUND where it has none with this id.
func (s *Store) Bot(ctx context.Context, tenantID, botID string) (*scaigrid.Bot, error) {
	return botOf(s.read.row(ctx, botColumns+" WHERE id = $1 AND tenant_id = $2", botID, tenantID))
}

// BotPublic returns a bot of any tenant, for what visitors' pages ask.
func (s *Store) BotPublic(ctx context.Context, botID string) (*scaigrid.Bot, error) {
	return botOf(s.read.row(ctx, botColumns+" WHERE id = $1", botID))
}

// Bots lists the bots of a tenant, newest first.
func (s *Store) Bots(ctx context.Context, tenantID string, f BotFilter, page scaigrid.PageRequest) ([]scaigrid.Bot, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	var w where
	w.add("tenant_id = ?", tenantID)
	w.add("(created_at, id) < (?, ?)", after.at, after.id)
	if len(f.BotIDs) > 0 {
		w.in("id", f.BotIDs)
	}
	if f.Status != "" {
		w.add("status = ?", string(f.Status))
	}
	bots, err := collect(ctx, s.read, botColumns+w.newestFirst("", limit), w.args, scanBot)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	bots, next := cut(bots, limit, func(b scaigrid.Bot) place { return place{micros(b.CreatedAt), b.ID} })
	return bots, next, nil
}

// ReplaceBot sets the whole configuration of a bot, and its status unless that
// is "". With expected other than 0 the bot must have this version, else it is
// a CONFLICT that names the current one. SLUG_CONFLICT as for CreateBot.
func (s *Store) ReplaceBot(ctx context.Context, tenantID, botID string, config scaigrid.BotConfig, status scaigrid.BotStatus, expected int64, by string, now time.Time) (*scaigrid.Bot, error) {
	return s.changeBot(ctx, tenantID, botID, expected, by, now, func(b *scaigrid.Bot) {
		b.BotConfig = config
		if status != "" {
			b.Status = status
		}
	})
}

// SetBotStatus sets where a bot stands; expected as for ReplaceBot.
func (s *Store) SetBotStatus(ctx context.Context, tenantID, botID string, status scaigrid.BotStatus, expected int64, by string, now time.Time) (*scaigrid.Bot, error) {
	return s.changeBot(ctx, tenantID, botID, expected, by, now, func(b *scaigrid.Bot) { b.Status = status })
}

func (s *Store) changeBot(ctx context.Context, tenantID, botID string, expected int64, by string, now time.Time, change func(*scaigrid.Bot)) (*scaigrid.Bot, error) {
	var b *scaigrid.Bot
	err := s.write.do(ctx, durable, func(t *tx) (err error) {
		// The row is taken before it is read, so that no other node changes it in between.
		b, err = botOf(t.get("UPDATE bots SET version = version + 1, updated_at = $3 WHERE id = $1 AND tenant_id = $2"+returning(botColumns), botID, tenantID, micros(now)))
		if err != nil {
			return err
		}
		if expected != 0 && b.Version != expected+1 {
			return versionConflict(b.Version - 1)
		}
		change(b)
		config, err := jsonText(b.BotConfig)
		if err != nil {
			return err
		}
		if err := slugFree(t, tenantID, b.Slug, botID); err != nil {
			return err
		}
		if err := t.exec1("UPDATE bots SET slug = $2, status = $3, config = $4 WHERE id = $1", botID, b.Slug, string(b.Status), config); err != nil {
			return err
		}
		return keepVersion(t, botID, b.Version, b.Status, config, by, now)
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

func versionConflict(current int64) error {
	return &scaigrid.Error{
		Code:    scaigrid.CodeConflict,
		Message: fmt.Sprintf("It was changed meanwhile and has version %d now. Read it again, then repeat the change with that version.", current),
		Details: []scaigrid.FieldError{{Field: "version", Message: fmt.Sprintf("is %d now", current)}},
	}
}

// DeleteBot removes a bot with its versions, documents and passages. Its
// conversations stay, without a trace of who spoke. Expected as for ReplaceBot.
func (s *Store) DeleteBot(ctx context.Context, tenantID, botID string, expected int64, now time.Time) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		var version int64
		if err := t.get("DELETE FROM bots WHERE id = $1 AND tenant_id = $2 RETURNING version", botID, tenantID).Scan(&version); err != nil {
			return err
		}
		if expected != 0 && version != expected {
			return versionConflict(version)
		}
		if _, err := t.exec(`UPDATE visitors SET external_id = NULL, email = NULL, name = NULL, metadata = NULL,
			key_hash = NULL, key_dead = TRUE, updated_at = $2 WHERE bot_id = $1`, botID, micros(now)); err != nil {
			return err
		}
		_, err := t.exec("UPDATE conversations SET claimed = NULL, metadata = NULL, page = NULL WHERE bot_id = $1", botID)
		return err
	})
}

// BotVersions lists what a bot was, newest first.
func (s *Store) BotVersions(ctx context.Context, tenantID, botID string, page scaigrid.PageRequest) ([]BotVersion, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	list, err := collect(ctx, s.read, fmt.Sprintf(`SELECT v.bot_id, v.version, v.status, v.config, v.by_user, v.at
		FROM bot_versions v JOIN bots b ON b.id = v.bot_id
		WHERE v.bot_id = $1 AND b.tenant_id = $2 AND v.version < $3 ORDER BY v.version DESC LIMIT %d`, limit+1),
		[]any{botID, tenantID, after.at}, scanBotVersion)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	if len(list) == 0 {
		if _, err := s.Bot(ctx, tenantID, botID); err != nil {
			return nil, scaigrid.PageResult{}, err
		}
	}
	list, next := cut(list, limit, func(v BotVersion) place { return place{v.Version, v.BotID} })
	return list, next, nil
}

func botOf(r scanner) (*scaigrid.Bot, error) {
	b, err := scanBot(r)
	if err != nil {
		return nil, err
	}
	return &b, nil
}

func scanBot(r scanner) (b scaigrid.Bot, err error) {
	var config nullString
	var created, updated int64
	if err = r.Scan(&b.ID, &b.TenantID, &b.Status, &b.Version, &config, &b.KnowledgeVersion, &created, &updated); err != nil {
		return b, err
	}
	b.CreatedAt, b.UpdatedAt = timeOf(created), timeOf(updated)
	b.BotConfig = scaigrid.DefaultBotConfig() // what an older release did not know yet
	return b, fromJSON(config, &b.BotConfig)
}

func scanBotVersion(r scanner) (v BotVersion, err error) {
	var config nullString
	var at int64
	if err = r.Scan(&v.BotID, &v.Version, &v.Status, &config, &v.By, &at); err != nil {
		return v, err
	}
	v.At, v.Config = timeOf(at), scaigrid.DefaultBotConfig()
	return v, fromJSON(config, &v.Config)
}
