package httpapi

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

// step is one request of a story and what must come of it.
type step struct {
	name         string
	method, path string
	body         string
	headers      []string
	status       int
	code         string // of an error
	field        string // named by an error
	has          []string
	hasNot       []string
}

// play runs steps with one key. {bot}, {doc} … in a path are the tenant's.
func (s *site) play(tn *tenant, key string, steps []step) {
	s.t.Helper()
	for _, st := range steps {
		a := s.do(st.method, tn.fill(st.path), key, st.body, st.headers...)
		got := ""
		if a.status >= 400 {
			got = a.code()
		}
		if a.status != st.status || got != st.code {
			s.t.Errorf("%s: %d %s, want %d %s: %s", st.name, a.status, got, st.status, st.code, a.body)
			continue
		}
		if st.field != "" {
			a.field(st.field)
		}
		for _, want := range st.has {
			if !strings.Contains(a.body, want) {
				s.t.Errorf("%s: no %s in %s", st.name, want, a.body)
			}
		}
		for _, bad := range st.hasNot {
			if strings.Contains(a.body, bad) {
				s.t.Errorf("%s: %s in %s", st.name, bad, a.body)
			}
		}
	}
}

const shop = `{"name":"Shop","slug":"shop","model":"scaigrid/extractive"`

func TestBots(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	made := s.do("POST", bots, s.mine.key, shop+`}`).want(201, "")
	id := made.text("data.id")
	if made.header.Get("Location") != bots+"/"+id || made.header.Get("Etag") != `"1"` {
		t.Errorf("headers of a new bot: %v", made.header)
	}
	one := bots + "/" + id
	s.play(s.mine, s.mine.key, []step{
		{name: "defaults", method: "GET", path: one, status: 200, has: []string{
			`"status":"draft"`, `"display_name":"Shop"`, `"max_tokens_per_response":500`, `"max_context_messages":20`, `"knowledge_enabled":false`,
			`"knowledge_mode":"managed"`, `"top_k":5`, `"score_threshold":0.3`, `"deduplicate":true`, `"allowed_origins":[]`, `"knowledge_collection_id":null`,
			`"version":1`, `"request_id":"req_`,
		}},
		{name: "slug taken", method: "POST", path: bots, body: shop + `}`, status: 409, code: "SLUG_CONFLICT", field: "slug"},
		{name: "unknown model", method: "POST", path: bots, body: `{"name":"n","slug":"n","model":"nobody/none"}`, status: 404, code: "MODEL_NOT_FOUND"},
		{name: "active at once", method: "POST", path: bots, body: `{"name":"n","slug":"now","model":"openai/gpt-4o-mini","status":"active"}`, status: 201, has: []string{`"status":"active"`}},
		{name: "replace", method: "PUT", path: one, body: shop + `,"welcome_message":"Hi","knowledge_settings":{"top_k":7},"max_tokens_per_response":9}`, status: 200,
			has: []string{`"welcome_message":"Hi"`, `"top_k":7`, `"score_threshold":0.3`, `"max_tokens_per_response":9`, `"version":2`}},
		{name: "left out and null return to the default", method: "PUT", path: one, body: shop + `,"max_tokens_per_response":null}`, status: 200,
			has: []string{`"welcome_message":""`, `"top_k":5`, `"max_tokens_per_response":500`}},
		{name: "stale", method: "PUT", path: one, body: shop + `}`, headers: []string{"If-Match", `"2"`}, status: 409, code: "CONFLICT", has: []string{"3"}},
		{name: "fresh", method: "PATCH", path: one + "/status", body: `{"status":"active"}`, headers: []string{"If-Match", `"3"`}, status: 200, has: []string{`"version":4`, `"status":"active"`}},
		{name: "nonsense for a version", method: "DELETE", path: one, headers: []string{"If-Match", `"x"`}, status: 422, code: "VALIDATION_ERROR", field: "header.If-Match"},
		{name: "only active ones", method: "GET", path: bots + "?status=archived", status: 200, has: []string{`"data":[]`, `"has_more":false`, `"next_cursor":null`}},
		{name: "no such state", method: "GET", path: bots + "?status=gone", status: 422, code: "VALIDATION_ERROR", field: "query.status"},
		{name: "no such state to move to", method: "PATCH", path: one + "/status", body: `{"status":"gone"}`, status: 422, code: "VALIDATION_ERROR", field: "status"},
		{name: "versions", method: "GET", path: one + "/versions", status: 200, has: []string{`"version":4`, `"version":1`, `"welcome_message":"Hi"`}},
		{name: "restore", method: "POST", path: one + "/versions/2/restore", status: 200, has: []string{`"welcome_message":"Hi"`, `"status":"active"`, `"version":5`}},
		{name: "restore none", method: "POST", path: one + "/versions/99/restore", status: 404, code: "NOT_FOUND"},
		{name: "restore nonsense", method: "POST", path: one + "/versions/x/restore", status: 404, code: "NOT_FOUND"},
		{name: "delete", method: "DELETE", path: one, headers: []string{"If-Match", `"5"`}, status: 200, has: []string{`"deleted":true`}},
		{name: "gone", method: "GET", path: one, status: 404, code: "NOT_FOUND"},
		{name: "several wrong fields at once", method: "POST", path: bots, body: `{"slug":"A","model":"x","status":"gone","max_context_messages":-1}`, status: 422, code: "VALIDATION_ERROR", field: "status",
			has: []string{`"field":"name"`, `"field":"slug"`, `"field":"model"`, `"field":"max_context_messages"`}},
	})
	stale := s.do("PUT", s.mine.fill(bots+"/{bot}"), s.mine.key, shop+`}`, "If-Match", `"9"`).want(409, "CONFLICT")
	if stale.header.Get("Etag") != `"1"` {
		t.Errorf("a conflict does not tell the current version: %v", stale.header)
	}
}

