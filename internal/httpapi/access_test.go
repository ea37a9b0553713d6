package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

// credential is something that a caller may show. Who holds it does not matter:
// the table below says what it opens.
type credential struct {
	name   string
	show   func(*http.Request)
	staff  verdict // on a staff row
	widget verdict // on a visitor row
}

// verdict is a refusal, or that the object decides.
type verdict struct {
	status int
	code   scaigrid.Code
}

var (
	objectDecides = verdict{}
	missing       = verdict{401, scaigrid.CodeTokenMissing}
	invalid       = verdict{401, scaigrid.CodeTokenInvalid}
	inBrowser     = verdict{403, scaigrid.CodeKeyInBrowser}
	notFound      = verdict{404, scaigrid.CodeNotFound}
)

func bearer(text string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+text) }
}

// credentials are all the kinds, for objects of s.mine.
func credentials(s *site, without []scaigrid.Permission) []credential {
	key := s.mine.key
	expiring, revoked := s.expiredKey(), s.revokedKey()
	token, old, ended := s.token(s.mine, `{"visitor_id":"alice"}`), s.expiredToken(), s.revokedToken()
	scope := verdict{403, scaigrid.CodeInsufficientScope}
	return []credential{
		{"nothing", func(*http.Request) {}, missing, missing},
		{"an empty header", func(r *http.Request) { r.Header.Set("Authorization", "") }, missing, missing},
		{"another scheme", func(r *http.Request) { r.SetBasicAuth("x", key) }, missing, missing},
		{"nonsense", bearer("nonsense"), invalid, invalid},
		{"two words", bearer(key + " " + key), invalid, invalid},
		{"two headers", func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + key, "Bearer " + key} }, invalid, invalid},
		{"a key in another header", func(r *http.Request) { r.Header.Set("X-Api-Key", key) }, missing, missing},
		{"a key in the query", func(r *http.Request) { r.URL.RawQuery = "api_key=" + key + "&token=" + token }, missing, missing},
		{"a key in a cookie", func(r *http.Request) { r.Header.Set("Cookie", "key="+key) }, missing, missing},
		{"SQL", bearer("sgk_'OR'1'='1"), invalid, invalid},
		{"a key cut short", bearer(key[:len(key)-1]), invalid, invalid},
		{"a key with a wrong letter", bearer(flip(key)), invalid, invalid},
		{"an expired key", bearer(expiring), invalid, invalid},
		{"a revoked key", bearer(revoked), invalid, invalid},
		{"a key without the permission", bearer(s.key(s.mine, without)), verdict{403, scaigrid.CodePermissionDenied}, invalid},
		{"a key in a page", func(r *http.Request) { bearer(key)(r); r.Header.Set("Origin", "https://shop.example") }, inBrowser, inBrowser},
		{"a wrong key in a page", func(r *http.Request) { bearer(flip(key))(r); r.Header.Set("Origin", "null") }, inBrowser, inBrowser},
		{"an embed token", bearer(token), scope, objectDecides},
		{"an embed token with a wrong signature", bearer(flip(token)), invalid, invalid},
		{"an unsigned token", bearer("eyJhbGciOiJub25lIn0." + strings.Split(token, ".")[1] + "."), invalid, invalid},
		{"an expired embed token", bearer(old), invalid, verdict{403, scaigrid.CodeEmbedTokenExpired}},
		{"a revoked embed token", bearer(ended), invalid, verdict{403, scaigrid.CodeEmbedTokenRevoked}},
		{"an API key", bearer(key), objectDecides, invalid},
	}
}

