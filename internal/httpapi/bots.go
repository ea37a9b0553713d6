package httpapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
)

// botBody is what an operator says of a bot. Whatever is left out or null has
// its default, also when a bot is replaced.
type botBody struct {
	Name                  *string            `json:"name" required:"true" minLength:"1" maxLength:"200" doc:"For the operator; visitors see it where display_name is not set"`
	Slug                  *string            `json:"slug" required:"true" maxLength:"100" doc:"Lower-case letters, digits and hyphens; unique in the tenant"`
	Model                 *string            `json:"model" required:"true" maxLength:"200" doc:"A slug of GET /v1/models, such as scaigrid/extractive"`
	DisplayName           *string            `json:"display_name" maxLength:"200" doc:"Default: name"`
	WelcomeMessage        *string            `json:"welcome_message" maxLength:"2000" doc:"The first message that a visitor sees"`
	PlaceholderText       *string            `json:"placeholder_text" maxLength:"200" doc:"In the empty input field"`
	PrimaryColor          *string            `json:"primary_color" doc:"Hex colour such as #4F46E5"`
	MaxTokensPerResponse  *int               `json:"max_tokens_per_response" minimum:"1" maximum:"100000" doc:"Default: 500"`
	MaxContextMessages    *int               `json:"max_context_messages" minimum:"0" maximum:"500" doc:"How many earlier messages the model is shown. Default: 20"`
	KnowledgeEnabled      *bool              `json:"knowledge_enabled" doc:"Answer from the bot's documents. Default: false"`
	KnowledgeMode         *string            `json:"knowledge_mode" enum:"managed" doc:"managed: documents belong to the bot"`
	KnowledgeCollectionID *string            `json:"knowledge_collection_id" maxLength:"100" doc:"For linked knowledge, which this release does not have"`
	KnowledgeSettings     *knowledgeBody     `json:"knowledge_settings" required:"false"`
	AllowedOrigins        *[]string          `json:"allowed_origins" maxItems:"100" doc:"Sites that may show the bot: https://host[:port], https://*.host or null. Empty: any site"`
	IdentityRequired      *bool              `json:"identity_required" doc:"Refuse visitors whose token was minted without visitor_id. Default: false"`
	JoinAnonymous         *bool              `json:"join_anonymous" doc:"An anonymous conversation follows a visitor who signs in. Default: true"`
	SuggestedQuestions    *[]string          `json:"suggested_questions" maxItems:"12" doc:"Offered before the first message, 200 characters each"`
	Appearance            *map[string]string `json:"appearance" doc:"Widget attributes without data- and --scaibot- variables, with their values"`
	Locale                *string            `json:"locale" doc:"Language tag such as en or pt-BR; auto or empty: the page's"`
	RetentionDays         *int               `json:"retention_days" minimum:"0" maximum:"36500" doc:"Conversations are deleted after so many days without a message. Default: 0, kept"`
	FallbackMessage       *string            `json:"fallback_message" maxLength:"2000" doc:"Said instead of the built-in sentence where the documents hold no answer"`
	Limits                *limitsBody        `json:"limits" required:"false"`
}

// newBotBody is botBody with the state that a new bot begins in.
type newBotBody struct {
	botBody
	Status *scaigrid.BotStatus `json:"status" enum:"draft,active,archived" doc:"Default: draft, which answers preview tokens only"`
}

type knowledgeBody struct {
	TopK            *int     `json:"top_k" minimum:"1" maximum:"50" doc:"Passages that an answer may use. Default: 5"`
	ScoreThreshold  *float64 `json:"score_threshold" minimum:"0" maximum:"1" doc:"Passages that score lower are not used. Default: 0.3"`
	MaxChunksPerDoc *int     `json:"max_chunks_per_doc" minimum:"0" maximum:"50" doc:"Passages of one document. Default: 0, any number"`
	Deduplicate     *bool    `json:"deduplicate" doc:"Leave out passages that say the same. Default: true"`
}

type limitsBody struct {
	TurnsPerMinute *int `json:"turns_per_minute" minimum:"0" maximum:"1000000" doc:"Of one visitor. 0: the installation's default"`
	TurnsPerDay    *int `json:"turns_per_day" minimum:"0" maximum:"1000000" doc:"Of one visitor. 0: the installation's default"`
	DailyTurns     *int `json:"daily_turns" minimum:"0" maximum:"1000000000" doc:"Of all anonymous visitors. 0: the installation's default"`
	DailyTokens    *int `json:"daily_tokens" minimum:"0" maximum:"1000000000" doc:"Model tokens of the whole bot. 0: the installation's default"`
}

