package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
	"github.com/scailabs/scaigrid/internal/knowledge"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/turn"
)

const bots = "/v1/modules/scaibot/bots"

// site is a whole server on a real SQLite store, with two tenants in it.
type site struct {
	t      testing.TB
	dir    string // of the database
	store  *store.Store
	guard  *auth.Guard
	server *Server
	http   *httptest.Server
	log    *lines
	clock  *hands

	mine, theirs *tenant
}

// tenant is one customer with what he owns.
type tenant struct {
	scaigrid.Tenant
	admin *scaigrid.User
	bot   *scaigrid.Bot
	doc   *scaigrid.Document
	conv  string // a conversation of the visitor "alice"
	turn  string
	reply string
	key   string // may do everything
	keyID string
}

// lines are a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// parrot answers every prompt with the same words.
type parrot struct{}

func (parrot) Stream(context.Context, scaigrid.Prompt) iter.Seq2[scaigrid.Part, error] {
	return func(yield func(scaigrid.Part, error) bool) {
		_ = yield(scaigrid.Part{Text: "Sure."}, nil) && yield(scaigrid.Part{FinishReason: "stop"}, nil)
	}
}

func (parrot) Models(context.Context) ([]scaigrid.Model, error) {
	return []scaigrid.Model{
		{Slug: scaigrid.ExtractiveModel, DisplayName: "Extractive", Modality: "chat", Provider: "scaigrid", Status: "active", HealthStatus: "healthy"},
		{Slug: "openai/a", Modality: "chat", Provider: "openai", Status: "active", HealthStatus: "unknown"},
		{Slug: "openai/b", Modality: "chat", Provider: "openai", Status: "active", HealthStatus: "unknown"},
	}, nil
}

func (parrot) CheckModel(_ context.Context, slug string) error {
	if slug == scaigrid.ExtractiveModel || strings.HasPrefix(slug, "openai/") {
		return nil
	}
	return scaigrid.Errorf(scaigrid.CodeModelNotFound, "No provider here has this model.")
}

// widgetFiles are a small build of the widget.
func widgetFiles() fstest.MapFS {
	long := strings.Repeat("console.log('loader');\n", 40)
	return fstest.MapFS{
		"widget.js":            {Data: []byte("/*loader*/" + long)},
		"panel-1a2b3c4d.js":    {Data: []byte("/*panel*/" + long)},
		"messages-5e6f7081.js": {Data: []byte("/*messages*/")},
		"manifest.json":        {Data: []byte(`{"version":"1.0.0","files":{"widget.js":"widget.js","panel.js":"panel-1a2b3c4d.js","messages.js":"messages-5e6f7081.js"}}`)},
	}
}