// flip changes the last letter but ten of a credential.
func flip(s string) string {
	b := []byte(s)
	i := len(b) - 10
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func (s *site) expiredKey() string {
	soon := s.clock.now().Add(time.Second)
	k := &scaigrid.APIKey{TenantID: s.mine.ID, UserID: s.mine.admin.ID, Name: "old", Permissions: scaigrid.AllPermissions(), ExpiresAt: &soon, CreatedAt: s.clock.now()}
	c, err := s.guard.Keys.Issue(context.Background(), k)
	s.must(err)
	s.clock.move(2 * time.Second)
	return c.Reveal()
}

func (s *site) revokedKey() string {
	k := &scaigrid.APIKey{TenantID: s.mine.ID, UserID: s.mine.admin.ID, Name: "gone", Permissions: scaigrid.AllPermissions(), CreatedAt: s.clock.now()}
	c, err := s.guard.Keys.Issue(context.Background(), k)
	s.must(err)
	s.must(s.guard.Keys.Revoke(context.Background(), s.mine.ID, k.ID))
	return c.Reveal()
}

func (s *site) expiredToken() string {
	s.clock.move(-2 * time.Hour)
	defer s.clock.move(2 * time.Hour)
	return s.token(s.mine, `{"ttl_seconds":60}`)
}

func (s *site) revokedToken() string {
	t := s.token(s.mine, `{"visitor_id":"bob"}`)
	s.do("POST", bots+"/"+s.mine.bot.ID+"/embed-tokens/revoke", s.mine.key, `{"token":"`+t+`"}`).want(200, "")
	return t
}

// nowhere has the ids of a tenant that owns nothing.
func nowhere(s *site) *tenant {
	now := s.clock.now()
	return &tenant{
		bot: &scaigrid.Bot{ID: scaigrid.NewID(scaigrid.KindBot, now)}, doc: &scaigrid.Document{ID: scaigrid.NewID(scaigrid.KindDocument, now)},
		conv: scaigrid.NewID(scaigrid.KindConversation, now), turn: scaigrid.NewID(scaigrid.KindTurn, now),
		reply: scaigrid.NewID(scaigrid.KindMessage, now), keyID: scaigrid.NewID(scaigrid.KindAPIKey, now),
	}
}

// fill puts the ids of a tenant's objects into a row's path.
func (tn *tenant) fill(path string) string {
	return strings.NewReplacer("{bot}", tn.bot.ID, "{doc}", tn.doc.ID, "{conv}", tn.conv, "{turn}", tn.turn, "{apikey}", tn.keyID,
		"{version}", "1", "{file...}", "widget.js", "{page...}", "quickstart").Replace(path)
}

// sample is a good body for each call that takes one.
func (tn *tenant) sample(op string) string {
	bot := `{"name":"n","slug":"fresh-%s","model":"scaigrid/extractive"}`
	switch op {
	case "createBot", "replaceBot":
		return fmt.Sprintf(bot, strings.ToLower(op))
	case "setBotStatus":
		return `{"status":"active"}`
	case "mintEmbedToken":
		return `{}`
	case "revokeEmbedTokens":
		return `{"token_id":"tok_00000"}`
	case "createDocument", "replaceDocument":
		return `{"name":"n","text":"t"}`
	case "search":
		return `{"query":"how long?"}`
	case "closeConversation":
		return `{"status":"closed"}`
	case "createApiKey":
		return `{"name":"n"}`
	case "chat":
		return `{"bot_id":"` + tn.bot.ID + `","message":"hello"}`
	case "rateReply":
		return `{"reply_id":"` + tn.reply + `","rating":"up"}`
	}
	return ""
}

// reaction is what came back, as far as it can be compared.
type reaction struct {
	status int
	code   string
	body   string // without the request id
	heads  string // names of the headers
}

var requestID = regexp.MustCompile(`req_[0-9a-z]+`)

// ask sends a row's request about the objects of tn.
func (s *site) ask(r *route, tn *tenant, show func(*http.Request)) reaction {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, s.http.URL+tn.fill(r.path), strings.NewReader(tn.sample(r.op)))
	s.must(err)
	req.Header.Set("Content-Type", "application/json")
	show(req)
	resp, err := s.http.Client().Do(req)
	s.must(err)
	defer resp.Body.Close()
	if resp.StatusCode == 200 && r.op == "chatEvents" { // it would go on for ever
		return reaction{status: 200}
	}
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	var heads []string
	for h := range resp.Header {
		if h != "Content-Length" && h != "Date" {
			heads = append(heads, h)
		}
	}
	slices.Sort(heads)
	out := reaction{status: resp.StatusCode, body: requestID.ReplaceAllString(string(b), "req"), heads: strings.Join(heads, " ")}
	if resp.StatusCode >= 400 {
		out.code = answer{t: s.t, status: out.status, body: string(b)}.code()
	}
	if !requestID.MatchString(resp.Header.Get("X-Request-Id")) {
		s.t.Errorf("%s: no request id", r.op)
	}
	return out
}

