package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/scailabs/scaigrid"
)

type (
	nullInt    = sql.NullInt64
	nullString = sql.NullString
	nullFloat  = sql.NullFloat64
	nullBool   = sql.NullBool
)

// EnsureTenant makes the tenant and its first user unless a tenant with this
// slug exists. It returns the ones that hold, and whether it made them.
func (s *Store) EnsureTenant(ctx context.Context, tenant scaigrid.Tenant, admin scaigrid.User) (*scaigrid.Tenant, *scaigrid.User, bool, error) {
	var made bool
	err := s.write.do(ctx, durable, func(t *tx) error {
		n, err := t.exec("INSERT INTO tenants (id, slug, name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (slug) DO NOTHING",
			tenant.ID, tenant.Slug, tenant.Name, micros(tenant.CreatedAt))
		if made = n > 0; !made || err != nil {
			return err
		}
		admin.TenantID = tenant.ID
		return insertUser(t, admin)
	})
	if err != nil {
		return nil, nil, false, err
	}
	held, err := scanTenant(s.read.row(ctx, "SELECT id, slug, name, created_at FROM tenants WHERE slug = $1", tenant.Slug))
	if err != nil {
		return nil, nil, false, err
	}
	users, err := s.Users(ctx, held.ID)
	if err != nil {
		return nil, nil, false, err
	}
	for i := range users {
		if users[i].Role == scaigrid.RoleTenantAdmin {
			return &held, &users[i], made, nil
		}
	}
	return &held, nil, made, nil
}

func insertUser(t *tx, u scaigrid.User) error {
	_, err := t.exec("INSERT INTO users (id, tenant_id, email, name, role, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
		u.ID, u.TenantID, u.Email, u.Name, string(u.Role), micros(u.CreatedAt))
	return err
}

// Tenants returns all tenants, oldest first.
func (s *Store) Tenants(ctx context.Context) ([]scaigrid.Tenant, error) {
	return collect(ctx, s.read, "SELECT id, slug, name, created_at FROM tenants ORDER BY created_at, id", nil, scanTenant)
}

func scanTenant(r scanner) (v scaigrid.Tenant, err error) {
	var created int64
	err = r.Scan(&v.ID, &v.Slug, &v.Name, &created)
	v.CreatedAt = timeOf(created)
	return v, err
}

const userColumns = "SELECT id, tenant_id, email, name, role, created_at FROM users"

// User returns a user of any tenant; NOT_FOUND where there is none.
func (s *Store) User(ctx context.Context, userID string) (*scaigrid.User, error) {
	u, err := scanUser(s.read.row(ctx, userColumns+" WHERE id = $1", userID))
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// Users returns the users of a tenant, oldest first.
func (s *Store) Users(ctx context.Context, tenantID string) ([]scaigrid.User, error) {
	return collect(ctx, s.read, userColumns+" WHERE tenant_id = $1 ORDER BY created_at, id", []any{tenantID}, scanUser)
}

func scanUser(r scanner) (u scaigrid.User, err error) {
	var created int64
	err = r.Scan(&u.ID, &u.TenantID, &u.Email, &u.Name, &u.Role, &created)
	u.CreatedAt = timeOf(created)
	return u, err
}

// fromJSON reads a JSON column; NULL leaves v as it is.
func fromJSON(text nullString, v any) error {
	if !text.Valid {
		return nil
	}
	if err := json.Unmarshal([]byte(text.String), v); err != nil {
		return storageError("A row of the database holds text that is not the JSON it should be. Restore the newest backup; scaigrid doctor tells more.", false, err)
	}
	return nil
}
