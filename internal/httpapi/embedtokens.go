package httpapi

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
)

// Bounds of what a site says when it mints a token.
const (
	maxVisitorID    = 256 // characters
	maxVisitorText  = 320
	maxMetadata     = 16 << 10 // bytes
	maxMetadataDeep = 64
)

// tokenBody is what a site says of the visitor that a token is for. Each field
// may be null or left out.
type tokenBody struct {
	TTLSeconds     *int64         `json:"ttl_seconds" minimum:"60" maximum:"86400" doc:"How long the token lives. Default: 3600"`
	VisitorID      *visitorID     `json:"visitor_id" doc:"The site's own id of its visitor. Null or empty: anonymous"`
	VisitorEmail   *string        `json:"visitor_email" maxLength:"320" doc:"Kept on the server and shown on conversations; not in the token"`
	VisitorName    *string        `json:"visitor_name" maxLength:"320" doc:"Kept on the server and shown on conversations; not in the token"`
	Metadata       jsontext.Value `json:"metadata" doc:"Any JSON of at most 16 KiB; kept on the server and carried to conversations"`
	AllowedOrigins *[]string      `json:"allowed_origins" maxItems:"8" doc:"Narrows where the token may be used, beside the bot's own list"`
	Preview        *bool          `json:"preview" doc:"Let the token chat with a draft; needs scaibot:bots:update. Such conversations stay out of analytics"`
}

// visitorID is a text, or a whole number kept as its decimal digits.
type visitorID string

// UnmarshalJSON reads a text or a whole number.
func (v *visitorID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		text, err := jsontext.AppendUnquote(nil, b)
		*v = visitorID(text)
		return err
	}
	digits := strings.TrimPrefix(string(b), "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return scaigrid.Errorf(scaigrid.CodeValidation, "must be a text or a whole number")
	}
	*v = visitorID(b)
	return nil
}

// Schema describes the type in the OpenAPI document.
func (visitorID) Schema(huma.Registry) *huma.Schema {
	lo, hi := 1, maxVisitorID
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: "string", MaxLength: &hi}, {Type: "integer"}, {Type: "null"}}, MinLength: &lo}
}

// tokenView is a fresh token.
type tokenView struct {
	Token      string    `json:"token" doc:"Give it to the widget of this visitor, and to nobody else"`
	ExpiresAt  time.Time `json:"expires_at" format:"date-time"`
	TTLSeconds int64     `json:"ttl_seconds"`
	TokenID    string    `json:"token_id" doc:"By which the token can be revoked"`
}

// appendReply writes the envelope of a fresh token. Every page view of a site
// comes through here, which is why it is not left to a general encoder; none
// of the texts holds a character that JSON would escape.
func (v *tokenView) appendReply(b []byte, requestID string) []byte {
	b = append(b, `{"status":"ok","data":{"token":"`...)
	b = append(b, v.Token...)
	b = append(b, `","expires_at":"`...)
	b = v.ExpiresAt.AppendFormat(b, time.RFC3339)
	b = append(b, `","ttl_seconds":`...)
	b = strconv.AppendInt(b, v.TTLSeconds, 10)
	b = append(b, `,"token_id":"`...)
	b = append(b, v.TokenID...)
	b = append(b, `"},"meta":{"request_id":"`...)
	b = append(b, requestID...)
	return append(b, `"}}`...)
}

// mintReply answers a mint.
func (s *Server) mintReply(c *call) error {
	in := new(tokenBody)
	if err := c.takeJSON(in); err != nil {
		return err
	}
	v, err := s.mintToken(c, in)
	if err != nil {
		return err
	}
	c.w.Header()["Cache-Control"] = noStore
	c.send(c.route.status, s.jsonType, v.appendReply(make([]byte, 0, 1<<10), c.id))
	return nil
}

