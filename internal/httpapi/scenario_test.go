package httpapi

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
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
		{
			name: "replace", method: "PUT", path: one, body: shop + `,"welcome_message":"Hi","knowledge_settings":{"top_k":7},"max_tokens_per_response":9}`, status: 200,
			has: []string{`"welcome_message":"Hi"`, `"top_k":7`, `"score_threshold":0.3`, `"max_tokens_per_response":9`, `"version":2`},
		},
		{
			name: "left out and null return to the default", method: "PUT", path: one, body: shop + `,"max_tokens_per_response":null}`, status: 200,
			has: []string{`"welcome_message":""`, `"top_k":5`, `"max_tokens_per_response":500`},
		},
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
		{
			name: "several wrong fields at once", method: "POST", path: bots, body: `{"slug":"A","model":"x","status":"gone","max_context_messages":-1}`, status: 422, code: "VALIDATION_ERROR", field: "status",
			has: []string{`"field":"name"`, `"field":"slug"`, `"field":"model"`, `"field":"max_context_messages"`},
		},
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
