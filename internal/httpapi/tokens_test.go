package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	json2 "github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

func TestMint(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	mint := bots + "/{bot}/embed-token"
	long := strings.Repeat("ä", 256)
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{
			name: "Flask, anonymous", method: "POST", path: mint, body: `{"ttl_seconds":3600,"visitor_id":null,"visitor_email":null,"metadata":null}`, status: 200,
			has: []string{`"token":"`, `"expires_at":"`, `"ttl_seconds":3600`, `"token_id":"tok_`},
		},
		{name: "Express, anonymous", method: "POST", path: mint, body: `{"ttl_seconds":3600}`, status: 200},
		{name: "integer id", method: "POST", path: mint, body: `{"visitor_id":42,"visitor_email":"a@b.c","metadata":{"plan":"pro"}}`, status: 200},
		{name: "nothing at all", method: "POST", path: mint, status: 200, has: []string{`"ttl_seconds":3600`}},
		{name: "empty texts", method: "POST", path: mint, body: `{"visitor_id":"","visitor_email":"","visitor_name":""}`, status: 200},
		{name: "longest id", method: "POST", path: mint, body: `{"visitor_id":"` + long + `"}`, status: 200},
		{name: "any e-mail", method: "POST", path: mint, body: `{"visitor_id":"a","visitor_email":"not an address"}`, status: 200},
		{name: "any metadata", method: "POST", path: mint, body: `{"visitor_id":"a","metadata":[1,"x",{"__proto__":null}]}`, status: 200},
		{name: "shortest", method: "POST", path: mint, body: `{"ttl_seconds":60}`, status: 200, has: []string{`"ttl_seconds":60`}},
		{name: "longest", method: "POST", path: mint, body: `{"ttl_seconds":86400}`, status: 200},
		{name: "origins", method: "POST", path: mint, body: `{"allowed_origins":["https://shop.example"]}`, status: 200},
		{name: "59 s", method: "POST", path: mint, body: `{"ttl_seconds":59}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "0 s", method: "POST", path: mint, body: `{"ttl_seconds":0}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "-1 s", method: "POST", path: mint, body: `{"ttl_seconds":-1}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "86401 s", method: "POST", path: mint, body: `{"ttl_seconds":86401}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "1e9 s", method: "POST", path: mint, body: `{"ttl_seconds":1e9}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "2^63 s", method: "POST", path: mint, body: `{"ttl_seconds":9223372036854775808}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "2^54 s", method: "POST", path: mint, body: `{"ttl_seconds":18014398509481984}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "text for s", method: "POST", path: mint, body: `{"ttl_seconds":"3600"}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "fraction of s", method: "POST", path: mint, body: `{"ttl_seconds":3600.5}`, status: 422, code: bad, field: "ttl_seconds"},
		{name: "id too long", method: "POST", path: mint, body: `{"visitor_id":"` + long + `a"}`, status: 422, code: bad, field: "visitor_id"},
		{name: "zero width", method: "POST", path: mint, body: `{"visitor_id":"alice\u200b"}`, status: 422, code: bad, field: "visitor_id"},
		{name: "line end in id", method: "POST", path: mint, body: `{"visitor_id":"a\nb"}`, status: 422, code: bad, field: "visitor_id"},
		{name: "null character", method: "POST", path: mint, body: `{"visitor_id":"a\u0000b"}`, status: 422, code: bad, field: "visitor_id"},
		{name: "id as object", method: "POST", path: mint, body: `{"visitor_id":{"a":1}}`, status: 422, code: bad, field: "visitor_id"},
		{name: "e-mail too long", method: "POST", path: mint, body: `{"visitor_email":"` + strings.Repeat("a", 321) + `"}`, status: 422, code: bad, field: "visitor_email"},
		{name: "metadata too large", method: "POST", path: mint, body: `{"metadata":"` + strings.Repeat("a", 16<<10) + `"}`, status: 422, code: bad, field: "metadata"},
		{name: "metadata too deep", method: "POST", path: mint, body: `{"metadata":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, status: 422, code: bad, field: "metadata"},
		{name: "nine origins", method: "POST", path: mint, body: `{"allowed_origins":["https://a.b","https://a.b","https://a.b","https://a.b","https://a.b","https://a.b","https://a.b","https://a.b","https://a.b"]}`, status: 422, code: bad, field: "allowed_origins"},
		{name: "origin with a path", method: "POST", path: mint, body: `{"allowed_origins":["https://a.b/c"]}`, status: 422, code: bad, field: "allowed_origins[0]"},
		{name: "two wrong fields", method: "POST", path: mint, body: `{"ttl_seconds":1,"visitor_id":"\u200b"}`, status: 422, code: bad, field: "visitor_id"},
		{name: "mass assignment", method: "POST", path: mint, body: `{"tenant_id":"tenant_1"}`, status: 422, code: bad, field: "tenant_id"},
	})
	issue := s.key(s.mine, []scaigrid.Permission{scaigrid.PermEmbedIssue})
	s.do("POST", s.mine.fill(mint), issue, `{"preview":true}`).want(403, "AUTHZ_PERMISSION_DENIED")
	if a := s.do("POST", s.mine.fill(mint), issue, `{"preview":false}`).want(200, ""); a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a token may be cached: %v", a.header)
	}
	s.play(s.mine, s.mine.key, []step{
		{name: "draft", method: "PATCH", path: bots + "/{bot}/status", body: `{"status":"draft"}`, status: 200},
		{name: "a draft mints", method: "POST", path: mint, body: `{}`, status: 200},
		{name: "archive", method: "PATCH", path: bots + "/{bot}/status", body: `{"status":"archived"}`, status: 200},
		{name: "an archived bot does not", method: "POST", path: mint, body: `{}`, status: 404, code: "BOT_NOT_ACTIVE"},
		{name: "nor is there anything to show", method: "GET", path: bots + "/{bot}/embed-info", status: 404, code: "NOT_FOUND"},
	})
}

func TestMintWritesOnlyWhatChanged(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	mint := s.mine.fill(bots + "/{bot}/embed-token")
	subject := func(body string) string {
		p, err := s.guard.Tokens.Read(t.Context(), s.do("POST", mint, s.mine.key, body).want(200, "").text("data.token"))
		s.must(err)
		return p.Subject
	}
	before := s.fingerprint()
	if subject(`{}`) == subject(`{"visitor_id":null}`) {
		t.Error("two anonymous visitors are one")
	}
	if s.fingerprint() != before {
		t.Error("an anonymous mint writes")
	}
	first := subject(`{"visitor_id":"carol","visitor_name":"Carol"}`)
	known := s.fingerprint()
	if known == before {
		t.Error("a visitor is not kept")
	}
	s.clock.move(time.Minute)
	if subject(`{"visitor_id":"carol","visitor_name":"Carol"}`) != first || s.fingerprint() != known {
		t.Error("the same again is another visitor, or writes")
	}
	if subject(`{"visitor_id":"carol","visitor_name":"Carol B."}`) != first || s.fingerprint() == known {
		t.Error("a new name is lost")
	}
	if subject(`{"visitor_id":42}`) != subject(`{"visitor_id":"42"}`) {
		t.Error("42 and \"42\" are two visitors")
	}
	if subject(`{"visitor_id":"ａlice"}`) == subject(`{"visitor_id":"alice"}`) {
		t.Error("two ids that look alike are one visitor")
	}
	token := s.do("POST", mint, s.mine.key, `{"visitor_id":"carol","visitor_email":"c@example.test","metadata":{"k":"secretvalue"}}`).text("data.token")
	if payload := decodePart(t, token); strings.ContainsAny(payload, "@") || strings.Contains(payload, "carol") || strings.Contains(payload, "secretvalue") {
		t.Errorf("the token tells who it is: %s", payload)
	}
}

func TestRevoke(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	revoke, current := s.mine.fill(bots+"/{bot}/embed-tokens/revoke"), chatPath+"/conversation"
	mint := func(body string) answer {
		return s.do("POST", s.mine.fill(bots+"/{bot}/embed-token"), s.mine.key, body)
	}
	alive := func(token string) bool { return s.do("GET", current, token, "").status == 200 }
	byID, byToken, byVisitor, last := mint(`{}`), mint(`{}`), mint(`{"visitor_id":"alice"}`), mint(`{}`)
	s.do("POST", revoke, s.mine.key, `{"token_id":"`+byID.text("data.token_id")+`"}`).want(200, "")
	s.do("POST", revoke, s.mine.key, `{"token":"`+byToken.text("data.token")+`"}`).want(200, "")
	s.do("POST", revoke, s.mine.key, `{"visitor_id":"alice"}`).want(200, "")
	for i, a := range []answer{byID, byToken, byVisitor} {
		if alive(a.text("data.token")) {
			t.Errorf("token %d lives on", i)
		}
	}
	if !alive(last.text("data.token")) {
		t.Error("another token died with them")
	}
	if !alive(mint(`{"visitor_id":"alice"}`).text("data.token")) {
		t.Error("a token minted after the revocation is dead")
	}
	s.do("POST", revoke, s.mine.key, `{"all":true}`).want(200, "")
	if alive(last.text("data.token")) {
		t.Error("all, but one lives on")
	}
	theirs := s.token(s.theirs, `{}`)
	for body, field := range map[string]string{
		`{}`: "body", `{"all":true,"token_id":"tok_1"}`: "body", `{"all":false}`: "all", `{"token":"x"}`: "token", `{"token":"` + theirs + `"}`: "token", `{"token_id":"x"}`: "token_id",
	} {
		s.do("POST", revoke, s.mine.key, body).want(422, "VALIDATION_ERROR").field(field)
	}
	s.do("POST", revoke, s.mine.key, `{"visitor_id":"nobody"}`).want(404, "NOT_FOUND")
	if s.do("GET", current, theirs, "").status != 200 {
		t.Error("a token of another tenant was ended")
	}
}

func TestEmbedInfo(t *testing.T) {
	s := open(t, LimitSettings{AnonymousMinute: 5})
	path := s.mine.fill(bots + "/{bot}/embed-info")
	a := s.do("GET", path, "", "").want(200, "")
	for h, want := range map[string]string{"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "public, max-age=60, stale-while-revalidate=600"} {
		if a.header.Get(h) != want {
			t.Errorf("%s is %q", h, a.header.Get(h))
		}
	}
	var data map[string]any
	raw, _ := json.Marshal(a.get("data"))
	s.must(json.Unmarshal(raw, &data))
	if len(data) != 8 || data["display_name"] != "Bot of mine" || data["status"] != "active" {
		t.Errorf("embed-info shows %s", raw)
	}
	s.do("GET", path, "", "", "If-None-Match", a.header.Get("Etag")).want(304, "")
	s.do("PUT", s.mine.fill(bots+"/{bot}"), s.mine.key, shop+`,"welcome_message":"New"}`).want(200, "")
	if b := s.do("GET", path, "", "", "If-None-Match", a.header.Get("Etag")).want(200, ""); b.text("data.welcome_message") != "New" {
		t.Errorf("a change does not show: %s", b.body)
	}
	for range 5 {
		s.do("GET", bots+"/bot_none/embed-info", "", "").want(404, "NOT_FOUND")
	}
	s.do("GET", bots+"/bot_none/embed-info", "", "").want(429, "RATE_LIMITED")
	s.do("GET", path, "", "").want(200, "")
}

// The answer that is written by hand is the one that the encoder would write.
func TestMintReply(t *testing.T) {
	v := tokenView{Token: "eyJ.a-_9.b", ExpiresAt: time.Unix(1_800_000_000, 0).UTC(), TTLSeconds: 60, TokenID: "tok_1"}
	want, err := json2.Marshal(&success[tokenView]{Status: "ok", Data: v, Meta: meta{RequestID: "req_1"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.appendReply(nil, "req_1"); string(got) != string(want) {
		t.Errorf("%s\n%s", got, want)
	}
}
