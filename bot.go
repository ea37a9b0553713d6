package scaigrid

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// BotStatus is where a bot stands in its life.
type BotStatus string

// A draft answers only preview tokens; an archived bot answers nobody.
const (
	BotDraft    BotStatus = "draft"
	BotActive   BotStatus = "active"
	BotArchived BotStatus = "archived"
)

// Valid tells whether s is one of the three states.
func (s BotStatus) Valid() bool { return s == BotDraft || s == BotActive || s == BotArchived }

// Bot is a configured assistant of one tenant.
type Bot struct {
	ID       string    `json:"id"`
	TenantID string    `json:"tenant_id"`
	Status   BotStatus `json:"status"`
	Version  int64     `json:"version"` // grows by one with every change; the ETag
	BotConfig
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// KnowledgeVersion grows when a document of the bot is indexed, replaced or
	// deleted, so that a cached index knows when it is old.
	KnowledgeVersion int64 `json:"-"`
}

// BotConfig is what an operator sets. Replacing a bot replaces all of it:
// a field left out returns to its default.
type BotConfig struct {
	Name                  string            `json:"name"`
	Slug                  string            `json:"slug"`
	Model                 string            `json:"model"`
	DisplayName           string            `json:"display_name"`
	WelcomeMessage        string            `json:"welcome_message"`
	PlaceholderText       string            `json:"placeholder_text"`
	PrimaryColor          string            `json:"primary_color"`
	MaxTokensPerResponse  int               `json:"max_tokens_per_response"`
	MaxContextMessages    int               `json:"max_context_messages"`
	KnowledgeEnabled      bool              `json:"knowledge_enabled"`
	KnowledgeMode         string            `json:"knowledge_mode"`
	KnowledgeCollectionID string            `json:"knowledge_collection_id"`
	KnowledgeSettings     KnowledgeSettings `json:"knowledge_settings"`
	AllowedOrigins        []string          `json:"allowed_origins"`
	IdentityRequired      bool              `json:"identity_required"`
	JoinAnonymous         bool              `json:"join_anonymous"` // an anonymous conversation follows a visitor who signs in
	SuggestedQuestions    []string          `json:"suggested_questions"`
	Appearance            map[string]string `json:"appearance"` // widget attributes and CSS variables
	Locale                string            `json:"locale"`
	RetentionDays         int               `json:"retention_days"` // 0: kept
	FallbackMessage       string            `json:"fallback_message"`
	Limits                BotLimits         `json:"limits"`
}

// KnowledgeSettings say how much of the documents an answer may use.
type KnowledgeSettings struct {
	TopK            int     `json:"top_k"`              // 1–50
	ScoreThreshold  float64 `json:"score_threshold"`    // 0–1; passages below are not used
	MaxChunksPerDoc int     `json:"max_chunks_per_doc"` // 0: no limit
	Deduplicate     bool    `json:"deduplicate"`
}

// BotLimits bound what visitors may spend. 0 means the installation's default.
type BotLimits struct {
	TurnsPerMinute int `json:"turns_per_minute"` // per visitor
	TurnsPerDay    int `json:"turns_per_day"`    // per visitor
	DailyTurns     int `json:"daily_turns"`      // whole bot, anonymous visitors
	DailyTokens    int `json:"daily_tokens"`     // whole bot
}

// DefaultBotConfig is a bot of which nothing was said.
func DefaultBotConfig() BotConfig {
	return BotConfig{
		MaxTokensPerResponse: 500,
		MaxContextMessages:   20,
		KnowledgeMode:        "managed",
		KnowledgeSettings:    KnowledgeSettings{TopK: 5, ScoreThreshold: 0.3, Deduplicate: true},
		AllowedOrigins:       []string{},
		SuggestedQuestions:   []string{},
		Appearance:           map[string]string{},
		JoinAnonymous:        true,
	}
}

// ShownName is the name that visitors see.
func (c *BotConfig) ShownName() string {
	if c.DisplayName != "" {
		return c.DisplayName
	}
	return c.Name
}

