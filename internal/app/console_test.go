package app

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

// alone opens an installation that no server runs.
func alone(t *testing.T, dir string) *Console {
	t.Helper()
	c, err := OpenConsole(t.Context(), settings(t, dir, nil), "test", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func plant(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const helpBot = `
name: Help
slug: help
model: scaigrid/extractive
status: active
knowledge_enabled: true
welcome_message: Hi
documents: {folder: docs, url: "https://x.example/{path}", prune: true}
`

func planAndApply(t *testing.T, c *Console, file string) []*BotPlan {
	t.Helper()
	files, err := ReadBotFiles(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var plans []*BotPlan
	for i := range files {
		p, err := c.Plan(t.Context(), &files[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(t.Context(), p, true); err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	return plans
}

func changed(p *BotPlan) string {
	var out []string
	for _, f := range p.Fields {
		out = append(out, f.Field)
	}
	for _, d := range p.Documents {
		out = append(out, d.Sign()+d.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestApplyMakesWhatTheFileSaysAndNothingTwice(t *testing.T) {
	c := alone(t, t.TempDir())
	dir := t.TempDir()
	file := filepath.Join(dir, "bots.yaml")
	plant(t, dir, map[string]string{"bots.yaml": helpBot, "docs/a.md": "# A\n\nAlpha.\n", "docs/sub/b c.txt": "Beta.\n", "docs/.hidden.md": "x", "docs/pic.png": "x"})

	first := planAndApply(t, c, file)[0]
	if !first.Create || !strings.Contains(changed(first), "+a.md +sub/b c.txt") {
		t.Errorf("first: %s", changed(first))
	}
	docs, err := c.Documents(t.Context(), first.BotID)
	if err != nil || len(docs) != 2 {
		t.Fatalf("%v %d documents", err, len(docs))
	}
	urls := []string{docs[0].URL, docs[1].URL}
	slices.Sort(urls)
	if strings.Join(urls, " ") != "https://x.example/a https://x.example/sub/b%20c" || docs[0].Status != scaigrid.DocumentIndexed {
		t.Errorf("%v %s", urls, docs[0].Status)
	}
	if again := planAndApply(t, c, file)[0]; !again.Empty() || again.BotID != first.BotID {
		t.Errorf("again: %s", changed(again))
	}
	plant(t, dir, map[string]string{"bots.yaml": strings.Replace(helpBot, "welcome_message: Hi", "welcome_message: Hello", 1), "docs/a.md": "# A\n\nChanged.\n", "docs/new.md": "# N\n\nNew.\n"})
	if err := os.Remove(filepath.Join(dir, "docs/sub/b c.txt")); err != nil {
		t.Fatal(err)
	}
	if got := changed(planAndApply(t, c, file)[0]); got != "+new.md -sub/b c.txt welcome_message ~a.md" {
		t.Errorf("changes: %s", got)
	}
	if again := planAndApply(t, c, file)[0]; !again.Empty() {
		t.Errorf("again: %s", changed(again))
	}
}

func TestPlanChangesNothing(t *testing.T) {
	c := alone(t, t.TempDir())
	dir := t.TempDir()
	plant(t, dir, map[string]string{"b.yaml": helpBot, "docs/a.md": "# A\n\nAlpha.\n"})
	files, err := ReadBotFiles(filepath.Join(dir, "b.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plan(t.Context(), &files[0]); err != nil {
		t.Fatal(err)
	}
	if bots, err := c.Bots(t.Context(), ""); err != nil || len(bots) != 0 {
		t.Errorf("%v %v", err, bots)
	}
}

// A bot that somebody changed after the plan was made is not overwritten.
func TestApplyRefusesAStalePlan(t *testing.T) {
	c := alone(t, t.TempDir())
	dir := t.TempDir()
	file := filepath.Join(dir, "b.yaml")
	plant(t, dir, map[string]string{"b.yaml": helpBot, "docs/a.md": "# A\n\nAlpha.\n"})
	planAndApply(t, c, file)
	plant(t, dir, map[string]string{"b.yaml": strings.Replace(helpBot, "Hi", "Hello", 1)})
	files, err := ReadBotFiles(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Plan(t.Context(), &files[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.store.SetBotStatus(t.Context(), c.tenant.ID, p.BotID, scaigrid.BotDraft, 0, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), p, true); scaigrid.ErrorCode(err) != scaigrid.CodeConflict {
		t.Errorf("error: %v", err)
	}
}

// Exported, deleted and applied again, a bot and its documents are the same.
func TestExportAndApplyGoRound(t *testing.T) {
	c := alone(t, t.TempDir())
	dir, out := t.TempDir(), t.TempDir()
	plant(t, dir, map[string]string{"b.yaml": helpBot, "docs/a.md": "# A\n\nAlpha.\n", "docs/sub/b.txt": "Beta.\n"})
	p := planAndApply(t, c, filepath.Join(dir, "b.yaml"))[0]
	before, err := c.Bot(t.Context(), "help")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.ExportDocuments(t.Context(), p.BotID, filepath.Join(out, "texts")); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	f, err := os.Create(filepath.Join(out, "bot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteBotFile(f, &before.Bot, &DocumentFolder{Folder: RelativeTo(f.Name(), filepath.Join(out, "texts")), URL: "https://x.example/{path}"}); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if again := planAndApply(t, c, f.Name())[0]; !again.Empty() {
		t.Errorf("the export differs from the bot: %s", changed(again))
	}
	if err := c.DeleteBot(t.Context(), p.BotID); err != nil {
		t.Fatal(err)
	}
	if again := planAndApply(t, c, f.Name())[0]; !again.Create || len(again.Documents) != 2 {
		t.Errorf("applied anew: %s", changed(again))
	}
}

func TestExportedNamesStayInTheirFolder(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range []struct{ name, media, want string }{
		{"../../etc/passwd", "text/plain", "etc/passwd.txt"},
		{"/abs/x.md", "text/markdown", "abs/x.md"},
		{"ABS/X.md", "text/markdown", "doc_1-X.md"},
		{"a\x00b:c.md", "text/markdown", "a-b-c.md"},
		{"...", "text/markdown", "doc_1.md"},
		{`..\..\w.txt`, "text/plain", "-..-w.txt"},
		{"What ScaiGrid is", "text/markdown", "What ScaiGrid is.md"},
	} {
		if got := fileName(&scaigrid.Document{ID: "doc_1", Name: c.name, MediaType: c.media}, taken); got != c.want {
			t.Errorf("%q: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAskLeavesNothingBehind(t *testing.T) {
	c := alone(t, t.TempDir())
	dir := t.TempDir()
	plant(t, dir, map[string]string{"b.yaml": helpBot, "docs/a.md": "# Warranty\n\nThe warranty of a bicycle lasts five years.\n"})
	planAndApply(t, c, filepath.Join(dir, "b.yaml"))
	bot, err := c.Bot(t.Context(), "help")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	a, err := c.Ask(t.Context(), &bot.Bot, "How many years does the warranty of a bicycle last?", func(s string) { said.WriteString(s) })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.Answer, "five years") || said.String() != a.Answer || !a.Answered || len(a.Citations) != 1 || a.FinishReason != "stop" {
		t.Errorf("%+v, said %q", a, said.String())
	}
	list, _, err := c.store.Conversations(t.Context(), c.tenant.ID, scaigrid.ConversationFilter{Preview: true}, scaigrid.PageRequest{Limit: 10})
	if err != nil || len(list) != 0 {
		t.Errorf("%v, %d conversations are left", err, len(list))
	}
}

func TestAskStopsWhenTheOperatorDoes(t *testing.T) {
	model := newSlowModel(t)
	p := launch(t, t.TempDir(), map[string]string{"openai_base_url": model.URL})
	c := p.console()
	b := p.bot(c, "openai/slow")
	ctx, stop := contextWithStop(t)
	done := make(chan error, 1)
	go func() {
		_, err := c.Ask(ctx, b, "Hello?", func(string) { stop() })
		done <- err
	}()
	<-model.asked
	model.words <- "word"
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
}

func TestKeysAreChecked(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	c := p.console()
	for name, n := range map[string]NewKey{
		"no name": {Name: " ", Role: "tenant_admin"}, "role": {Name: "a", Role: "boss"}, "permission": {Name: "a", Permissions: []string{"all"}},
		"bot": {Name: "a", Role: "agent", Bots: []string{"nobody"}}, "expiry": {Name: "a", Role: "agent", ExpiresIn: -time.Second}, "long": {Name: strings.Repeat("x", 201), Role: "agent"},
	} {
		if _, _, err := c.CreateKey(t.Context(), n); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	b := p.bot(c, scaigrid.ExtractiveModel)
	key, text, err := c.CreateKey(t.Context(), NewKey{Name: "ci", Permissions: []string{"scaibot:bots:read"}, Bots: []string{b.Slug}})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := p.call("GET", "/v1/modules/scaibot/bots/"+b.ID, text, nil); status != 200 {
		t.Errorf("the running server: %d %s", status, body)
	}
	if status, _ := p.call("POST", "/v1/modules/scaibot/bots/"+b.ID+"/embed-token", text, nil); status != 403 {
		t.Errorf("what it may not do: %d", status)
	}
	if _, err := c.RevokeKey(t.Context(), key.Prefix+"…"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		status, _ := p.call("GET", "/v1/modules/scaibot/bots/"+b.ID, text, nil)
		return status == 401
	})
	if state := c.KeyState(mustKey(t, c, key.ID)); state != "revoked" {
		t.Error(state)
	}
}

func mustKey(t *testing.T, c *Console, id string) *scaigrid.APIKey {
	t.Helper()
	keys, err := c.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		if keys[i].ID == id {
			return &keys[i]
		}
	}
	t.Fatal("the key is gone")
	return nil
}

func TestMintChecks(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	c := p.console()
	b := p.bot(c, scaigrid.ExtractiveModel)
	for name, n := range map[string]NewToken{
		"short": {TTL: time.Second}, "long": {TTL: 25 * time.Hour}, "who": {TTL: time.Hour, Email: "a@b.c"},
		"metadata": {TTL: time.Hour, VisitorID: "1", Metadata: []byte("{")}, "origin": {TTL: time.Hour, Origins: []string{"shop"}},
		"id": {TTL: time.Hour, VisitorID: strings.Repeat("x", 257)},
	} {
		if _, err := c.Mint(t.Context(), b, n); scaigrid.ErrorCode(err) != scaigrid.CodeValidation {
			t.Errorf("%s: %v", name, err)
		}
	}
	token := p.token(c, b, NewToken{TTL: time.Hour, VisitorID: "42", Email: "a@b.c", Name: "A", Metadata: []byte(`{ "plan": "pro" }`)})
	if status, body := p.call("POST", chatPath, token, map[string]any{"message": "Hi", "stream": false}); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	list, _, err := c.store.Conversations(t.Context(), c.tenant.ID, scaigrid.ConversationFilter{}, scaigrid.PageRequest{Limit: 10})
	if err != nil || len(list) != 1 || list[0].Visitor.ID == nil || *list[0].Visitor.ID != "42" || !list[0].Visitor.Verified || string(list[0].Metadata) != `{"plan":"pro"}` {
		t.Errorf("%v %+v", err, list)
	}
}

// The secret is replaced in one go or in two, while a server runs; a node with
// another one refuses to start and names the setting.
func TestSecretRotation(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(t.TempDir(), "old")
	p := launch(t, dir, nil)
	c := p.console()
	b := p.bot(c, scaigrid.ExtractiveModel)
	_, key, err := c.CreateKey(t.Context(), NewKey{Name: "ci", Role: "tenant_admin"})
	if err != nil {
		t.Fatal(err)
	}
	token := p.token(c, b, NewToken{TTL: time.Hour})
	text, err := os.ReadFile(filepath.Join(dir, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	plant(t, filepath.Dir(old), map[string]string{"old": string(text)})
	works := func(p *program) {
		t.Helper()
		if status, body := p.call("GET", "/v1/modules/scaibot/bots/"+b.ID, key, nil); status != 200 {
			t.Errorf("key: %d %s", status, body)
		}
		if status, body := p.call("POST", chatPath, token, map[string]any{"message": "Hi", "stream": false}); status != 200 {
			t.Errorf("token: %d %s", status, body)
		}
	}
	for _, step := range []func() error{c.PrepareSecret, func() error { return c.FinishSecret(t.Context()) }, c.PrepareSecret, c.PrepareSecret, func() error { return c.FinishSecret(t.Context()) }} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		works(p)
	}
	p.stop()
	_ = p.wait()
	_ = c.Close()
	err = refused(t, ServeOptions{Config: settings(t, dir, map[string]string{"secret_file": old}), Stdout: io.Discard, Stderr: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "SCAIGRID_SECRET_FILE") {
		t.Errorf("the old secret: %v", err)
	}
	if f := Examine(t.Context(), settings(t, dir, map[string]string{"secret_file": old}), false); f.Err() == nil {
		t.Errorf("doctor: %+v", f)
	}
	works(launch(t, dir, nil))
}

func TestSigningKeyRotation(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	c := p.console()
	b := p.bot(c, scaigrid.ExtractiveModel)
	token := p.token(c, b, NewToken{TTL: time.Hour})
	current := func() int {
		status, _ := p.call("GET", chatPath+"/conversation", token, nil)
		return status
	}
	if err := c.RotateSigningKey(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if s := current(); s != 200 {
		t.Errorf("after a rotation: %d", s)
	}
	if err := c.RotateSigningKey(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return current() == 401 || current() == 403 })
	token = p.token(c, b, NewToken{TTL: time.Hour})
	if s := current(); s != 200 {
		t.Errorf("a new token: %d", s)
	}
}

func TestSlugOf(t *testing.T) {
	for name, want := range map[string]string{"Help": "help", "Café & Bar": "caf-bar", "  A  B ": "a-b", "日本": "bot", "": "bot", strings.Repeat("x", 200): strings.Repeat("x", 100)} {
		if got := SlugOf(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}