// fingerprint names everything that is stored.
func (s *site) fingerprint() string {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "scaigrid.db")+"?mode=ro")
	s.must(err)
	defer func() { s.must(db.Close()) }()
	var tables []string
	s.rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", func(v []any) { tables = append(tables, fmt.Sprint(v[0])) })
	if len(tables) < 8 {
		s.t.Fatalf("only these tables are seen: %v", tables)
	}
	h := sha256.New()
	for _, t := range tables {
		s.rows(db, "SELECT * FROM "+t, func(v []any) { fmt.Fprintln(h, t, v) })
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (s *site) rows(db *sql.DB, query string, each func([]any)) {
	s.t.Helper()
	rows, err := db.Query(query)
	s.must(err)
	defer rows.Close()
	cols, err := rows.Columns()
	s.must(err)
	for rows.Next() {
		v, p := make([]any, len(cols)), make([]any, len(cols))
		for i := range v {
			p[i] = &v[i]
		}
		s.must(rows.Scan(p...))
		each(v)
	}
	s.must(rows.Err())
}

// others is every permission but the given one.
func others(p scaigrid.Permission) []scaigrid.Permission {
	return slices.DeleteFunc(scaigrid.AllPermissions(), func(q scaigrid.Permission) bool { return q == p })
}

// Every row × every credential × own, foreign and missing objects. What is
// refused changes nothing, and the foreign cannot be told from the missing.
func TestAuthorization(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	none := nowhere(s)
	byPermission := map[scaigrid.Permission][]credential{}
	for i := range s.server.rows {
		p := s.server.rows[i].access.perm
		if byPermission[p] == nil {
			byPermission[p] = credentials(s, others(p))
		}
	}
	before := s.fingerprint()
	tried := 0
	for i := range s.server.rows {
		r := &s.server.rows[i]
		if r.serve.in != nil && s.mine.sample(r.op) == "" {
			t.Errorf("%s takes a body and the test has no sample of it", r.op)
		}
		for _, c := range byPermission[r.access.perm] {
			tried += s.checkAccess(r, c, none)
		}
	}
	if after := s.fingerprint(); after != before {
		t.Error("something that was refused has changed what is stored")
	}
	t.Logf("%d rows, %d requests", len(s.server.rows), tried)
}

func (s *site) checkAccess(r *route, c credential, none *tenant) (tried int) {
	s.t.Helper()
	var want verdict
	switch r.access.kind {
	case forStaff:
		want = c.staff
	case forVisitors:
		want = c.widget
	default:
		return s.checkOpen(r, c, none)
	}
	if want == objectDecides {
		return s.checkObjects(r, c, none)
	}
	for _, tn := range []*tenant{s.mine, s.theirs, none} {
		got := s.ask(r, tn, c.show)
		tried++
		if got.status != want.status || got.code != string(want.code) {
			s.t.Errorf("%s with %s: %d %s, want %d %s", r.op, c.name, got.status, got.code, want.status, want.code)
		}
	}
	return tried
}

// checkOpen: a row for anyone looks at no credential.
func (s *site) checkOpen(r *route, c credential, none *tenant) int {
	s.t.Helper()
	got := s.ask(r, s.mine, c.show)
	if got.status != 200 {
		s.t.Errorf("%s with %s: %d %s, want 200", r.op, c.name, got.status, got.code)
	}
	if strings.Contains(r.path, "{bot}") {
		if got := s.ask(r, none, c.show); got.status != 404 {
			s.t.Errorf("%s of no bot: %d", r.op, got.status)
		}
	}
	return 1
}

// checkObjects: a good credential still opens nothing of others.
func (s *site) checkObjects(r *route, c credential, none *tenant) int {
	s.t.Helper()
	named := r.path != strings.NewReplacer("{", "", "}", "").Replace(r.path) || r.op == "rateReply" || r.op == "chat"
	if !named {
		return 0 // about no object: what it gives is seen in the scenarios
	}
	foreign, gone := s.ask(r, s.theirs, c.show), s.ask(r, none, c.show)
	if foreign.status != notFound.status || foreign.code != string(notFound.code) {
		s.t.Errorf("%s of somebody else: %d %s", r.op, foreign.status, foreign.code)
	}
	if !bytes.Equal([]byte(fmt.Sprint(foreign)), []byte(fmt.Sprint(gone))) {
		s.t.Errorf("%s: somebody else's can be told from none:\n%+v\n%+v", r.op, foreign, gone)
	}
	return 2
}

// The same rows open for those who may: without this the test above could pass
// on a server that refuses everything.
func TestAuthorizedCallsSucceed(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	other := map[string]verdict{"continueTurn": {409, scaigrid.CodeConflict}}
	for i := range s.server.rows {
		r := &s.server.rows[i]
		tn := s.tenant(fmt.Sprintf("t%d", i))
		show := bearer(tn.key)
		switch r.access.kind {
		case forStaff:
			show = bearer(s.key(tn, []scaigrid.Permission{r.access.perm}))
		case forVisitors:
			show = bearer(s.token(tn, `{"visitor_id":"alice"}`))
		}
		got := s.ask(r, tn, show)
		want, ok := other[r.op]
		if !ok {
			want.status = r.status
		}
		if got.status != want.status || got.code != string(want.code) {
			t.Errorf("%s: %d %s %s, want %d", r.op, got.status, got.code, got.body, want.status)
		}
	}
}

// A key that is narrowed to some bots finds nothing of the others.
func TestNarrowedKey(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	second := s.newBot(s.mine, "second")
	key := s.key(s.mine, scaigrid.AllPermissions(), second.ID)
	other := map[string]verdict{
		"createBot": {403, scaigrid.CodeInsufficientScope}, "createApiKey": {201, ""},
		"listBots": {200, ""}, "listConversations": {200, ""}, "exportConversations": {200, ""}, "listModels": {200, ""}, "listApiKeys": {200, ""},
	}
	for i := range s.server.rows {
		r := &s.server.rows[i]
		if r.access.kind != forStaff {
			continue
		}
		want, ok := other[r.op]
		if !ok {
			want = notFound
		}
		if got := s.ask(r, s.mine, bearer(key)); got.status != want.status || got.code != string(want.code) {
			t.Errorf("%s: %d %s, want %d %s", r.op, got.status, got.code, want.status, want.code)
		}
	}
	list := s.do("GET", bots, key, "").want(200, "")
	if ids, _ := list.get("data").([]any); len(ids) != 1 || list.text("data.0.id") != second.ID {
		t.Errorf("the list shows %s", list.body)
	}
	for _, path := range []string{conversationPath, conversationPath + "?bot_id=" + s.mine.bot.ID, conversationPath + "/export"} {
		if a := s.do("GET", path, key, ""); strings.Contains(a.body, s.mine.conv) {
			t.Errorf("%s shows a conversation of another bot", path)
		}
	}
}
