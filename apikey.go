package scaigrid

import "time"

// APIKey is a credential of one user for scripts and servers. The key itself
// is shown once and never stored.
type APIKey struct {
	ID          string       `json:"id"`
	TenantID    string       `json:"-"`
	UserID      string       `json:"user_id"`
	Name        string       `json:"name"`
	Prefix      string       `json:"prefix"` // "sgk_" and the public part: enough to find a key, not to use it
	Permissions []Permission `json:"permissions"`
	BotIDs      []string     `json:"bot_ids"`
	ExpiresAt   *time.Time   `json:"expires_at"`
	LastUsedAt  *time.Time   `json:"last_used_at"` // to the minute
	RevokedAt   *time.Time   `json:"revoked_at"`
	CreatedAt   time.Time    `json:"created_at"`

	PublicID string `json:"-"`
	Digest   []byte `json:"-"`
}

// User is a person of a tenant's staff.
type User struct {
	ID        string
	TenantID  string
	Email     string
	Name      string
	Role      Role
	CreatedAt time.Time
}

// Tenant is one customer of the installation.
type Tenant struct {
	ID        string
	Slug      string
	Name      string
	CreatedAt time.Time
}