// set puts v into *to, where it was given.
func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// config makes the bot of which this was said, defaults filled in.
func (b *botBody) config() scaigrid.BotConfig {
	c := scaigrid.DefaultBotConfig()
	set(&c.Name, b.Name)
	set(&c.Slug, b.Slug)
	set(&c.Model, b.Model)
	set(&c.DisplayName, b.DisplayName)
	set(&c.WelcomeMessage, b.WelcomeMessage)
	set(&c.PlaceholderText, b.PlaceholderText)
	set(&c.PrimaryColor, b.PrimaryColor)
	set(&c.MaxTokensPerResponse, b.MaxTokensPerResponse)
	set(&c.MaxContextMessages, b.MaxContextMessages)
	set(&c.KnowledgeEnabled, b.KnowledgeEnabled)
	set(&c.KnowledgeMode, b.KnowledgeMode)
	set(&c.KnowledgeCollectionID, b.KnowledgeCollectionID)
	if k := b.KnowledgeSettings; k != nil {
		set(&c.KnowledgeSettings.TopK, k.TopK)
		set(&c.KnowledgeSettings.ScoreThreshold, k.ScoreThreshold)
		set(&c.KnowledgeSettings.MaxChunksPerDoc, k.MaxChunksPerDoc)
		set(&c.KnowledgeSettings.Deduplicate, k.Deduplicate)
	}
	set(&c.AllowedOrigins, b.AllowedOrigins)
	set(&c.IdentityRequired, b.IdentityRequired)
	set(&c.JoinAnonymous, b.JoinAnonymous)
	set(&c.SuggestedQuestions, b.SuggestedQuestions)
	set(&c.Appearance, b.Appearance)
	set(&c.Locale, b.Locale)
	set(&c.RetentionDays, b.RetentionDays)
	set(&c.FallbackMessage, b.FallbackMessage)
	if l := b.Limits; l != nil {
		set(&c.Limits.TurnsPerMinute, l.TurnsPerMinute)
		set(&c.Limits.TurnsPerDay, l.TurnsPerDay)
		set(&c.Limits.DailyTurns, l.DailyTurns)
		set(&c.Limits.DailyTokens, l.DailyTokens)
	}
	return c
}

// botView is a bot as staff sees it.
type botView struct {
	ID       string             `json:"id"`
	TenantID string             `json:"tenant_id"`
	Status   scaigrid.BotStatus `json:"status" enum:"draft,active,archived"`
	Version  int64              `json:"version" doc:"Grows with every change; also the ETag"`
	scaigrid.BotConfig
	KnowledgeCollectionID *string   `json:"knowledge_collection_id"` // in place of the one in BotConfig
	CreatedAt             time.Time `json:"created_at"`
	UpdatedAt             time.Time `json:"updated_at"`
}

func viewBot(b *scaigrid.Bot) botView {
	v := botView{
		ID: b.ID, TenantID: b.TenantID, Status: b.Status, Version: b.Version, BotConfig: b.BotConfig,
		KnowledgeCollectionID: orNull(b.KnowledgeCollectionID), CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt,
	}
	v.DisplayName = b.ShownName()
	return v
}

// botQuery narrows the list of bots.
type botQuery struct {
	Status string `query:"status" enum:"draft,active,archived" doc:"Only bots in this state"`
}

func (s *Server) listBots(c *call, q *botQuery, page scaigrid.PageRequest) ([]botView, scaigrid.PageResult, error) {
	status := scaigrid.BotStatus(q.Status)
	if q.Status != "" && !status.Valid() {
		return nil, scaigrid.PageResult{}, scaigrid.Invalid("query.status", "must be draft, active or archived")
	}
	bots, next, err := s.store.Bots(c.ctx(), c.caller.TenantID, store.BotFilter{BotIDs: c.caller.BotIDs, Status: status}, page)
	if err != nil {
		return nil, next, err
	}
	out := make([]botView, len(bots))
	for i := range bots {
		out[i] = viewBot(&bots[i])
	}
	return out, next, nil
}

func (s *Server) createBot(c *call, in *newBotBody) (botView, error) {
	if len(c.caller.BotIDs) > 0 {
		return botView{}, scaigrid.Errorf(scaigrid.CodeInsufficientScope, "This key is narrowed to certain bots and cannot make another one.")
	}
	b := &scaigrid.Bot{
		ID: scaigrid.NewID(scaigrid.KindBot, c.began), TenantID: c.caller.TenantID, Status: scaigrid.BotDraft, Version: 1,
		BotConfig: in.config(), CreatedAt: c.began, UpdatedAt: c.began,
	}
	set(&b.Status, in.Status)
	if err := s.checkBot(c, &b.BotConfig, b.Status, ""); err != nil {
		return botView{}, err
	}
	if err := s.store.CreateBot(c.ctx(), b, c.caller.UserID); err != nil {
		return botView{}, err
	}
	c.setVersion(b.Version)
	c.w.Header().Set("Location", "/v1/modules/scaibot/bots/"+b.ID)
	return viewBot(b), nil
}