func TestDeletingABotKeepsItsConversationsWithoutTheirVisitors(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	s.play(s.mine, s.mine.key, []step{
		{name: "before", method: "GET", path: conversationPath + "/{conv}", status: 200, has: []string{`"id":"alice"`, "alice@example.test"}},
		{name: "delete", method: "DELETE", path: bots + "/{bot}", status: 200},
		{name: "after", method: "GET", path: conversationPath + "/{conv}", status: 200, has: []string{"30 days."}, hasNot: []string{"alice"}},
		{name: "documents go", method: "GET", path: bots + "/{bot}/documents", status: 404, code: "NOT_FOUND"},
	})
}

func TestPages(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	for i := range 4 {
		s.clock.move(time.Second)
		s.newBot(s.mine, fmt.Sprint("b", i))
	}
	var seen []string
	cursor := ""
	for range 10 {
		a := s.do("GET", bots+"?limit=2"+cursor, s.mine.key, "").want(200, "")
		list, _ := a.get("data").([]any)
		for i := range list {
			seen = append(seen, a.text(fmt.Sprintf("data.%d.slug", i)))
		}
		if a.get("meta.has_more") != true {
			if a.get("meta.next_cursor") != nil {
				t.Error("a cursor behind the end")
			}
			break
		}
		cursor = "&cursor=" + a.text("meta.next_cursor")
	}
	if got := strings.Join(seen, " "); got != "b3 b2 b1 b0 mine" {
		t.Errorf("pages show %s", got)
	}
	for _, q := range []string{"limit=0", "limit=101", "limit=-1", "limit=1e9", "limit=x", "limit=1&limit=2", "cursor=nonsense", "cursor=" + strings.Repeat("a", 10_000), "nope=1", "limit=%zz"} {
		a := s.do("GET", bots+"?"+q, s.mine.key, "")
		if a.status != 422 || a.code() != "VALIDATION_ERROR" {
			t.Errorf("%.30s: %d %s", q, a.status, a.body)
		}
	}
	m := s.do("GET", "/v1/models?limit=2", s.mine.key, "").want(200, "")
	n := s.do("GET", "/v1/models?limit=2&cursor="+m.text("meta.next_cursor"), s.mine.key, "").want(200, "")
	if n.text("data.0.slug") != "openai/b" || n.get("meta.has_more") != false {
		t.Errorf("second page of models: %s", n.body)
	}
	s.do("GET", "/v1/models?modality=image", s.mine.key, "").want(200, "")
	s.do("GET", "/v1/models?modality=smell", s.mine.key, "").want(422, "VALIDATION_ERROR").field("query.modality")
	s.do("GET", "/v1/models?cursor=x", s.mine.key, "").want(422, "VALIDATION_ERROR")
}

