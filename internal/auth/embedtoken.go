package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// The bounds of an embed token.
const (
	DefaultTTL = time.Hour
	MinTTL     = 60 * time.Second
	MaxTTL     = 24 * time.Hour
	Leeway     = 30 * time.Second // by which clocks may disagree, both ways

	MaxTokenBytes   = 4096
	MaxTokenOrigins = 8
)

// The header of every embed token, byte for byte. Its segment is compared as a
// whole, so no algorithm, key address or critical member of a caller is ever
// looked at.
const (
	headerBefore = `{"alg":"HS256","typ":"embed+jwt","kid":"`
	headerAfter  = `"}`
	audience     = "chat"
	kidLength    = 12
)

// claims is the payload of an embed token. It is readable by the visitor and by
// every script of the page, so it names nobody.
type claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"`
	Tenant    string   `json:"ten"`
	Bot       string   `json:"bot"`
	Subject   string   `json:"sub"`
	Anonymous bool     `json:"anon"`
	ID        string   `json:"jti"`
	IssuedAt  int64    `json:"iat"`
	ExpiresAt int64    `json:"exp"`
	Key       string   `json:"key,omitzero"`
	Origins   []string `json:"org,omitzero"`
	Preview   bool     `json:"pvw,omitzero"`
	SeePrompt bool     `json:"spr,omitzero"`
}

// Order is what a token is minted for.
type Order struct {
	TenantID  string
	BotID     string
	Subject   string // "vis_…"; "": a fresh anonymous visitor
	Anonymous bool   // no site vouched for the subject
	Preview   bool
	SeePrompt bool
	Origins   []string      // at most 8 patterns; empty: the bot's own list decides
	KeyID     string        // the API key that asks; "" where none does
	TTL       time.Duration // whole seconds, 60 s to 24 h; 0: one hour
}

// Minted is a fresh embed token.
type Minted struct {
	Token     Credential
	TokenID   string
	Subject   string
	TTL       time.Duration
	ExpiresAt time.Time
}

// EmbedTokens mints and checks embed tokens: compact JWS, HS256, signed with
// keys that all nodes share through the store.
type EmbedTokens struct {
	ring    *keyRing
	revoked *Revocations
	issuer  string
	clock   func() time.Time
}

// CheckTTL says what is wrong with a lifetime in seconds, as a
// VALIDATION_ERROR of ttl_seconds.
func CheckTTL(seconds int64) error {
	if lowest, highest := int64(MinTTL/time.Second), int64(MaxTTL/time.Second); seconds < lowest || seconds > highest {
		return scaigrid.Invalid("ttl_seconds", "must be between %d and %d", lowest, highest)
	}
	return nil
}

// Mint signs a token; it does no I/O. One that would be born revoked begins
// (and ends) a second later. Errors: VALIDATION_ERROR of ttl_seconds or
// allowed_origins.
func (t *EmbedTokens) Mint(o Order) (Minted, error) {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	ttl := int64(o.TTL / time.Second)
	if err := CheckTTL(ttl); err != nil {
		return Minted{}, err
	}
	origins, err := canonicalOrigins(o.Origins)
	if err != nil {
		return Minted{}, err
	}
	now := t.clock()
	key, err := t.ring.current(now)
	if err != nil {
		return Minted{}, scaigrid.AsError(fmt.Errorf("mint an embed token: %w", err))
	}
	if o.Subject == "" {
		o.Subject, o.Anonymous = scaigrid.NewID(scaigrid.KindVisitor, now), true
	}
	issued := max(now.Unix(), t.revoked.firstValid(o.BotID, o.Subject))
	c := claims{
		Issuer: t.issuer, Audience: audience, Tenant: o.TenantID, Bot: o.BotID, Subject: o.Subject, Anonymous: o.Anonymous,
		ID: scaigrid.NewID(scaigrid.KindToken, now), IssuedAt: issued, ExpiresAt: issued + ttl, Key: o.KeyID,
		Origins: origins, Preview: o.Preview, SeePrompt: o.SeePrompt,
	}
	token, err := c.sign(key)
	if err != nil {
		return Minted{}, err
	}
	return Minted{
		Token: Credential{token}, TokenID: c.ID, Subject: c.Subject,
		TTL: time.Duration(ttl) * time.Second, ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC(),
	}, nil
}

func canonicalOrigins(patterns []string) ([]string, error) {
	if len(patterns) > MaxTokenOrigins {
		return nil, scaigrid.Invalid("allowed_origins", "must have at most %d entries", MaxTokenOrigins)
	}
	var out []string
	for i, p := range patterns {
		one, err := CanonicalOriginPattern(p)
		if err != nil {
			return nil, scaigrid.Invalid(fmt.Sprintf("allowed_origins[%d]", i), "%s", err)
		}
		out = append(out, one)
	}
	return out, nil
}

func (c *claims) sign(key *signer) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", scaigrid.AsError(fmt.Errorf("mint an embed token: %w", err))
	}
	b := make([]byte, 0, len(key.header)+2+strict64.EncodedLen(len(payload))+43)
	b = append(b, key.header...)
	b = append(b, '.')
	b = strict64.AppendEncode(b, payload)
	mac := key.sign(b)
	b = append(b, '.')
	b = strict64.AppendEncode(b, mac[:])
	if len(b) > MaxTokenBytes {
		return "", scaigrid.Invalid("allowed_origins", "is too long for a token: it may have %d bytes", MaxTokenBytes)
	}
	return string(b), nil
}

