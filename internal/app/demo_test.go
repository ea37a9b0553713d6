package app

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/demo"
)

func asDemo(o *ServeOptions) { o.Demo = true }

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// The demo's sample site mints tokens with which its bot answers from the
// documentation; a second start makes nothing twice.
func TestDemoAnswersAndIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir, nil, asDemo)
	if !strings.HasPrefix(p.sample, "http://localhost:") || !strings.Contains(p.stdout.String(), p.sample) {
		t.Errorf("sample site %q, banner:\n%s", p.sample, p.stdout.String())
	}
	status, body := get(t, p.sample+"/chat-token")
	token := between(body, `"token":"`, `"`)
	if status != 200 || token == "" {
		t.Fatalf("%d %s", status, body)
	}
	c := p.console()
	bot, err := c.Bot(t.Context(), demo.BotSlug)
	if err != nil {
		t.Fatal(err)
	}
	if bot.Status != scaigrid.BotActive || bot.Documents < 10 {
		t.Errorf("%s with %d documents", bot.Status, bot.Documents)
	}
	waitFor(t, func() bool { return allIndexed(t, c, bot.ID) })
	_, body = p.call("POST", chatPath, token, map[string]any{"message": "Which environment variable names the data folder?", "stream": false})
	if !strings.Contains(body, `"citations":[{`) || !strings.Contains(body, p.url+"/docs/") {
		t.Errorf("answer: %s", body)
	}
	versions := versionsOf(t, c, bot.ID)
	p.stop()
	_ = p.wait()
	_ = c.Close()

	again := launch(t, dir, map[string]string{"addr": strings.TrimPrefix(p.url, "http://")}, asDemo)
	c = again.console()
	bots, err := c.Bots(t.Context(), "")
	if err != nil || len(bots) != 1 || bots[0].ID != bot.ID || bots[0].Version != bot.Version {
		t.Errorf("bots: %v %+v", err, bots)
	}
	for name, v := range versionsOf(t, c, bot.ID) {
		if versions[name] != v {
			t.Errorf("%s went from version %d to %d", name, versions[name], v)
		}
	}
	keys, err := c.Keys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if status, body := again.call("POST", chatPath, token, map[string]any{"message": "Still there?", "stream": false}); status != 200 {
		t.Errorf("the page that was open: %d %s", status, body)
	}
}

func allIndexed(t *testing.T, c *Console, botID string) bool {
	t.Helper()
	docs, err := c.Documents(t.Context(), botID)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		if d.Status == scaigrid.DocumentFailed {
			t.Fatalf("%s: %+v", d.Name, d.Error)
		}
		if d.Status != scaigrid.DocumentIndexed {
			return false
		}
	}
	return true
}

func versionsOf(t *testing.T, c *Console, botID string) map[string]int64 {
	t.Helper()
	docs, err := c.Documents(t.Context(), botID)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, d := range docs {
		out[d.Name] = d.Version
	}
	return out
}

// A page that this binary has otherwise than the database is replaced, one
// that is gone is deleted, and what the operator added stays.
func TestDemoFollowsTheDocumentation(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir, nil, asDemo)
	c := p.console()
	bot, err := c.Bot(t.Context(), demo.BotSlug)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return allIndexed(t, c, bot.ID) })
	old := versionsOf(t, c, bot.ID)
	docs, err := c.Documents(t.Context(), bot.ID)
	if err != nil {
		t.Fatal(err)
	}
	stale := docs[0]
	stale.SHA256 = digest([]byte("an older page"))
	if _, err := c.store.ReplaceDocument(t.Context(), stale, []byte("an older page"), 0, time.Now()); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.md")
	if err := os.WriteFile(own, []byte("# Own\n\nMine.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddDocuments(t.Context(), &bot.Bot, []string{own}, "", true); err != nil {
		t.Fatal(err)
	}
	gone := &scaigrid.Document{ID: scaigrid.NewID(scaigrid.KindDocument, time.Now()), TenantID: bot.TenantID, BotID: bot.ID, Name: "A page of before", Source: "file", MediaType: "text/markdown", URL: p.url + "/docs/before", CreatedAt: time.Now()}
	if err := c.store.AddDocument(t.Context(), gone, []byte("# Before\n")); err != nil {
		t.Fatal(err)
	}
	p.stop()
	_ = p.wait()
	_ = c.Close()
	again := launch(t, dir, map[string]string{"addr": strings.TrimPrefix(p.url, "http://")}, asDemo)
	now := versionsOf(t, again.console(), bot.ID)
	if now[stale.Name] != old[stale.Name]+2 {
		t.Errorf("the stale page has version %d after %d", now[stale.Name], old[stale.Name])
	}
	if _, there := now["A page of before"]; there || now["own.md"] == 0 {
		t.Errorf("documents: %v", now)
	}
	if len(now) != len(old)+1 {
		t.Errorf("%d documents, there were %d", len(now), len(old))
	}
}