func TestMint(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	mint := bots + "/{bot}/embed-token"
	long := strings.Repeat("ä", 256)
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{name: "Flask, anonymous", method: "POST", path: mint, body: `{"ttl_seconds":3600,"visitor_id":null,"visitor_email":null,"metadata":null}`, status: 200,
			has: []string{`"token":"`, `"expires_at":"`, `"ttl_seconds":3600`, `"token_id":"tok_`}},
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

func TestDocuments(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	docs := bots + "/{bot}/documents"
	made := s.do("POST", s.mine.fill(docs), s.mine.key, `{"name":"Shipping","text":"# Shipping\n\nTwo days.","metadata":{"url":"https://shop.example/shipping","team":"a"}}`).want(201, "")
	one := docs + "/" + made.text("data.id")
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{name: "read", method: "GET", path: one, status: 200, has: []string{`"status":"uploaded"`, `"source":"text"`, `"url":"https://shop.example/shipping"`, `"team":"a"`, `"indexed_at":null`, `"error":null`, `"version":1`}},
		{name: "list", method: "GET", path: docs, status: 200, has: []string{made.text("data.id"), s.mine.doc.ID}},
		{name: "by state", method: "GET", path: docs + "?status=failed", status: 200, has: []string{`"data":[]`}},
		{name: "no such state", method: "GET", path: docs + "?status=lost", status: 422, code: bad, field: "query.status"},
		{name: "original", method: "GET", path: one + "/original", status: 200, has: []string{"# Shipping\n\nTwo days."}},
		{name: "replace", method: "PUT", path: one, body: `{"name":"Shipping","text":"Three days."}`, headers: []string{"If-Match", `"1"`}, status: 200, has: []string{`"version":2`, `"url":null`, `"metadata":null`}},
		{name: "stale", method: "PUT", path: one, body: `{"name":"Shipping","text":"Four days."}`, headers: []string{"If-Match", `"1"`}, status: 409, code: "CONFLICT"},
		{name: "reindex", method: "POST", path: one + "/reindex", status: 200, has: []string{`"status":"uploaded"`}},
		{name: "questions", method: "POST", path: docs, body: `{"name":"FAQ","qa":[{"question":"How\nlong?","answer":"Two days."}]}`, status: 201, has: []string{`"source":"qa"`}},
		{name: "both", method: "POST", path: docs, body: `{"name":"x","text":"a","qa":[]}`, status: 422, code: bad, field: "text"},
		{name: "neither", method: "POST", path: docs, body: `{"name":"x"}`, status: 422, code: bad, field: "text"},
		{name: "no name", method: "POST", path: docs, body: `{"text":"a"}`, status: 422, code: bad, field: "name"},
		{name: "empty text", method: "POST", path: docs, body: `{"name":"x","text":" \n"}`, status: 422, code: bad, field: "text"},
		{name: "url source", method: "POST", path: docs, body: `{"name":"x","url":"https://x"}`, status: 422, code: bad, field: "url"},
		{name: "empty question", method: "POST", path: docs, body: `{"name":"x","qa":[{"question":" ","answer":"a"}]}`, status: 422, code: bad, field: "qa[0].question"},
		{name: "empty answer", method: "POST", path: docs, body: `{"name":"x","qa":[{"question":"q","answer":""}]}`, status: 422, code: bad, field: "qa[0].answer"},
		{name: "no questions", method: "POST", path: docs, body: `{"name":"x","qa":[]}`, status: 422, code: bad, field: "qa"},
		{name: "metadata is a list", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":[1]}`, status: 422, code: bad, field: "metadata"},
		{name: "script address", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":"javascript:alert(1)"}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "address with a password", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":"https://a:b@c/"}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "address as number", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":1}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "unknown field", method: "POST", path: docs, body: `{"name":"x","text":"a","bot_id":"bot_1"}`, status: 422, code: bad, field: "bot_id"},
		{name: "delete", method: "DELETE", path: one, status: 200},
		{name: "gone", method: "GET", path: one, status: 404, code: "NOT_FOUND"},
		{name: "gone twice", method: "DELETE", path: one, status: 404, code: "NOT_FOUND"},
	})
	second := s.newBot(s.mine, "second")
	s.do("GET", bots+"/"+second.ID+"/documents/"+s.mine.doc.ID, s.mine.key, "").want(404, "NOT_FOUND")
	orig := s.do("GET", s.mine.fill(docs+"/{doc}/original"), s.mine.key, "").want(200, "")
	if h := orig.header; h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("an uploaded file could run: %v", h)
	}
}

