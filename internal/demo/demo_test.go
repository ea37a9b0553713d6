package demo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid/docs"
	"github.com/scailabs/scaigrid/internal/demo"
)

// mint stands where ScaiGrid's mint endpoint does and keeps what it was asked.
type mint struct {
	*httptest.Server
	path, key string
	body      map[string]any
	answer    string
	status    int
}

func newMint(t *testing.T) *mint {
	t.Helper()
	m := &mint{status: 201, answer: `{"status":"ok","data":{"token":"t0k","expires_at":"2030-01-01T00:00:00Z"},"meta":{}}`}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.path, m.key, m.body = r.URL.Path, r.Header.Get("Authorization"), nil
		if err := json.NewDecoder(r.Body).Decode(&m.body); err != nil {
			t.Errorf("mint: body: %v", err)
		}
		w.WriteHeader(m.status)
		_, _ = io.WriteString(w, m.answer)
	}))
	t.Cleanup(m.Close)
	return m
}

// browser is a client with cookies, on a sample site.
type browser struct {
	*http.Client
	site string
	t    *testing.T
}

func open(t *testing.T, o demo.Options) *browser {
	t.Helper()
	o.APIKey, o.BotID = "sgk_x", "bot_1"
	h, err := demo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{Jar: jar}, srv.URL, t}
}

func (b *browser) get(path string) (*http.Response, string) {
	b.t.Helper()
	res, err := b.Get(b.site + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(body)
}

func (b *browser) signIn(as string) {
	b.t.Helper()
	res, err := b.PostForm(b.site+"/session", url.Values{"as": {as}, "back": {"/floating"}})
	if err != nil {
		b.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 || res.Request.URL.Path != "/floating" {
		b.t.Fatalf("sign in as %s: status %d at %s", as, res.StatusCode, res.Request.URL)
	}
}

func TestTokenEndpointDoesWhatTheTutorialDoes(t *testing.T) {
	m := newMint(t)
	b := open(t, demo.Options{ScaiGridURL: m.URL})

	res, body := b.get("/chat-token")
	if res.StatusCode != 200 || body != `{"token":"t0k","expires_at":"2030-01-01T00:00:00Z"}` || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, Cache-Control %q, body %s; want the data of the envelope", res.StatusCode, res.Header.Get("Cache-Control"), body)
	}
	if m.path != "/v1/modules/scaibot/bots/bot_1/embed-token" || m.key != "Bearer sgk_x" {
		t.Errorf("minted at %s with %s", m.path, m.key)
	}
	for _, field := range []string{"visitor_id", "visitor_email", "metadata"} {
		if v, there := m.body[field]; !there || v != nil {
			t.Errorf("anonymous: %s is %v (there: %t), the tutorial sends null", field, v, there)
		}
	}
	if m.body["ttl_seconds"] != 3600.0 {
		t.Errorf("ttl_seconds is %v", m.body["ttl_seconds"])
	}

	b.signIn("alice")
	b.get("/chat-token")
	if m.body["visitor_id"] != "usr_42" || m.body["visitor_email"] != "alice@example.com" {
		t.Errorf("signed in: %v", m.body)
	}
	b.signIn("bob")
	b.get("/chat-token")
	if m.body["visitor_id"] != 1043.0 {
		t.Errorf("an integer id is sent as %v", m.body["visitor_id"])
	}

	req, err := http.NewRequest(http.MethodDelete, b.site+"/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	out.Body.Close()
	b.get("/chat-token")
	if m.body["visitor_id"] != nil {
		t.Errorf("after signing out: %v", m.body)
	}
}

func TestTokenEndpointSaysWhatWentWrong(t *testing.T) {
	m := newMint(t)
	b := open(t, demo.Options{ScaiGridURL: m.URL})
	m.status, m.answer = 401, `{"status":"error","error":{"code":"AUTH_TOKEN_INVALID","message":"The key is not one of ours."}}`
	if res, body := b.get("/chat-token"); res.StatusCode != 502 || !strings.Contains(body, "AUTH_TOKEN_INVALID") || strings.Contains(body, "sgk_x") {
		t.Errorf("refused: status %d, body %s", res.StatusCode, body)
	}
	m.answer = "<html>"
	if res, body := b.get("/chat-token"); res.StatusCode != 502 || !strings.Contains(body, "without JSON") {
		t.Errorf("no JSON: status %d, body %s", res.StatusCode, body)
	}
	m.Close()
	if res, body := b.get("/chat-token"); res.StatusCode != 502 || !strings.Contains(body, "can't be reached") {
		t.Errorf("down: status %d, body %s", res.StatusCode, body)
	}
}

func TestPolicies(t *testing.T) {
	const host = "http://127.0.0.1:8000"
	b := open(t, demo.Options{ScaiGridURL: host + "/"})
	strict := "default-src 'none'; script-src " + host + "; connect-src 'self' " + host + "; img-src " + host + " data:; style-src 'self'; base-uri 'none'"
	for query, want := range map[string]string{
		"": "script-src 'self' " + host + "; connect-src 'self' " + host + "; img-src 'self' " + host +
			" data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:",
		"?policy=strict":        strict,
		"?policy=trusted-types": strict + "; require-trusted-types-for 'script'; trusted-types 'none'",
		"?policy=coep":          strict,
		"?policy=none":          "",
	} {
		res, _ := b.get("/floating" + query)
		if got := res.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%q:\n got %s\nwant %s", query, got, want)
		}
		if got := res.Header.Get("Cross-Origin-Embedder-Policy"); (got == "require-corp") != (query == "?policy=coep") {
			t.Errorf("%q: Cross-Origin-Embedder-Policy %q", query, got)
		}
	}
	if res, _ := b.get("/floating?policy=nonsense"); !strings.Contains(res.Header.Get("Content-Security-Policy"), "'unsafe-inline'") {
		t.Error("an unknown policy is not the tutorial's")
	}
	if res, _ := b.get("/app?policy=strict"); !strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src 'self' "+host) {
		t.Error("the app's own script is not allowed")
	}
}

