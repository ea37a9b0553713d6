package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// NewKey describes an API key to be made.
type NewKey struct {
	Name        string
	Role        string        // what it may do, unless Permissions say so
	Permissions []string      // names of permissions
	Bots        []string      // ids or slugs; empty: every bot
	ExpiresIn   time.Duration // 0: never
}

// maxKeyName is the longest name of a key, in characters.
const maxKeyName = 200

// CreateKey makes an API key for the administrator and returns it with its
// text, which nobody can be shown again.
func (c *Console) CreateKey(ctx context.Context, n NewKey) (*scaigrid.APIKey, string, error) {
	name := strings.TrimSpace(n.Name)
	if name == "" || len([]rune(name)) > maxKeyName {
		return nil, "", scaigrid.Invalid("name", "must have 1 to %d characters", maxKeyName)
	}
	key := &scaigrid.APIKey{TenantID: c.tenant.ID, UserID: c.admin.ID, Name: name, BotIDs: []string{}}
	var err error
	if key.Permissions, err = permissions(n); err != nil {
		return nil, "", err
	}
	for _, ref := range n.Bots {
		b, err := c.findBot(ctx, ref)
		if err != nil {
			return nil, "", err
		}
		key.BotIDs = append(key.BotIDs, b.ID)
	}
	if n.ExpiresIn < 0 {
		return nil, "", scaigrid.Invalid("expires", "must not be negative")
	}
	if n.ExpiresIn > 0 {
		at := c.clock().Add(n.ExpiresIn).UTC()
		key.ExpiresAt = &at
	}
	text, err := c.guard.Keys.Issue(ctx, key)
	if err != nil {
		return nil, "", err
	}
	return key, text.Reveal(), nil
}

func permissions(n NewKey) ([]scaigrid.Permission, error) {
	if len(n.Permissions) == 0 {
		if p := scaigrid.Role(n.Role).Permissions(); p != nil {
			return p, nil
		}
		return nil, scaigrid.Invalid("role", "must be %s, %s, %s or %s", scaigrid.RoleTenantAdmin, scaigrid.RoleTenantViewer, scaigrid.RoleAgent, scaigrid.RoleTenantUser)
	}
	var out []scaigrid.Permission
	for _, name := range n.Permissions {
		p := scaigrid.Permission(name)
		if !slices.Contains(scaigrid.AllPermissions(), p) {
			return nil, scaigrid.Invalid("allow", "must name permissions; there are %s", joined(scaigrid.AllPermissions()))
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

func joined(p []scaigrid.Permission) string {
	names := make([]string, len(p))
	for i := range p {
		names[i] = string(p[i])
	}
	return strings.Join(names, ", ")
}

// Keys lists the API keys, newest first.
func (c *Console) Keys(ctx context.Context) ([]scaigrid.APIKey, error) {
	return all(func(p scaigrid.PageRequest) ([]scaigrid.APIKey, scaigrid.PageResult, error) {
		return c.store.APIKeys(ctx, c.tenant.ID, p)
	})
}

// KeyState says in a word whether a key works.
func (c *Console) KeyState(k *scaigrid.APIKey) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && !c.clock().Before(*k.ExpiresAt):
		return "expired"
	}
	return "active"
}

// RevokeKey ends a key, by its id or by what lists show of it.
func (c *Console) RevokeKey(ctx context.Context, ref string) (*scaigrid.APIKey, error) {
	keys, err := c.Keys(ctx)
	if err != nil {
		return nil, err
	}
	ref = strings.TrimSuffix(ref, "…")
	for i := range keys {
		if k := &keys[i]; k.ID == ref || k.Prefix == ref || strings.HasPrefix(ref, k.Prefix+"_") {
			return k, c.guard.Keys.Revoke(ctx, c.tenant.ID, k.ID)
		}
	}
	return nil, scaigrid.Errorf(scaigrid.CodeNotFound, "There is no such API key. scaigrid key list shows those there are.")
}

// RotateSigningKey makes a new key that signs embed tokens. In an emergency
// every token that is out ends.
func (c *Console) RotateSigningKey(ctx context.Context, emergency bool) error {
	if emergency {
		return c.guard.Tokens.RotateNow(ctx)
	}
	return c.guard.Tokens.Rotate(ctx)
}