func (s *Server) mintToken(c *call, in *tokenBody) (tokenView, error) {
	bot, err := s.botToMint(c)
	if err != nil {
		return tokenView{}, err
	}
	req, err := in.request(c)
	if err != nil {
		return tokenView{}, err
	}
	subject, err := s.visitors.subject(c.ctx(), bot, &req, c.began)
	if err != nil {
		return tokenView{}, err
	}
	m, err := s.tokens.Mint(auth.Order{
		TenantID: bot.TenantID, BotID: bot.ID, Subject: subject, Anonymous: req.externalID == "", Preview: req.preview,
		SeePrompt: req.seePrompt, Origins: req.origins, KeyID: c.caller.KeyID, TTL: req.ttl,
	})
	if err != nil {
		return tokenView{}, err
	}
	return tokenView{Token: m.Token.Reveal(), ExpiresAt: m.ExpiresAt, TTLSeconds: int64(m.TTL / time.Second), TokenID: m.TokenID}, nil
}

// botToMint returns the bot in the path, archived ones not.
func (s *Server) botToMint(c *call) (*scaigrid.Bot, error) {
	id, err := c.pathBot()
	if err != nil {
		return nil, err
	}
	bot, err := s.bots.get(c.ctx(), id, c.began)
	if err != nil {
		return nil, err
	}
	if bot.TenantID != c.caller.TenantID {
		return nil, scaigrid.NotFound()
	}
	if bot.Status == scaigrid.BotArchived {
		return nil, scaigrid.Errorf(scaigrid.CodeBotNotActive, "This bot is archived. Make it active to mint tokens for it: PATCH %s/%s/status.", botPath, id)
	}
	return bot.Bot, nil
}

// mintRequest is a checked tokenBody.
type mintRequest struct {
	ttl                time.Duration
	externalID         string // the site's id; "": anonymous
	email, name        string
	metadata           []byte // compact JSON; nil for none
	origins            []string
	preview, seePrompt bool
}

// request checks the form of every field and reports all that are wrong.
func (in *tokenBody) request(c *call) (mintRequest, error) {
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	r := mintRequest{ttl: auth.DefaultTTL, email: deref(in.VisitorEmail), name: deref(in.VisitorName)}
	if t := in.TTLSeconds; t != nil {
		if auth.CheckTTL(*t) != nil {
			add("ttl_seconds", "must be between 60 and 86400")
		}
		r.ttl = time.Duration(*t) * time.Second
	}
	if in.VisitorID != nil {
		r.externalID = string(*in.VisitorID)
		if msg := checkVisitorID(r.externalID); msg != "" {
			add("visitor_id", msg)
		}
	}
	for field, v := range map[string]string{"visitor_email": r.email, "visitor_name": r.name} {
		if utf8.RuneCountInString(v) > maxVisitorText {
			add(field, "must be at most 320 characters")
		}
	}
	var msg string
	if r.metadata, msg = compactMetadata(in.Metadata); msg != "" {
		add("metadata", msg)
	}
	if in.AllowedOrigins != nil {
		r.origins = *in.AllowedOrigins
		bad = append(bad, checkOrigins(r.origins)...)
	}
	if err := scaigrid.InvalidFields(bad); err != nil {
		return r, err
	}
	if in.Preview != nil && *in.Preview {
		if !c.caller.May(scaigrid.PermBotsUpdate) {
			return r, scaigrid.Errorf(scaigrid.CodePermissionDenied, "A preview token needs the permission %s, which the credential does not carry.", scaigrid.PermBotsUpdate)
		}
		r.preview, r.seePrompt = true, c.caller.May(scaigrid.PermConversationsRead)
	}
	return r, nil
}

// checkVisitorID refuses what would make two ids that look alike: the bytes decide.
func checkVisitorID(id string) string {
	if utf8.RuneCountInString(id) > maxVisitorID {
		return "must be at most 256 characters"
	}
	for _, r := range id {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return "must not hold control characters or characters without width"
		}
	}
	return ""
}

func checkOrigins(list []string) []scaigrid.FieldError {
	var bad []scaigrid.FieldError
	if len(list) > auth.MaxTokenOrigins {
		return []scaigrid.FieldError{{Field: "allowed_origins", Message: "must have at most 8 entries"}}
	}
	for i, o := range list {
		if _, err := auth.CanonicalOriginPattern(o); err != nil {
			bad = append(bad, scaigrid.FieldError{Field: "allowed_origins[" + strconv.Itoa(i) + "]", Message: "must be https://host[:port], https://*.host or null"})
		}
	}
	return bad
}