var nonceForm = regexp.MustCompile(`'nonce-([A-Z0-9]+)' 'strict-dynamic'`)

func TestNonceIsFreshAndOnEveryScript(t *testing.T) {
	b := open(t, demo.Options{ScaiGridURL: "http://127.0.0.1:8000"})
	seen := map[string]bool{}
	for range 2 {
		res, body := b.get("/app?policy=nonce")
		found := nonceForm.FindStringSubmatch(res.Header.Get("Content-Security-Policy"))
		if found == nil || seen[found[1]] {
			t.Fatalf("policy %q", res.Header.Get("Content-Security-Policy"))
		}
		seen[found[1]] = true
		if n := strings.Count(body, `nonce="`+found[1]+`"`); n != strings.Count(body, "<script") || n != 2 {
			t.Errorf("%d of %d scripts carry the nonce", n, strings.Count(body, "<script"))
		}
	}
}

func TestPagesHaveNoInlineScriptOrStyle(t *testing.T) {
	b := open(t, demo.Options{ScaiGridURL: "http://127.0.0.1:8000"})
	inline := regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]|\sstyle=|\son[a-z]+=|<style`)
	for _, path := range []string{"/", "/floating", "/inline", "/styled", "/app", "/app/orders"} {
		res, body := b.get(path)
		if res.StatusCode != 200 || !strings.Contains(body, `data-bot-id="bot_1"`) || !strings.Contains(body, `data-token-url="/chat-token"`) {
			t.Errorf("%s: status %d, without the tutorial's tag", path, res.StatusCode)
		}
		if found := inline.FindString(body); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		if !strings.Contains(body, `src="http://127.0.0.1:8000/static/modules/scaibot/widget.js"`) {
			t.Errorf("%s does not load the widget from the server", path)
		}
	}
	for _, path := range []string{"/shop.css", "/app.js", "/your-scaibot.css"} {
		if res, _ := b.get(path); res.StatusCode != 200 {
			t.Errorf("%s: status %d", path, res.StatusCode)
		}
	}
}

func TestAttributesFromTheAddress(t *testing.T) {
	b := open(t, demo.Options{ScaiGridURL: "http://127.0.0.1:8000"})
	_, body := b.get("/floating?data-position=top-left&data-title=" + url.QueryEscape(`"><script>alert(1)</script>`) +
		"&data-bot-id=bot_evil&data-host=https://evil.example&data-token-url=//evil.example/t&onload=alert(1)&data-x%22y=1")
	_, tag, _ := strings.Cut(body, "<script\n")
	tag, _, _ = strings.Cut(tag, "</script>")
	if !strings.Contains(tag, ` data-position="top-left"`) {
		t.Errorf("data-position is not on the tag: %s", tag)
	}
	for _, bad := range []string{"bot_evil", `data-host="`, `"//evil.example/t"`, "<script>alert", "onload=\"", `data-x"y`} {
		if strings.Contains(tag, bad) || strings.Contains(body, "<script>alert") {
			t.Errorf("%q came through", bad)
		}
	}
}

func TestSignInLeadsBackWithinTheSite(t *testing.T) {
	b := open(t, demo.Options{ScaiGridURL: "http://127.0.0.1:8000"})
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for back, want := range map[string]string{
		"/app?policy=strict": "/app?policy=strict", "": "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "/%0d%0ax": "/%0D%0Ax",
	} {
		res, err := b.PostForm(b.site+"/session", url.Values{"as": {"alice"}, "back": {back}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != want {
			t.Errorf("back=%q: status %d to %q, want %q", back, res.StatusCode, got, want)
		}
	}
	req, err := http.NewRequest(http.MethodPost, b.site+"/session", strings.NewReader("as=alice"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := b.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("another site may sign visitors in: status %d", res.StatusCode)
	}
}

func TestBotAndItsDocuments(t *testing.T) {
	c := demo.Bot()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	pages, err := docs.Pages(docs.Generated{})
	if err != nil {
		t.Fatal(err)
	}
	got := demo.Documents(pages, "http://127.0.0.1:8000")
	if len(got) != len(pages)-2 { // without the first page and the list of endpoints
		t.Errorf("%d documents of %d pages", len(got), len(pages))
	}
	for _, d := range got {
		if d.Name == "" || len(d.Text) < 200 || !strings.HasPrefix(d.URL, "http://127.0.0.1:8000/docs") {
			t.Errorf("document %q at %q with %d bytes", d.Name, d.URL, len(d.Text))
		}
	}
}

func TestNewRefusesAnAddressThatIsNone(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8000", "ftp://x", "http://", "://"} {
		if _, err := demo.New(demo.Options{ScaiGridURL: address}); err == nil {
			t.Errorf("%q was taken for the address of a server", address)
		}
	}
}