// Verify checks a token and returns what it says. Whether bot and page are the
// right ones is the caller's question.
//
// Errors: AUTH_TOKEN_INVALID for anything that we did not mint,
// EMBED_TOKEN_EXPIRED, EMBED_TOKEN_REVOKED; STORAGE_ERROR where a new key had to
// be looked up and could not be.
func (t *EmbedTokens) Verify(ctx context.Context, token string) (scaigrid.Pass, error) {
	pass, err := t.Read(ctx, token)
	if err != nil {
		return scaigrid.Pass{}, err
	}
	if t.clock().Unix() >= pass.ExpiresAt+int64(Leeway/time.Second) {
		return scaigrid.Pass{}, scaigrid.Errorf(scaigrid.CodeEmbedTokenExpired, "The embed token has expired. Fetch a fresh one from your token endpoint and send the request again.")
	}
	if t.revoked.Revoked(pass) {
		return scaigrid.Pass{}, scaigrid.Errorf(scaigrid.CodeEmbedTokenRevoked, "The embed token was revoked. Fetch a fresh one from your token endpoint.")
	}
	return pass, nil
}

// Rotate adds a signing key. The old one signs until every node knows the new
// one, and verifies until the last token that it signed has died.
func (t *EmbedTokens) Rotate(ctx context.Context) error { return t.ring.rotate(ctx) }

// RotateNow adds a signing key and drops all others: every embed token of the
// installation ends, here at once and elsewhere within seconds. It is for a
// database or an installation secret that others may have read.
func (t *EmbedTokens) RotateNow(ctx context.Context) error { return t.ring.replaceAll(ctx) }

// Read checks that a token is one of ours and returns what it says, also
// when it has expired or was revoked: for those who revoke it, never to let it in.
func (t *EmbedTokens) Read(ctx context.Context, token string) (scaigrid.Pass, error) {
	payload, err := t.payload(ctx, token)
	if err != nil {
		return scaigrid.Pass{}, err
	}
	var c claims
	// This decoder refuses duplicate members, other spellings of a name, wrong
	// types, numbers out of range and bytes that are not UTF-8.
	if err := json.Unmarshal(payload, &c, json.RejectUnknownMembers(true)); err != nil {
		return scaigrid.Pass{}, tokenInvalid("claims")
	}
	if bad := c.fault(t.issuer, t.clock()); bad != "" {
		return scaigrid.Pass{}, tokenInvalid(bad)
	}
	return scaigrid.Pass{
		TokenID: c.ID, TenantID: c.Tenant, BotID: c.Bot, Subject: c.Subject, Anonymous: c.Anonymous, Preview: c.Preview,
		SeePrompt: c.SeePrompt, Origins: c.Origins, KeyID: c.Key, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt,
	}, nil
}

// payload returns the claims of a token whose signature holds. Nothing of them
// is read before.
func (t *EmbedTokens) payload(ctx context.Context, token string) ([]byte, error) {
	if len(token) > MaxTokenBytes {
		return nil, tokenInvalid("length")
	}
	header, rest, ok := strings.Cut(token, ".")
	body, signature, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || strings.Contains(signature, ".") {
		return nil, tokenInvalid("form")
	}
	key, err := t.ring.byHeader(ctx, header)
	if err != nil {
		return nil, storageError(err)
	}
	if key == nil {
		return nil, tokenInvalid("header")
	}
	given, ok := decodeBase64(signature)
	if !ok {
		return nil, tokenInvalid("signature")
	}
	want := key.sign([]byte(token[:len(header)+1+len(body)]))
	if subtle.ConstantTimeCompare(given, want[:]) != 1 {
		return nil, tokenInvalid("signature")
	}
	payload, ok := decodeBase64(body)
	if !ok {
		return nil, tokenInvalid("claims")
	}
	return payload, nil
}

// fault names the first claim that is wrong; "" where none is.
func (c *claims) fault(issuer string, now time.Time) string {
	leeway := int64(Leeway / time.Second)
	switch {
	case c.Issuer != issuer:
		return "iss"
	case c.Audience != audience:
		return "aud"
	case c.Tenant == "":
		return "ten"
	case !scaigrid.IsID(scaigrid.KindBot, c.Bot):
		return "bot"
	case !scaigrid.IsID(scaigrid.KindVisitor, c.Subject):
		return "sub"
	case !scaigrid.IsID(scaigrid.KindToken, c.ID):
		return "jti"
	case c.IssuedAt <= 0 || c.IssuedAt > now.Unix()+leeway:
		return "iat"
	case c.ExpiresAt <= c.IssuedAt || c.ExpiresAt-c.IssuedAt > int64(MaxTTL/time.Second):
		return "exp"
	case len(c.Origins) > MaxTokenOrigins || slices.Contains(c.Origins, ""):
		return "org"
	}
	return ""
}

// headerIsOurs tells whether a first segment is that of a key that may be ours.
func headerIsOurs(segment string) bool {
	if len(segment) != strict64.EncodedLen(len(headerBefore)+kidLength+len(headerAfter)) {
		return false
	}
	raw, ok := decodeBase64(segment)
	if !ok {
		return false
	}
	kid, before := strings.CutPrefix(string(raw), headerBefore)
	kid, after := strings.CutSuffix(kid, headerAfter)
	return before && after && isBase62(kid)
}

// tokenInvalid is the one answer for a token that is not ours; what was wrong
// with it is for the log alone.
func tokenInvalid(part string) error {
	return scaigrid.Errorf(scaigrid.CodeTokenInvalid, "The embed token is not valid. Fetch a fresh one from your token endpoint.").
		Because(fmt.Errorf("embed token: %s", part))
}

// storageError keeps an error that has a code, and gives any other STORAGE_ERROR.
func storageError(err error) error {
	if code := scaigrid.ErrorCode(err); code != scaigrid.CodeInternal {
		return err
	}
	e := scaigrid.Errorf(scaigrid.CodeStorage, "The database could not be asked. Try again in a moment.").Because(err)
	e.Retryable = true
	return e
}
