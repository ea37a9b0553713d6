package app

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid"
)

func TestBotFileTakesDefaults(t *testing.T) {
	bots, err := parseBotFiles([]byte("name: Help\nslug: help\nmodel: scaigrid/extractive\nknowledge_settings: {top_k: 9}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := scaigrid.DefaultBotConfig()
	want.Name, want.Slug, want.Model, want.KnowledgeSettings.TopK = "Help", "help", "scaigrid/extractive", 9
	if !reflect.DeepEqual(bots[0].BotConfig, want) || bots[0].Status != "draft" {
		t.Errorf("got  %+v\nwant %+v", bots[0].BotConfig, want)
	}
}

func TestBotFileMistakes(t *testing.T) {
	const good = "name: A\nslug: a\nmodel: scaigrid/extractive\n"
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "there is no bot"},
		{"comment", "# later\n", "there is no bot"},
		{"unknown field", good + "colour: red\n", "colour"},
		{"unknown nested field", good + "limits: {turns: 1}\n", "turns"},
		{"wrong type", good + "max_context_messages: many\n", "max_context_messages"},
		{"no name", "slug: a\nmodel: scaigrid/extractive\n", "name is required"},
		{"bad slug", "name: A\nslug: A B\nmodel: x/y\n", "slug must be"},
		{"bad status", good + "status: on\n", "status must be"},
		{"no folder", good + "documents: {url: x}\n", "documents.folder"},
		{"twice", good + "---\n" + good, "stands twice"},
		{"field twice", good + "name: B\n", "name"},
		{"out of range", good + "knowledge_settings: {top_k: 99}\n", "between 1 and 50"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseBotFiles([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

// What is exported reads back as the same bot, whatever its fields hold.
func TestBotFileRoundTrip(t *testing.T) {
	full := scaigrid.DefaultBotConfig()
	full.Name, full.Slug, full.Model = "Help: \"us\" # 1", "help-1", "openai/gpt-4o-mini"
	full.WelcomeMessage = "Hello!\n\n  two lines:\n- and a dash\n"
	full.PlaceholderText, full.PrimaryColor, full.Locale = "yes", "#123", "no"
	full.KnowledgeSettings.ScoreThreshold, full.KnowledgeSettings.Deduplicate = 0, false
	full.KnowledgeEnabled, full.IdentityRequired, full.JoinAnonymous = true, true, false
	full.AllowedOrigins = []string{"https://*.example.com", "null"}
	full.SuggestedQuestions = []string{"1e3", "~", "true", "What: \u00e9?"}
	full.Appearance = map[string]string{"z-index": "10", "--scaibot-primary": "#fff"}
	full.Limits.DailyTokens, full.RetentionDays = 1_000_000, 30
	small := scaigrid.DefaultBotConfig()
	small.Name, small.Slug, small.Model = "S", "s", "scaigrid/extractive"
	for _, c := range []scaigrid.BotConfig{full, small} {
		var b bytes.Buffer
		if err := WriteBotFile(&b, &scaigrid.Bot{Status: scaigrid.BotActive, BotConfig: c}, &DocumentFolder{Folder: "docs", URL: "https://x/{path}"}); err != nil {
			t.Fatal(err)
		}
		bots, err := parseBotFiles(b.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if d := differences(fieldsOf(scaigrid.BotActive, c), fieldsOf(scaigrid.BotStatus(bots[0].Status), bots[0].BotConfig)); len(d) != 0 {
			t.Errorf("differs in %s: %s → %s\n%s", d[0].Field, d[0].From, d[0].To, b.String())
		}
		if bots[0].Documents.URL != "https://x/{path}" {
			t.Error("documents were lost")
		}
	}
}

// The list of differences compares every field: a field that is forgotten here
// could never be applied.
func TestEveryFieldIsCompared(t *testing.T) {
	have := fieldsOf(scaigrid.BotDraft, scaigrid.DefaultBotConfig())
	if len(have) != 1+reflect.TypeFor[scaigrid.BotConfig]().NumField()-2+
		reflect.TypeFor[scaigrid.KnowledgeSettings]().NumField()+reflect.TypeFor[scaigrid.BotLimits]().NumField() {
		t.Errorf("%d fields are compared", len(have))
	}
}

func FuzzBotFile(f *testing.F) {
	f.Add([]byte("name: A\nslug: a\nmodel: x/y\n---\nname: B\n"))
	f.Add([]byte("appearance: {a: &x b, c: *x}\n"))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = parseBotFiles(data) })
}