// compactMetadata checks metadata and takes the white space out. nil is none.
func compactMetadata(v jsontext.Value) (compact []byte, msg string) {
	if v == nil || v.Kind() == 'n' {
		return nil, ""
	}
	v = v.Clone()
	if err := v.Compact(); err != nil {
		return nil, "is not valid JSON"
	}
	if len(v) > maxMetadata {
		return nil, "must be at most 16 KiB of JSON"
	}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		if _, err := d.ReadToken(); err != nil {
			return v, ""
		}
		if d.StackDepth() > maxMetadataDeep {
			return nil, "must not be nested more than 64 levels deep"
		}
	}
}

// revokeBody names the tokens to end: one of the four.
type revokeBody struct {
	Token     *string    `json:"token" doc:"The token itself"`
	TokenID   *string    `json:"token_id" doc:"The token_id that came with it"`
	VisitorID *visitorID `json:"visitor_id" doc:"All tokens of this visitor"`
	All       *bool      `json:"all" doc:"true: all tokens of the bot"`
}

// revokedView says since when the tokens are refused.
type revokedView struct {
	RevokedAt time.Time `json:"revoked_at" doc:"Tokens minted up to then are refused: here at once, on every node and in running streams within 5 seconds"`
}

func (s *Server) revokeTokens(c *call, in *revokeBody) (revokedView, error) {
	bot, err := s.pathBotRow(c)
	if err != nil {
		return revokedView{}, err
	}
	given := 0
	for _, g := range []bool{in.Token != nil, in.TokenID != nil, in.VisitorID != nil, in.All != nil} {
		if g {
			given++
		}
	}
	if given != 1 {
		return revokedView{}, scaigrid.Invalid("body", "must hold one of token, token_id, visitor_id and all")
	}
	return revokedView{RevokedAt: c.began.UTC()}, s.endTokens(c, in, bot)
}

// endTokens revokes the tokens that are meant.
func (s *Server) endTokens(c *call, in *revokeBody, bot *scaigrid.Bot) error {
	ctx, r := c.ctx(), s.revocations
	switch {
	case in.Token != nil:
		p, err := s.tokens.Read(ctx, *in.Token)
		if err != nil || p.BotID != bot.ID || p.TenantID != bot.TenantID {
			return scaigrid.Invalid("token", "is not a token of this bot")
		}
		return r.RevokeToken(ctx, bot.TenantID, bot.ID, p.TokenID)
	case in.TokenID != nil:
		if !scaigrid.IsID(scaigrid.KindToken, *in.TokenID) {
			return scaigrid.Invalid("token_id", "must be the token_id of a token, tok_…")
		}
		return r.RevokeToken(ctx, bot.TenantID, bot.ID, *in.TokenID)
	case in.VisitorID != nil:
		v, err := s.store.VisitorByExternalID(ctx, bot.ID, string(*in.VisitorID))
		if err != nil {
			return err
		}
		return r.RevokeVisitor(ctx, bot.TenantID, bot.ID, v.ID)
	case *in.All:
		return r.RevokeBot(ctx, bot.TenantID, bot.ID)
	}
	return scaigrid.Invalid("all", "must be true")
}

// tokenRows are the rows about embed tokens.
func (s *Server) tokenRows() []route {
	row := staffRow("Embedding")
	mint := served{in: reflect.TypeFor[tokenBody](), out: reflect.TypeFor[tokenView](), empty: true, handle: s.mintReply}
	return []route{
		row("POST", botPath+"/{bot}/embed-token", "mintEmbedToken", "Mint a token for one visitor of a page", scaigrid.PermEmbedIssue, mint).
			counted(limitMint).quietly().fails(scaigrid.CodeBotNotActive).
			explained("Call it from your server, for each visitor anew; the token goes to the widget. An anonymous mint writes nothing."),
		row("POST", botPath+"/{bot}/embed-tokens/revoke", "revokeEmbedTokens", "End tokens before their time, running streams included", scaigrid.PermEmbedRevoke, write(s.revokeTokens)),
	}
}
