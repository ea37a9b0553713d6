package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/scailabs/scaigrid"
)

// AuditEntry says who changed what.
type AuditEntry struct {
	ID       string
	TenantID string
	At       time.Time
	UserID   string // "" for the system
	KeyID    string // the API key that was used; "" for a session
	Action   string // such as "bot.update"
	ObjectID string
	Details  json.RawMessage // null where there is nothing to add; never a secret
}

// AppendAudit adds an entry; entries are never changed.
func (s *Store) AppendAudit(ctx context.Context, e AuditEntry) error {
	details, err := jsonText(e.Details)
	if err != nil {
		return err
	}
	return s.write.do(ctx, durable, func(t *tx) error {
		_, err := t.exec("INSERT INTO audit_log (id, tenant_id, at, user_id, key_id, action, object_id, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			e.ID, e.TenantID, micros(e.At), e.UserID, e.KeyID, e.Action, e.ObjectID, details)
		return err
	})
}

// AuditLog lists the entries of a tenant, newest first.
func (s *Store) AuditLog(ctx context.Context, tenantID string, page scaigrid.PageRequest) ([]AuditEntry, scaigrid.PageResult, error) {
	limit, after, err := pageOf(page)
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	list, err := collect(ctx, s.read, `SELECT id, tenant_id, at, user_id, key_id, action, object_id, details FROM audit_log
		WHERE tenant_id = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4`, []any{tenantID, after.at, after.id, limit + 1},
		func(r scanner) (e AuditEntry, err error) {
			var at int64
			var details nullString
			err = r.Scan(&e.ID, &e.TenantID, &at, &e.UserID, &e.KeyID, &e.Action, &e.ObjectID, &details)
			e.At = timeOf(at)
			if details.Valid {
				e.Details = json.RawMessage(details.String)
			}
			return e, err
		})
	if err != nil {
		return nil, scaigrid.PageResult{}, err
	}
	list, next := cut(list, limit, func(e AuditEntry) place { return place{micros(e.At), e.ID} })
	return list, next, nil
}