func open(t testing.TB, set LimitSettings) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), log: &lines{}, clock: &hands{at: time.Now().UTC().Truncate(time.Second)}}
	s.store = sqlite(t, s.dir)
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	secret, err := auth.NewSecret("test", bytes.Repeat([]byte{7}, 32))
	s.must(err)
	s.guard, err = auth.Open(context.Background(), auth.Options{Store: s.store, Secret: secret, Clock: s.clock.now, Log: log})
	s.must(err)
	limits := NewLimits(set, s.store, s.clock.now)
	library := knowledge.NewLibrary(s.store, 0)
	house := turn.New(turn.Options{
		Store: s.store, Library: library, Models: parrot{}, Limits: limits, OriginAllowed: auth.OriginAllowed,
		HashKey: auth.HashVisitorKey, Cost: func(scaigrid.Usage) float64 { return 0 }, Log: log, Clock: s.clock.now, Node: "node_test",
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = house.Run(ctx) }()
	s.server, err = New(Options{
		Store: s.store, Guard: s.guard, Models: parrot{}, Library: library, House: house,
		Metrics: NewMetrics(prometheus.NewRegistry()), Limits: limits, Widget: widgetFiles(),
		Docs:    http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<p>docs</p>") }),
		Ready:   []Check{{Name: "store", Do: s.store.Ping}},
		Version: "test", Log: log, Clock: s.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewUnstartedServer(nil)
	s.http.Config = s.server.HTTPServer()
	s.http.Start()
	t.Cleanup(func() {
		s.http.Close()
		house.Drain(ctx)
		cancel()
		<-done
	})
	s.mine, s.theirs = s.tenant("mine"), s.tenant("theirs")
	return s
}

// sqlite opens a store in a folder.
func sqlite(t testing.TB, dir string) *store.Store {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) tenant(slug string) *tenant {
	s.t.Helper()
	ctx, now := context.Background(), s.clock.now()
	made, admin, _, err := s.store.EnsureTenant(ctx,
		scaigrid.Tenant{ID: scaigrid.NewID(scaigrid.KindTenant, now), Slug: slug, Name: slug, CreatedAt: now},
		scaigrid.User{ID: scaigrid.NewID(scaigrid.KindUser, now), Name: slug, Role: scaigrid.RoleTenantAdmin, CreatedAt: now})
	s.must(err)
	tn := &tenant{Tenant: *made, admin: admin}
	tn.bot = s.newBot(tn, slug)
	tn.doc = s.newDocument(tn.bot)
	tn.key = s.key(tn, scaigrid.AllPermissions())
	keys, _, err := s.store.APIKeys(ctx, tn.ID, scaigrid.PageRequest{Limit: 1})
	s.must(err)
	tn.keyID = keys[0].ID
	s.talk(tn)
	return tn
}

func (s *site) newBot(tn *tenant, slug string) *scaigrid.Bot {
	now := s.clock.now()
	b := &scaigrid.Bot{ID: scaigrid.NewID(scaigrid.KindBot, now), TenantID: tn.ID, Status: scaigrid.BotActive, BotConfig: scaigrid.DefaultBotConfig(), CreatedAt: now}
	b.Name, b.Slug, b.Model = "Bot of "+slug, slug, scaigrid.ExtractiveModel
	s.must(s.store.CreateBot(context.Background(), b, tn.admin.ID))
	return b
}

func (s *site) newDocument(b *scaigrid.Bot) *scaigrid.Document {
	now := s.clock.now()
	d := &scaigrid.Document{ID: scaigrid.NewID(scaigrid.KindDocument, now), TenantID: b.TenantID, BotID: b.ID, Name: "a.md", Source: "text", MediaType: "text/markdown", CreatedAt: now}
	s.must(s.store.AddDocument(context.Background(), d, []byte("# Returns\n\nWithin 30 days.\n")))
	return d
}

// talk lets the visitor alice say something to the tenant's bot.
func (s *site) talk(tn *tenant) {
	ctx, now := context.Background(), s.clock.now()
	visitor, err := s.store.SaveVisitor(ctx, scaigrid.Visitor{
		ID: scaigrid.NewID(scaigrid.KindVisitor, now), TenantID: tn.ID, BotID: tn.bot.ID, ExternalID: "alice", Email: "alice@example.test", UpdatedAt: now,
	})
	s.must(err)
	got, err := s.store.Accept(ctx, scaigrid.Acceptance{
		Bot: tn.bot, Pass: scaigrid.Pass{TenantID: tn.ID, BotID: tn.bot.ID, Subject: visitor}, VisitorID: visitor, Text: "=1+1 how long?", Now: now, LeaseUntil: now.Add(time.Minute), Node: "node_test",
		NewVisitorID:      scaigrid.NewID(scaigrid.KindVisitor, now),
		NewConversationID: scaigrid.NewID(scaigrid.KindConversation, now),
		NewMessageID:      scaigrid.NewID(scaigrid.KindMessage, now), NewReplyID: scaigrid.NewID(scaigrid.KindMessage, now), NewTurnID: scaigrid.NewID(scaigrid.KindTurn, now),
	})
	s.must(err)
	s.must(s.store.FinishTurn(ctx, got.Turn.ID, scaigrid.Outcome{Status: scaigrid.MessageComplete, FinishReason: "stop", Content: "30 days.", Answered: true, Confidence: 0.9}, nil, now))
	tn.conv, tn.turn, tn.reply = got.Turn.ConversationID, got.Turn.ID, got.Turn.ReplyID
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// key makes an API key of the tenant.
func (s *site) key(tn *tenant, perms []scaigrid.Permission, botIDs ...string) string {
	s.t.Helper()
	k := &scaigrid.APIKey{TenantID: tn.ID, UserID: tn.admin.ID, Name: "test", Permissions: perms, BotIDs: botIDs, CreatedAt: s.clock.now()}
	c, err := s.guard.Keys.Issue(context.Background(), k)
	s.must(err)
	return c.Reveal()
}

// token mints an embed token as a site would.
func (s *site) token(tn *tenant, body string) string {
	s.t.Helper()
	a := s.do("POST", bots+"/"+tn.bot.ID+"/embed-token", tn.key, body)
	if a.status != 200 {
		s.t.Fatalf("mint: %d %s", a.status, a.body)
	}
	return a.text("data.token")
}

// answer is what the server said.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do sends one request. A body that begins with { or [ is sent as JSON.
func (s *site) do(method, path, credential, body string, headers ...string) answer {
	s.t.Helper()
	req, err := http.NewRequest(method, s.http.URL+path, strings.NewReader(body))
	s.must(err)
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	return s.send(req)
}

func (s *site) send(req *http.Request) answer {
	s.t.Helper()
	resp, err := s.http.Client().Do(req)
	s.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	s.must(err)
	return answer{s.t, resp.StatusCode, resp.Header, string(b)}
}

// get walks a JSON answer: "data.0.name".
func (a answer) get(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("answer %d is not JSON: %s", a.status, a.body)
	}
	for part := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) text(path string) string {
	a.t.Helper()
	s, _ := a.get(path).(string)
	return s
}

func (a answer) code() string { a.t.Helper(); return a.text("error.code") }

// want checks status and code; code "" stands for success.
func (a answer) want(status int, code string) answer {
	a.t.Helper()
	got := ""
	if a.status >= 400 {
		got = a.code()
	}
	if a.status != status || got != code {
		a.t.Fatalf("answer is %d %s, want %d %s: %s", a.status, got, status, code, a.body)
	}
	return a
}

// field checks that an error names the field.
func (a answer) field(name string) answer {
	a.t.Helper()
	list, _ := a.get("error.details").([]any)
	if !slices.ContainsFunc(list, func(d any) bool { m, _ := d.(map[string]any); return m["field"] == name }) {
		a.t.Fatalf("the error does not name %s: %s", name, a.body)
	}
	return a
}

// decodePart reads the payload of a token.
func decodePart(t testing.TB, token string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