// checkBot reports what is wrong with a bot's settings, all fields at once. A
// model that the bot has already is not asked for again, so that a bot can be
// mended while its provider is away.
func (s *Server) checkBot(c *call, cfg *scaigrid.BotConfig, status scaigrid.BotStatus, model string) error {
	err := cfg.Validate()
	if !status.Valid() {
		bad := scaigrid.FieldError{Field: "status", Message: "must be draft, active or archived"}
		if e := scaigrid.AsError(err); err != nil {
			return scaigrid.InvalidFields(append(slices.Clone(e.Details), bad))
		}
		return scaigrid.InvalidFields([]scaigrid.FieldError{bad})
	}
	if err != nil || cfg.Model == model {
		return err
	}
	return s.models.CheckModel(c.ctx(), cfg.Model)
}

func (s *Server) readBot(c *call) (botView, error) {
	id, err := c.pathBot()
	if err != nil {
		return botView{}, err
	}
	b, err := s.store.Bot(c.ctx(), c.caller.TenantID, id)
	if err != nil {
		return botView{}, err
	}
	c.setVersion(b.Version)
	return viewBot(b), nil
}

func (s *Server) replaceBot(c *call, in *botBody) (botView, error) {
	cfg := in.config()
	return s.changeBot(c, func(id string, version int64) (*scaigrid.Bot, error) {
		old, err := s.store.Bot(c.ctx(), c.caller.TenantID, id)
		if err != nil {
			return nil, err
		}
		if err := s.checkBot(c, &cfg, old.Status, old.Model); err != nil {
			return nil, err
		}
		return s.store.ReplaceBot(c.ctx(), c.caller.TenantID, id, cfg, "", version, c.caller.UserID, c.began)
	})
}

// statusBody moves a bot to another state.
type statusBody struct {
	Status scaigrid.BotStatus `json:"status" required:"true" enum:"draft,active,archived"`
}

func (s *Server) setBotStatus(c *call, in *statusBody) (botView, error) {
	return s.changeBot(c, func(id string, version int64) (*scaigrid.Bot, error) {
		if !in.Status.Valid() {
			if _, err := s.store.Bot(c.ctx(), c.caller.TenantID, id); err != nil {
				return nil, err
			}
			return nil, scaigrid.Invalid("status", "must be draft, active or archived")
		}
		return s.store.SetBotStatus(c.ctx(), c.caller.TenantID, id, in.Status, version, c.caller.UserID, c.began)
	})
}

// changeBot runs a change of the bot in the path under the caller's If-Match.
func (s *Server) changeBot(c *call, change func(id string, version int64) (*scaigrid.Bot, error)) (botView, error) {
	id, err := c.pathBot()
	if err != nil {
		return botView{}, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return botView{}, err
	}
	b, err := change(id, version)
	if err != nil {
		return botView{}, c.conflict(err, s.botVersion(c, id))
	}
	s.bots.forget(id)
	c.setVersion(b.Version)
	return viewBot(b), nil
}

func (s *Server) botVersion(c *call, id string) func() (int64, error) {
	return func() (int64, error) {
		b, err := s.store.Bot(c.ctx(), c.caller.TenantID, id)
		if err != nil {
			return 0, err
		}
		return b.Version, nil
	}
}

func (s *Server) deleteBot(c *call) (deleted, error) {
	id, err := c.pathBot()
	if err != nil {
		return deleted{}, err
	}
	version, err := c.ifMatch()
	if err != nil {
		return deleted{}, err
	}
	if err := s.store.DeleteBot(c.ctx(), c.caller.TenantID, id, version, c.began); err != nil {
		return deleted{}, c.conflict(err, s.botVersion(c, id))
	}
	s.bots.forget(id)
	return deleted{ID: id, Deleted: true}, nil
}

// botRows are the rows about bots themselves.
func (s *Server) botRows() []route {
	const path = botPath
	row := staffRow("Bots")
	return []route{
		row("GET", path, "listBots", "List bots, newest first", scaigrid.PermBotsRead, list(s.listBots)),
		row("POST", path, "createBot", "Make a bot", scaigrid.PermBotsCreate, write(s.createBot)).
			answers(http.StatusCreated).fails(scaigrid.CodeSlugConflict, scaigrid.CodeModelNotFound),
		row("GET", path+"/{bot}", "readBot", "Read a bot", scaigrid.PermBotsRead, read(s.readBot)),
		row("PUT", path+"/{bot}", "replaceBot", "Replace a bot's settings; what is left out returns to its default", scaigrid.PermBotsUpdate, write(s.replaceBot)).
			versioned().fails(scaigrid.CodeSlugConflict, scaigrid.CodeModelNotFound),
		row("PATCH", path+"/{bot}/status", "setBotStatus", "Make a bot a draft, active or archived", scaigrid.PermBotsUpdate, write(s.setBotStatus)).
			versioned(),
		row("DELETE", path+"/{bot}", "deleteBot", "Delete a bot with its documents; its conversations stay, without their visitors", scaigrid.PermBotsDelete, read(s.deleteBot)).
			versioned(),
	}
}