// form writes a multipart body: name, file name, type, text for each part.
func form(parts ...[4]string) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + p[0] + `"`
		if p[1] != "" {
			d += `; filename="` + p[1] + `"`
		}
		h.Set("Content-Disposition", d)
		if p[2] != "" {
			h.Set("Content-Type", p[2])
		}
		part, _ := w.CreatePart(h)
		_, _ = part.Write([]byte(p[3]))
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

func TestUploads(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	docs := s.mine.fill(bots + "/{bot}/documents")
	for _, c := range []struct {
		name   string
		parts  [][4]string
		status int
		code   string
		field  string
		has    string
	}{
		{"Markdown", [][4]string{{"file", "a.md", "text/markdown", "# A"}}, 201, "", "", `"name":"a.md"`},
		{"type by name", [][4]string{{"file", "a.md", "application/octet-stream", "# A"}}, 201, "", "", `"media_type":"text/markdown"`},
		{"text", [][4]string{{"file", "a.txt", "text/plain", "A"}}, 201, "", "", `"media_type":"text/plain"`},
		{"own name and metadata", [][4]string{{"name", "", "", "Guide"}, {"metadata", "", "", `{"url":"https://a.b/c"}`}, {"file", "a.md", "", "# A"}}, 201, "", "", `"name":"Guide"`},
		{"name after the file", [][4]string{{"file", "a.md", "", "# A"}, {"name", "", "", "Guide.md"}}, 201, "", "", `"name":"Guide.md"`},
		{"folders in the name", [][4]string{{"file", `..\..\etc/x.md`, "", "# A"}}, 201, "", "", `"name":"x.md"`},
		{"turned name", [][4]string{{"file", "\u202efdp.md", "", "# A"}}, 201, "", "", `"name":"fdp.md"`},
		{"PDF", [][4]string{{"file", "a.pdf", "application/pdf", "%PDF-1.7"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"SVG", [][4]string{{"file", "a.svg", "image/svg+xml", "<svg/>"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"program", [][4]string{{"file", "a.exe", "application/octet-stream", "MZ"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"empty file", [][4]string{{"file", "a.md", "", ""}}, 422, "VALIDATION_ERROR", "file", ""},
		{"no file", [][4]string{{"name", "", "", "x"}}, 422, "VALIDATION_ERROR", "file", ""},
		{"no name", [][4]string{{"file", "", "text/markdown", "# A"}}, 422, "VALIDATION_ERROR", "name", ""},
		{"long name", [][4]string{{"file", strings.Repeat("a", 298) + ".md", "", "# A"}}, 422, "VALIDATION_ERROR", "name", ""},
		{"two files", [][4]string{{"file", "a.md", "", "# A"}, {"file", "b.md", "", "# B"}}, 422, "VALIDATION_ERROR", "file", ""},
		{"unknown part", [][4]string{{"file", "a.md", "", "# A"}, {"tenant_id", "", "", "x"}}, 422, "VALIDATION_ERROR", "tenant_id", ""},
		{"broken metadata", [][4]string{{"file", "a.md", "", "# A"}, {"metadata", "", "", `{"a":`}}, 422, "VALIDATION_ERROR", "metadata", ""},
		{"large metadata", [][4]string{{"file", "a.md", "", "# A"}, {"metadata", "", "", `"` + strings.Repeat("a", 20<<10) + `"`}}, 422, "VALIDATION_ERROR", "metadata", ""},
	} {
		ct, body := form(c.parts...)
		a := s.do("POST", docs, s.mine.key, body, "Content-Type", ct)
		if a.status != c.status || c.code != "" && a.code() != c.code || !strings.Contains(a.body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		} else if c.field != "" {
			a.field(c.field)
		}
	}
	ct, body := form([4]string{"file", "a.md", "", "# A"})
	before := s.fingerprint()
	s.do("POST", docs, s.mine.key, body[:len(body)-8], "Content-Type", ct).want(422, "VALIDATION_ERROR")
	s.do("POST", docs, s.mine.key, body, "Content-Type", "multipart/form-data").want(422, "VALIDATION_ERROR")
	s.do("POST", docs, s.mine.key, "a", "Content-Type", "text/plain").want(415, "UNSUPPORTED_MEDIA_TYPE")
	s.do("POST", docs, s.mine.key, body, "Content-Type", ct, "Content-Encoding", "gzip").want(415, "UNSUPPORTED_MEDIA_TYPE")
	large, big := form([4]string{"file", "a.md", "", strings.Repeat("a", scaigrid.MaxDocumentBytes+1)})
	s.do("POST", docs, s.mine.key, big, "Content-Type", large).want(413, "PAYLOAD_TOO_LARGE")
	huge, bigger := form([4]string{"file", "a.md", "", strings.Repeat("a", maxUpload)})
	s.do("POST", docs, s.mine.key, bigger, "Content-Type", huge).want(413, "PAYLOAD_TOO_LARGE")
	if s.fingerprint() != before {
		t.Error("a refused upload left something behind")
	}
}

func TestSearch(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	path := bots + "/{bot}/search"
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{name: "nothing indexed", method: "POST", path: path, body: `{"query":"returns"}`, status: 200, has: []string{`"passages":[]`, `"confidence":0`}},
		{name: "with all", method: "POST", path: path, body: `{"query":"returns","top_k":50,"history":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}`, status: 200},
		{name: "operators are words", method: "POST", path: path, body: `{"query":"\"a* NEAR( :^ % _ '; DROP TABLE bots"}`, status: 200},
		{name: "no query", method: "POST", path: path, body: `{}`, status: 422, code: bad, field: "query"},
		{name: "long query", method: "POST", path: path, body: `{"query":"` + strings.Repeat("a", 8001) + `"}`, status: 422, code: bad, field: "query"},
		{name: "top_k 0", method: "POST", path: path, body: `{"query":"a","top_k":0}`, status: 422, code: bad, field: "top_k"},
		{name: "top_k 51", method: "POST", path: path, body: `{"query":"a","top_k":51}`, status: 422, code: bad, field: "top_k"},
		{name: "no such role", method: "POST", path: path, body: `{"query":"a","history":[{"role":"system","content":"x"}]}`, status: 422, code: bad, field: "history[0].role"},
		{name: "unknown field within", method: "POST", path: path, body: `{"query":"a","history":[{"role":"user","content":"x","name":"y"}]}`, status: 422, code: bad, field: "history[0].name"},
	})
}

func TestConversations(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	const path, bad = conversationPath, "VALIDATION_ERROR"
	day := s.clock.now().UTC()
	s.play(s.mine, s.mine.key, []step{
		{name: "list", method: "GET", path: path, status: 200, has: []string{s.mine.conv, `"verified":true`, `"claimed":null`, `"rating":null`, `"locale":null`}, hasNot: []string{s.theirs.conv}},
		{name: "by bot", method: "GET", path: path + "?bot_id={bot}", status: 200, has: []string{s.mine.conv}},
		{name: "by their bot", method: "GET", path: path + "?bot_id=" + s.theirs.bot.ID, status: 200, has: []string{`"data":[]`}},
		{name: "by nonsense", method: "GET", path: path + "?bot_id=x", status: 200, has: []string{`"data":[]`}},
		{name: "by visitor", method: "GET", path: path + "?visitor_id=alice", status: 200, has: []string{s.mine.conv}, hasNot: []string{s.theirs.conv}},
		{name: "by another visitor", method: "GET", path: path + "?visitor_id=bob", status: 200, has: []string{`"data":[]`}},
		{name: "by state", method: "GET", path: path + "?status=closed", status: 200, has: []string{`"data":[]`}},
		{name: "by words", method: "GET", path: path + "?q=how+LONG", status: 200, has: []string{s.mine.conv}},
		{name: "by other words", method: "GET", path: path + "?q=%25", status: 200, has: []string{`"data":[]`}},
		{name: "since", method: "GET", path: path + "?since=" + day.Add(time.Hour).Format(time.RFC3339), status: 200, has: []string{`"data":[]`}},
		{name: "until", method: "GET", path: path + "?until=" + day.Add(time.Hour).Format(time.RFC3339) + "&since=" + day.Format(time.DateOnly), status: 200, has: []string{s.mine.conv}},
		{name: "escalated", method: "GET", path: path + "?escalated=true", status: 200, has: []string{`"data":[]`}},
		{name: "no such state", method: "GET", path: path + "?status=lost", status: 422, code: bad, field: "query.status"},
		{name: "no such rating", method: "GET", path: path + "?rating=5", status: 422, code: bad, field: "query.rating"},
		{name: "no truth", method: "GET", path: path + "?escalated=yes", status: 422, code: bad, field: "query.escalated"},
		{name: "no time", method: "GET", path: path + "?since=yesterday", status: 422, code: bad, field: "query.since"},
		{name: "year of no database", method: "GET", path: path + "?since=0001-01-01", status: 422, code: bad, field: "query.since"},
		{name: "turned around", method: "GET", path: path + "?since=2026-02-01&until=2026-01-01", status: 422, code: bad, field: "query.until"},
		{name: "empty value", method: "GET", path: path + "?status=", status: 422, code: bad, field: "query.status"},
		{name: "read", method: "GET", path: path + "/{conv}", status: 200, has: []string{`"id":"alice"`, `"content":"=1+1 how long?"`, `"content":"30 days."`, `"passages":[]`, `"usage":null`, `"confidence":0.9`, `"answered":true`}},
		{name: "close", method: "PATCH", path: path + "/{conv}", body: `{"status":"closed"}`, status: 200, has: []string{`"status":"closed"`}},
		{name: "close again", method: "PATCH", path: path + "/{conv}", body: `{"status":"closed"}`, status: 200},
		{name: "open", method: "PATCH", path: path + "/{conv}", body: `{"status":"open"}`, status: 422, code: bad, field: "status"},
		{name: "closed ones", method: "GET", path: path + "?status=closed", status: 200, has: []string{s.mine.conv}},
	})
	lines := s.do("GET", path+"/export", s.mine.key, "").want(200, "")
	var whole wholeConversation
	if err := json.Unmarshal([]byte(lines.body), &whole); err != nil || whole.ID != s.mine.conv || len(whole.Messages) != 2 {
		t.Errorf("export: %v %s", err, lines.body)
	}
	table := s.do("GET", path+"/export?format=csv", s.mine.key, "").want(200, "")
	rows, err := csv.NewReader(strings.NewReader(table.body)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][12] != "'=1+1 how long?" {
		t.Errorf("export: %v %q", err, rows)
	}
	s.do("GET", path+"/export?format=xml", s.mine.key, "").want(422, bad).field("query.format")
	s.do("GET", path+"/export?limit=1", s.mine.key, "").want(422, bad).field("query.limit")
	s.play(s.mine, s.mine.key, []step{
		{name: "delete", method: "DELETE", path: path + "/{conv}", status: 200},
		{name: "gone", method: "GET", path: path + "/{conv}", status: 404, code: "NOT_FOUND"},
		{name: "nothing to export", method: "GET", path: path + "/export", status: 200, hasNot: []string{"conv_"}},
	})
}

func TestAPIKeys(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	const bad = "VALIDATION_ERROR"
	made := s.do("POST", keyPath, s.mine.key, `{"name":"ci","permissions":["scaibot:bots:read"],"bot_ids":["`+s.mine.bot.ID+`"],"expires_at":"2999-01-01T00:00:00Z"}`).want(201, "")
	key, id := made.text("data.key"), made.text("data.id")
	list := s.do("GET", keyPath, s.mine.key, "").want(200, "")
	if !strings.Contains(list.body, id) || strings.Contains(list.body, key) || strings.Contains(list.body, key[16:]) {
		t.Errorf("the list shows %s", list.body)
	}
	s.do("GET", bots, key, "").want(200, "")
	s.do("GET", keyPath, key, "").want(403, "AUTHZ_PERMISSION_DENIED")
	s.do("DELETE", keyPath+"/"+id, s.mine.key, "").want(200, "")
	s.do("GET", bots, key, "").want(401, "AUTH_TOKEN_INVALID")
	s.do("GET", bots, s.mine.key, "").want(200, "")
	for body, field := range map[string]string{
		`{}`: "name", `{"name":" "}`: "name", `{"name":"a","permissions":["made:up"]}`: "permissions[0]", `{"name":"a","permissions":[]}`: "permissions",
		`{"name":"a","permissions":["scaibot:bots:read","scaibot:bots:read"]}`: "permissions[1]", `{"name":"a","bot_ids":["` + s.theirs.bot.ID + `"]}`: "bot_ids[0]",
		`{"name":"a","expires_at":"2020-01-01T00:00:00Z"}`: "expires_at", `{"name":"a","expires_at":1}`: "expires_at", `{"name":"a","user_id":"usr_1"}`: "user_id",
	} {
		s.do("POST", keyPath, s.mine.key, body).want(422, bad).field(field)
	}
	// Nobody makes, sees or ends a key that can do what he cannot.
	small := s.key(s.mine, []scaigrid.Permission{scaigrid.PermAPIKeysManage, scaigrid.PermBotsRead}, s.mine.bot.ID)
	s.do("POST", keyPath, small, `{"name":"a","permissions":["scaibot:bots:delete"]}`).want(422, bad).field("permissions[0]")
	s.do("POST", keyPath, small, `{"name":"a","bot_ids":[]}`).want(422, bad).field("bot_ids")
	s.do("DELETE", keyPath+"/"+s.mine.keyID, small, "").want(404, "NOT_FOUND")
	if a := s.do("GET", keyPath, small, "").want(200, ""); strings.Contains(a.body, s.mine.keyID) {
		t.Errorf("a narrowed key sees %s", a.body)
	}
	child := s.do("POST", keyPath, small, `{"name":"child"}`).want(201, "")
	if p, _ := child.get("data.permissions").([]any); len(p) != 2 || child.text("data.bot_ids.0") != s.mine.bot.ID {
		t.Errorf("a key made by a small one is %s", child.body)
	}
}

func TestHealth(t *testing.T) {
	s := open(t, LimitSettings{})
	if a := s.do("GET", "/health", "", "").want(200, ""); a.body != `{"status":"ok"}` {
		t.Errorf("health is %s", a.body)
	}
	if a := s.do("GET", "/health/ready", "", "").want(200, ""); a.body != `{"status":"ok","checks":{"store":"ok"}}` {
		t.Errorf("ready is %s", a.body)
	}
	s.must(s.store.Close())
	a := s.do("GET", "/health/ready", "", "")
	if a.status != 503 || a.body != `{"status":"unavailable","checks":{"store":"failed"}}` {
		t.Errorf("ready without a database is %d %s", a.status, a.body)
	}
	s.do("GET", "/health", "", "").want(200, "")
	if m := s.do("GET", "/metrics", "", "").want(200, ""); !strings.Contains(m.body, `scaigrid_http_requests_total{route="GET /health/ready",status="5xx"} 1`) {
		t.Errorf("metrics do not count: %s", m.body)
	}
	if got := s.do("GET", bots, s.mine.key, ""); got.status != 503 {
		t.Errorf("a call without a database: %d %s", got.status, got.body)
	}
	if h := s.do("HEAD", "/health", "", ""); h.status != 200 || h.body != "" {
		t.Errorf("HEAD: %d %q", h.status, h.body)
	}
	if http.StatusServiceUnavailable != scaigrid.CodeStorage.Status() {
		t.Error("STORAGE_ERROR is not 503")
	}
}
