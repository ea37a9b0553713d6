package app

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// S8: nothing secret and nothing that a visitor said ever stands in a log, at
// the level that says most, whatever fails.
func TestNoSecretReachesTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) { noSecretReachesTheLog(t, format) })
	}
}

func noSecretReachesTheLog(t *testing.T, format string) {
	const provider, said, mail, name, meta, answer, doc, visitor = "sk-canaryprovider1", "canarysaid2", "canarymail3@example.com", "Canaryname4", "canarymeta5", "canaryanswer6", "canarydoc7", "canaryvisitor8"
	good := newSlowModel(t)
	leaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":{"message":"Incorrect API key provided: ` + r.Header.Get("Authorization") + `"}}`))
	}))
	t.Cleanup(leaky.Close)
	p := launch(t, t.TempDir(), map[string]string{"openai_base_url": good.URL, "openai_api_key": provider, "log_format": format, "shutdown_grace": "0s"},
		func(o *ServeOptions) {
			o.Config.Providers = append(o.Config.Providers, providerAt("leaky", leaky.URL, provider+"b"))
		})
	c := p.console()
	key, text, err := c.CreateKey(t.Context(), NewKey{Name: "ci", Role: "tenant_admin"})
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{provider, said, mail, name, meta, answer, doc, visitor, text, strings.TrimPrefix(text, key.Prefix)}
	file, err := os.ReadFile(filepath.Join(p.cfg.DataDir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(file)) {
		if _, code, ok := strings.Cut(line, "scaigrid-secret-1:"); ok {
			secrets = append(secrets, code)
		}
	}
	b := p.bot(c, "openai/slow")
	bots := "/v1/modules/scaibot/bots/"
	_, minted := p.call("POST", bots+b.ID+"/embed-token", text, map[string]any{"visitor_id": visitor, "visitor_email": mail, "visitor_name": name, "metadata": map[string]string{"x": meta}})
	token := between(minted, `"token":"`, `"`)
	if token == "" {
		t.Fatal(minted)
	}
	secrets = append(secrets, token)

	// Calls that work, calls that fail in every way, and calls that are cut.
	p.call("POST", bots+b.ID+"/documents", text, map[string]any{"name": doc + ".md", "text": "# T\n\n" + doc})
	p.call("POST", bots+b.ID+"/search", text, map[string]any{"query": said})
	p.call("POST", bots+b.ID+"/embed-token", text, map[string]any{"visitor_email": []string{mail}})
	p.call("POST", bots+b.ID+"/embed-token", text, map[string]any{mail: said})
	p.call("GET", "/v1/modules/scaibot/conversations?q="+said+"&visitor_id="+visitor, text, nil)
	p.call("GET", "/nowhere/"+said+"?token="+token, token, nil)
	p.call("GET", bots+b.ID, token, nil)
	p.call("GET", bots+b.ID, text+"x", nil)
	p.call("GET", bots+b.ID, text, nil, "Origin", "https://shop.example")
	p.call("POST", chatPath, token+"x", map[string]any{"message": said})
	p.call("POST", chatPath, token, map[string]any{"message": []string{said}})
	stream := p.send("POST", chatPath, token, map[string]any{"message": said, "visitor": map[string]string{"email": mail, "name": name}}, "X-ScaiBot-Visitor", strings.Repeat("canaryke", 5)+"AAA")
	<-good.asked
	good.words <- answer
	readUntil(t, bufio.NewReader(stream.Body), answer)
	_ = stream.Body.Close()
	leak := p.bot(c, "leaky/m")
	if _, body := p.call("POST", chatPath, p.token(c, leak, NewToken{TTL: time.Hour}), map[string]any{"message": said, "stream": false}); strings.Contains(body, provider) {
		t.Errorf("the provider's key reaches a visitor: %s", body)
	}
	p.stop()
	_ = p.wait()
	log := p.stderr.String()
	for _, s := range secrets {
		if i := strings.Index(log, s); i >= 0 {
			t.Errorf("%.12s… is in the log: …%s…", s, log[max(0, i-200):min(len(log), i+80)])
		}
	}
	if !strings.Contains(log, "embed-token") || !strings.Contains(log, "DEBUG") {
		t.Errorf("the log does not say what this test looks at:\n%.2000s", log)
	}
}

func between(s, before, after string) string {
	_, rest, _ := strings.Cut(s, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// What others' libraries repeat in an error is redacted by its form.
func TestRedactor(t *testing.T) {
	cfg := settings(t, t.TempDir(), map[string]string{"database_url": "postgres://u:hunter2secret@h/d", "openai_api_key": "plainkey99"})
	r := newRedactor(&cfg.Config)
	for in, want := range map[string]string{
		"key sgk_abcdefghij_0123456789 x":     "key [redacted] x",
		"Bearer abc.def,":                     "[redacted],",
		"authorization: bearer eyJhbGciOi":    "authorization: [redacted]",
		"t=eyJhbGciOiJI.eyJpc3Mi.c2ln end":    "t=[redacted] end",
		"sk-proj-abcdef123456 bad":            "[redacted] bad",
		"dial postgres://u:pw@h/d failed":     "dial postgres[redacted]h/d failed",
		"mail to alice+x@shop.example failed": "mail to [redacted] failed",
		"the password hunter2secret":          "the password [redacted]",
		"key plainkey99":                      "key [redacted]",
		"nothing here: bot_123 10:20 50%":     "nothing here: bot_123 10:20 50%",
	} {
		if got := r.text(in); got != want {
			t.Errorf("%q → %q, want %q", in, got, want)
		}
	}
}
