package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scailabs/scaigrid"
)

const keyPath = "/v1/api-keys"

// keyBody describes a key that is to be made.
type keyBody struct {
	Name        *string                `json:"name" required:"true" minLength:"1" maxLength:"200" doc:"By which people know it"`
	Permissions *[]scaigrid.Permission `json:"permissions" maxItems:"50" doc:"Default: all that the caller holds"`
	BotIDs      *[]string              `json:"bot_ids" maxItems:"1000" doc:"Narrows the key to these bots. Default: all that the caller reaches"`
	ExpiresAt   *time.Time             `json:"expires_at" format:"date-time" doc:"Default: never"`
}

// keyView is a key as it is listed: never the key itself.
type keyView struct {
	ID          string                `json:"id"`
	UserID      string                `json:"user_id"`
	Name        string                `json:"name"`
	Prefix      string                `json:"prefix" doc:"The beginning of the key: enough to find it, not to use it"`
	Permissions []scaigrid.Permission `json:"permissions"`
	BotIDs      []string              `json:"bot_ids" doc:"Empty: all bots of the tenant"`
	ExpiresAt   *time.Time            `json:"expires_at"`
	LastUsedAt  *time.Time            `json:"last_used_at" doc:"To the minute"`
	RevokedAt   *time.Time            `json:"revoked_at"`
	CreatedAt   time.Time             `json:"created_at"`
}

// newKeyView is a key that was just made.
type newKeyView struct {
	keyView
	Key string `json:"key" doc:"Shown this once: it is stored nowhere"`
}

func viewKey(k *scaigrid.APIKey) keyView {
	return keyView{
		ID: k.ID, UserID: k.UserID, Name: k.Name, Prefix: k.Prefix, Permissions: k.Permissions, BotIDs: k.BotIDs,
		ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt, RevokedAt: k.RevokedAt, CreatedAt: k.CreatedAt,
	}
}

// reachesKey tells whether the caller may see and end a key: his own, and those
// that can do nothing that he cannot do himself.
func reachesKey(c scaigrid.Caller, k *scaigrid.APIKey) bool {
	if k.UserID != c.UserID && slices.ContainsFunc(k.Permissions, func(p scaigrid.Permission) bool { return !c.May(p) }) {
		return false
	}
	return withinBots(c, k.BotIDs)
}

// withinBots tells whether a credential for these bots covers no more than the caller's.
func withinBots(c scaigrid.Caller, bots []string) bool {
	if len(c.BotIDs) == 0 {
		return true
	}
	return len(bots) > 0 && !slices.ContainsFunc(bots, func(id string) bool { return !c.Reaches(id) })
}

func (s *Server) createKey(c *call, in *keyBody) (newKeyView, error) {
	k := &scaigrid.APIKey{
		TenantID: c.caller.TenantID, UserID: c.caller.UserID, Name: strings.TrimSpace(deref(in.Name)),
		Permissions: slices.Clone(c.caller.Permissions), BotIDs: slices.Clone(c.caller.BotIDs), ExpiresAt: in.ExpiresAt, CreatedAt: c.began,
	}
	set(&k.Permissions, in.Permissions)
	set(&k.BotIDs, in.BotIDs)
	if err := s.checkKey(c, k); err != nil {
		return newKeyView{}, err
	}
	key, err := s.keys.Issue(c.ctx(), k)
	if err != nil {
		return newKeyView{}, err
	}
	s.log.InfoContext(c.ctx(), "an API key was made", "request_id", c.id, "key", k.ID, "by_key", c.caller.KeyID, "by_user", c.caller.UserID)
	c.w.Header().Set("Location", keyPath+"/"+k.ID)
	return newKeyView{keyView: viewKey(k), Key: key.Reveal()}, nil
}

// checkKey reports what is wrong with a key that is to be made. It may do
// nothing that its maker may not.
func (s *Server) checkKey(c *call, k *scaigrid.APIKey) error {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	switch n := utf8.RuneCountInString(k.Name); {
	case n == 0:
		add("name", "is required")
	case n > 200:
		add("name", "must be at most 200 characters")
	}
	if len(k.Permissions) == 0 {
		add("permissions", "must have at least one entry")
	}
	if k.ExpiresAt != nil && !k.ExpiresAt.After(c.began) {
		add("expires_at", "must be in the future")
	}
	if k.ExpiresAt != nil && checkYear(*k.ExpiresAt) != nil {
		add("expires_at", "must be before the year 9999")
	}
	for i, p := range k.Permissions {
		switch {
		case !slices.Contains(scaigrid.AllPermissions(), p):
			add(fmt.Sprintf("permissions[%d]", i), "is not a permission")
		case !c.caller.May(p):
			add(fmt.Sprintf("permissions[%d]", i), "is one that you do not hold yourself")
		case slices.Contains(k.Permissions[:i], p):
			add(fmt.Sprintf("permissions[%d]", i), "is given twice")
		}
	}
	if len(k.BotIDs) > 1000 {
		add("bot_ids", "must have at most 1000 entries")
		return scaigrid.InvalidFields(bad)
	}
	if !withinBots(c.caller, k.BotIDs) {
		add("bot_ids", "must be bots that your own key covers")
		return scaigrid.InvalidFields(bad)
	}
	for i, id := range k.BotIDs {
		if _, err := s.store.Bot(c.ctx(), c.caller.TenantID, id); scaigrid.ErrorCode(err) == scaigrid.CodeNotFound {
			add(fmt.Sprintf("bot_ids[%d]", i), "is not a bot of yours")
		} else if err != nil {
			return err
		}
	}
	return scaigrid.InvalidFields(bad)
}

func (s *Server) listKeys(c *call, _ *noQuery, page scaigrid.PageRequest) ([]keyView, scaigrid.PageResult, error) {
	keys, next, err := s.store.APIKeys(c.ctx(), c.caller.TenantID, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]keyView, 0, len(keys))
	for i := range keys {
		if reachesKey(c.caller, &keys[i]) {
			out = append(out, viewKey(&keys[i]))
		}
	}
	return out, next, nil
}

func (s *Server) revokeKey(c *call) (deleted, error) {
	id, err := c.pathID(scaigrid.KindAPIKey)
	if err != nil {
		return deleted{}, err
	}
	k, err := s.store.APIKey(c.ctx(), c.caller.TenantID, id)
	if err != nil {
		return deleted{}, err
	}
	if !reachesKey(c.caller, k) {
		return deleted{}, scaigrid.NotFound()
	}
	if err := s.keys.Revoke(c.ctx(), c.caller.TenantID, id); err != nil {
		return deleted{}, err
	}
	s.log.InfoContext(c.ctx(), "an API key was revoked", "request_id", c.id, "key", id, "by_key", c.caller.KeyID, "by_user", c.caller.UserID)
	return deleted{ID: id, Deleted: true}, nil
}

// keyRows are the rows about API keys.
func (s *Server) keyRows() []route {
	row := staffRow("API keys")
	const manage = scaigrid.PermAPIKeysManage
	return []route{
		row("GET", keyPath, "listApiKeys", "List API keys, newest first: those that can do nothing that the caller cannot; a page may hold fewer than limit", manage, list(s.listKeys)),
		row("POST", keyPath, "createApiKey", "Make an API key; it is shown this once", manage, write(s.createKey)).answers(http.StatusCreated),
		row("DELETE", keyPath+"/{apikey}", "revokeApiKey", "Revoke an API key at once; tokens that it minted end with it", manage, read(s.revokeKey)),
	}
}