var (
	slugForm  = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$`)
	colorForm = regexp.MustCompile(`^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)
	modelForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]*(?:/[A-Za-z0-9._:@-]+)+$`)
	nameForm  = regexp.MustCompile(`^(?:--scaibot-)?[a-z][a-z0-9-]{0,62}$`)
	localeRE  = regexp.MustCompile(`^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$`)
)

// Validate reports every field that is wrong, as a VALIDATION_ERROR.
func (c *BotConfig) Validate() error {
	var bad []FieldError
	add := func(field, format string, args ...any) {
		bad = append(bad, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	text := func(field, v string, limit int) {
		if n := utf8.RuneCountInString(v); n > limit {
			add(field, "must be at most %d characters, it has %d", limit, n)
		}
	}
	if strings.TrimSpace(c.Name) == "" {
		add("name", "is required")
	}
	text("name", c.Name, 200)
	if !slugForm.MatchString(c.Slug) {
		add("slug", "must be 1–100 lower-case letters, digits and hyphens, with no hyphen at either end")
	}
	if !modelForm.MatchString(c.Model) || len(c.Model) > 200 {
		add("model", "must be provider/model, for example scaigrid/extractive")
	}
	text("display_name", c.DisplayName, 200)
	text("welcome_message", c.WelcomeMessage, 2000)
	text("placeholder_text", c.PlaceholderText, 200)
	text("fallback_message", c.FallbackMessage, 2000)
	text("knowledge_collection_id", c.KnowledgeCollectionID, 100)
	if c.PrimaryColor != "" && !colorForm.MatchString(c.PrimaryColor) {
		add("primary_color", "must be a hex colour such as #4F46E5")
	}
	c.validateNumbers(add)
	c.validateLists(add, text)
	return InvalidFields(bad)
}

func (c *BotConfig) validateNumbers(add func(string, string, ...any)) {
	in := func(field string, v, lo, hi int) {
		if v < lo || v > hi {
			add(field, "must be between %d and %d", lo, hi)
		}
	}
	in("max_tokens_per_response", c.MaxTokensPerResponse, 1, 100_000)
	in("max_context_messages", c.MaxContextMessages, 0, 500)
	in("knowledge_settings.top_k", c.KnowledgeSettings.TopK, 1, 50)
	in("knowledge_settings.max_chunks_per_doc", c.KnowledgeSettings.MaxChunksPerDoc, 0, 50)
	in("retention_days", c.RetentionDays, 0, 36_500)
	in("limits.turns_per_minute", c.Limits.TurnsPerMinute, 0, 1_000_000)
	in("limits.turns_per_day", c.Limits.TurnsPerDay, 0, 1_000_000)
	in("limits.daily_turns", c.Limits.DailyTurns, 0, 1_000_000_000)
	in("limits.daily_tokens", c.Limits.DailyTokens, 0, 1_000_000_000)
	if t := c.KnowledgeSettings.ScoreThreshold; !(t >= 0 && t <= 1) {
		add("knowledge_settings.score_threshold", "must be between 0 and 1")
	}
}

func (c *BotConfig) validateLists(add func(string, string, ...any), text func(string, string, int)) {
	switch c.KnowledgeMode {
	case "managed":
	case "linked":
		add("knowledge_mode", "linked collections are not available yet, use managed")
	default:
		add("knowledge_mode", "must be managed")
	}
	if c.Locale != "" && c.Locale != "auto" && !localeRE.MatchString(c.Locale) {
		add("locale", "must be a language tag such as en or pt-BR")
	}
	if len(c.AllowedOrigins) > 100 {
		add("allowed_origins", "must have at most 100 entries")
	}
	for i, o := range c.AllowedOrigins {
		if err := CheckOriginPattern(o); err != nil {
			add(fmt.Sprintf("allowed_origins[%d]", i), "%s", err.Error())
		}
	}
	if len(c.SuggestedQuestions) > 12 {
		add("suggested_questions", "must have at most 12 entries")
	}
	for i, q := range c.SuggestedQuestions {
		text(fmt.Sprintf("suggested_questions[%d]", i), q, 200)
	}
	if len(c.Appearance) > 100 {
		add("appearance", "must have at most 100 entries")
	}
	for k, v := range c.Appearance {
		if !nameForm.MatchString(k) {
			add("appearance", "has a name that is neither a widget attribute nor a --scaibot- variable")
		}
		text("appearance", v, 500)
	}
}

// CheckOriginPattern says what is wrong with an entry of allowed_origins:
// "https://host[:port]", "https://*.host" or "null".
func CheckOriginPattern(p string) error {
	const form = "must be https://host[:port], https://*.host or null"
	if p == "null" {
		return nil
	}
	u, err := url.Parse(p)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || len(p) > 300 ||
		strings.TrimRight(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s", form)
	}
	if host := strings.TrimPrefix(u.Hostname(), "*."); host == "" || strings.Contains(host, "*") {
		return fmt.Errorf("%s", form)
	}
	return nil
}
