package scaigrid

import "slices"

// Permission is one thing that a caller may do.
type Permission string

// The permissions of the bot module and of the platform parts it leans on.
const (
	PermBotsRead            Permission = "scaibot:bots:read"
	PermBotsCreate          Permission = "scaibot:bots:create"
	PermBotsUpdate          Permission = "scaibot:bots:update"
	PermBotsDelete          Permission = "scaibot:bots:delete"
	PermKnowledgeManage     Permission = "scaibot:knowledge:manage"
	PermConversationsRead   Permission = "scaibot:conversations:read"
	PermConversationsManage Permission = "scaibot:conversations:manage"
	PermEscalationsManage   Permission = "scaibot:escalations:manage"
	PermEmbedIssue          Permission = "scaibot:embed:issue"
	PermEmbedRevoke         Permission = "scaibot:embed:revoke"
	PermAPIKeysManage       Permission = "api_keys:manage"
	PermModelsList          Permission = "models:list"
)

// Role is a named set of permissions.
type Role string

// The roles. Platform permissions follow the documented bundles.
const (
	RoleTenantAdmin  Role = "tenant_admin"
	RoleTenantUser   Role = "tenant_user"
	RoleTenantViewer Role = "tenant_viewer"
	RoleAgent        Role = "agent"
)

// AllPermissions lists every permission, in the order of the documentation.
func AllPermissions() []Permission {
	return []Permission{
		PermBotsRead, PermBotsCreate, PermBotsUpdate, PermBotsDelete, PermKnowledgeManage,
		PermConversationsRead, PermConversationsManage, PermEscalationsManage,
		PermEmbedIssue, PermEmbedRevoke, PermAPIKeysManage, PermModelsList,
	}
}

// Permissions returns what a role may do; nothing for an unknown role.
func (r Role) Permissions() []Permission {
	switch r {
	case RoleTenantAdmin:
		return AllPermissions()
	case RoleTenantUser:
		return []Permission{PermAPIKeysManage, PermModelsList}
	case RoleTenantViewer:
		return []Permission{PermBotsRead, PermConversationsRead, PermModelsList}
	case RoleAgent:
		return []Permission{PermConversationsRead, PermConversationsManage, PermModelsList}
	}
	return nil
}

// Caller is who stands behind a management call: one user of one tenant, with
// the permissions of the credential that was shown. Every management read and
// write takes it, so that the tenant can't be forgotten.
type Caller struct {
	TenantID    string
	UserID      string
	KeyID       string // the API key, "" for a session
	Permissions []Permission
	BotIDs      []string // the bots the credential is narrowed to; empty: all of the tenant
}

// May tells whether the caller holds p.
func (c Caller) May(p Permission) bool { return slices.Contains(c.Permissions, p) }

// Reaches tells whether the credential covers the bot.
func (c Caller) Reaches(botID string) bool {
	return len(c.BotIDs) == 0 || slices.Contains(c.BotIDs, botID)
}

// Pass is what a valid embed token says: this visitor may chat with this bot
// until then, and nothing else.
type Pass struct {
	TokenID   string
	TenantID  string
	BotID     string
	Subject   string // opaque visitor reference, "vis_…"
	Anonymous bool   // the site did not say who this is
	Preview   bool   // may chat with a draft; its conversations stay out of analytics
	SeePrompt bool   // may ask for the prompt of a turn
	Origins   []string
	KeyID     string // the API key that minted it; "" where none did
	IssuedAt  int64  // Unix seconds
	ExpiresAt int64  // Unix seconds
}
