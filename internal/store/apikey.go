package store

import (
	"context"
	"time"

	"github.com/scailabs/scaigrid"
)

const apiKeyColumns = `SELECT id, tenant_id, user_id, name, prefix, public_id, digest, permissions, bot_ids,
	expires_at, last_used_at, revoked_at, created_at FROM api_keys`

// CreateAPIKey stores a key; NOT_FOUND where its user is missing, CONFLICT
// where its public part is taken.
func (s *Store) CreateAPIKey(ctx context.Context, k *scaigrid.APIKey) error {
	permissions, err := jsonText(k.Permissions)
	if err != nil {
		return err
	}
	bots, err := jsonText(append([]string{}, k.BotIDs...))
	if err != nil {
		return err
	}
	if permissions == nil {
		permissions = "[]"
	}
	return s.write.do(ctx, durable, func(t *tx) error {
		_, err := t.exec(`INSERT INTO api_keys (id, tenant_id, user_id, name, prefix, public_id, digest, permissions, bot_ids, expires_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			k.ID, k.TenantID, k.UserID, clean(k.Name), k.Prefix, k.PublicID, k.Digest, permissions, bots, nullMicros(k.ExpiresAt), micros(k.CreatedAt))
		return err
	})
}

// APIKeyByPublicID finds a key and its user, revoked and expired keys too;
// NOT_FOUND where there is none.
func (s *Store) APIKeyByPublicID(ctx context.Context, publicID string) (*scaigrid.APIKey, *scaigrid.User, error) {
	k, err := scanAPIKey(s.read.row(ctx, apiKeyColumns+" WHERE public_id = $1", publicID))
	if err != nil {
		return nil, nil, err
	}
	u, err := s.User(ctx, k.UserID)
	if err != nil {
		return nil, nil, err
	}
	return &k, u, nil
}

// APIKey returns a key of the tenant, a revoked or expired one too; NOT_FOUND
// where it has none with this id.
func (s *Store) APIKey(ctx context.Context, tenantID, keyID string) (*scaigrid.APIKey, error) {
	k, err := scanAPIKey(s.read.row(ctx, apiKeyColumns+" WHERE tenant_id = $1 AND id = $2", tenantID, keyID))
	if err != nil {
		return nil, err
	}
	return &k, nil
}

// APIKeys lists the keys of a tenant, newest first, revoked ones too.
func (s *Store) APIKeys(ctx context.Context, tenantID string, page scaigrid.PageRequest) ([]scaigrid.APIKey, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	var w where
	w.add("tenant_id = ?", tenantID)
	w.add("(created_at, id) < (?, ?)", after.at, after.id)
	keys, err := collect(ctx, s.read, apiKeyColumns+w.newestFirst("", limit), w.args, scanAPIKey)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	keys, next := cut(keys, limit, func(k scaigrid.APIKey) place { return place{micros(k.CreatedAt), k.ID} })
	return keys, next, nil
}

// RevokeAPIKey ends a key of the caller's tenant for good; NOT_FOUND where it
// has none with this id. Revoking again changes nothing.
func (s *Store) RevokeAPIKey(ctx context.Context, c scaigrid.Caller, keyID string, now time.Time) error {
	return s.write.do(ctx, durable, func(t *tx) error {
		return t.exec1("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $3) WHERE tenant_id = $1 AND id = $2", c.TenantID, keyID, micros(now))
	})
}

// TouchAPIKey notes the last use of a key to the minute; it writes at most once
// a minute and does not wait for the disk.
func (s *Store) TouchAPIKey(ctx context.Context, keyID string, now time.Time) error {
	minute := micros(now.Truncate(time.Minute))
	var last nullInt
	if err := s.read.row(ctx, "SELECT last_used_at FROM api_keys WHERE id = $1", keyID).Scan(&last); err != nil {
		return err
	}
	if last.Valid && last.Int64 >= minute {
		return nil
	}
	return s.write.do(ctx, soon, func(t *tx) error {
		_, err := t.exec("UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)", keyID, minute)
		return err
	})
}

func scanAPIKey(r scanner) (k scaigrid.APIKey, err error) {
	var permissions, bots nullString
	var expires, used, revoked nullInt
	var created int64
	if err = r.Scan(&k.ID, &k.TenantID, &k.UserID, &k.Name, &k.Prefix, &k.PublicID, &k.Digest, &permissions, &bots,
		&expires, &used, &revoked, &created); err != nil {
		return k, err
	}
	k.ExpiresAt, k.LastUsedAt, k.RevokedAt, k.CreatedAt = nullTime(expires), nullTime(used), nullTime(revoked), timeOf(created)
	if err = fromJSON(permissions, &k.Permissions); err != nil {
		return k, err
	}
	return k, fromJSON(bots, &k.BotIDs)
}
