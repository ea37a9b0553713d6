package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNothingSetGivesTheDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := Load(Input{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Addr != "127.0.0.1:8000" || l.DataDir != "./data" || l.ShutdownGrace != 25*time.Second || !l.Limits || l.LimitMintMinute != 6000 {
		t.Errorf("defaults: %+v", l.Config)
	}
	if got := l.ExternalURL(); got != "http://127.0.0.1:8000" {
		t.Errorf("ExternalURL = %s", got)
	}
	if len(l.Sources) != 0 || len(l.Warnings) != 0 || l.File != "" {
		t.Errorf("sources %v, warnings %v, file %q", l.Sources, l.Warnings, l.File)
	}
}

// Every setting is taken from each place, and each place wins over those after it.
func TestEverySettingFromEverySource(t *testing.T) {
	samples := map[string][3]string{ // as file, environment and flag give it
		"public_url": {"https://a.example", "https://b.example", "https://c.example"}, "trusted_proxies": {"10.0.0.0/8", "192.168.0.0/16", "::1"},
		"tls_cert": {"", "", ""}, "tls_key": {"", "", ""}, "tls_acme": {"a.example", "b.example", "c.example"},
		"shutdown_grace": {"1s", "2s", "3s"}, "database_url": {"postgres://a/x", "postgres://b/x", "postgres://c/x"},
		"log_level": {"debug", "warn", "error"}, "log_format": {"text", "json", "text"}, "limits": {"off", "on", "off"},
		"openai_base_url": {"http://a/v1", "http://b/v1", "http://c/v1"}, "addr": {":1", ":2", ":3"}, "demo_addr": {":1", ":2", ":3"},
	}
	for _, s := range Settings() {
		v, ok := samples[s.Key]
		if !ok && strings.HasPrefix(s.Key, "limit_") {
			v, ok = [3]string{"11", "12", "13"}, true
		}
		if !ok {
			v = [3]string{"one", "two", "three"}
		}
		if v[0] == "" {
			continue
		}
		file := write(t, "s.yaml", s.Key+": \""+v[0]+"\"\n")
		for n, want := range []string{file + " line 1", s.Env, "--" + s.Flag} {
			in := Input{File: file}
			if n >= 1 {
				in.Environ = []string{s.Env + "=" + v[1]}
			}
			if n >= 2 {
				in.Flags = map[string]string{s.Key: v[2]}
			}
			l, err := Load(in)
			if err != nil {
				t.Errorf("%s from %s: %v", s.Key, want, err)
				continue
			}
			if l.Sources[s.Key] != want {
				t.Errorf("%s: source %q, want %q", s.Key, l.Sources[s.Key], want)
			}
			for _, held := range settings(&l.Config) {
				expected := v[n]
				if expected == "::1" {
					expected = "::1/128"
				}
				got := held.text()
				if held.Secret && held.Key != "database_url" {
					got = held.field.(*Secret).Reveal()
				}
				if held.Key == s.Key && got != expected {
					t.Errorf("%s from %s: %q, want %q", s.Key, want, got, expected)
				}
			}
		}
	}
}

func TestWrongValuesNameTheirSource(t *testing.T) {
	long := strings.Repeat("x", 500)
	for _, c := range []struct {
		name string
		in   Input
		file string
		want []string
	}{
		{"flag", Input{Flags: map[string]string{"addr": "nowhere"}}, "", []string{"addr must be host:port", "(set by --addr)"}},
		{"port too large", Input{Flags: map[string]string{"addr": ":70000"}}, "", []string{"addr must be host:port"}},
		{"environment", Input{Environ: []string{"SCAIGRID_LOG_LEVEL=loud"}}, "", []string{"log_level must be one of debug, info, warn, error", "(set by SCAIGRID_LOG_LEVEL)"}},
		{"file", Input{}, "# hello\nlimits: maybe\n", []string{"limits must be on or off", "line 2"}},
		{"two at once", Input{Flags: map[string]string{"addr": "x", "shutdown_grace": "soon"}}, "", []string{"shutdown_grace must be a duration"}},
		{"grace too long", Input{Flags: map[string]string{"shutdown_grace": "11m"}}, "", []string{"between 0s and 10m"}},
		{"unknown key", Input{}, "adr: :8000\n", []string{"line 1", "\"adr\"", "did you mean addr?"}},
		{"nothing near", Input{}, "frobnicate: 1\n", []string{"there is no setting \"frobnicate\""}},
		{"twice", Input{}, "addr: :1\naddr: :2\n", []string{"addr"}},
		{"no YAML", Input{}, "addr: [\n", []string{"is not YAML"}},
		{"a list", Input{}, "- addr\n", []string{"must be a list of lines"}},
		{"nested", Input{}, "addr: {a: b}\n", []string{"addr must be a single value"}},
		{"very long", Input{}, long + ": 1\n", []string{"there is no setting"}},
		{"proxies", Input{Environ: []string{"SCAIGRID_TRUSTED_PROXIES=10.0.0.0/8, proxy"}}, "", []string{"entry 2 is neither"}},
		{"database", Input{Environ: []string{"SCAIGRID_DATABASE_URL=mysql://u:hunter2@h/d"}}, "", []string{"must begin with postgres://"}},
		{"public url", Input{Environ: []string{"SCAIGRID_PUBLIC_URL=chat.example"}}, "", []string{"must be an http:// or https:// address"}},
		{"cert alone", Input{Flags: map[string]string{"tls_cert": "/nope.pem"}}, "", []string{"tls_cert needs tls_key beside it", "can't be read"}},
		{"acme host", Input{Flags: map[string]string{"tls_acme": "localhost"}}, "", []string{"full host names"}},
		{"limit zero", Input{Flags: map[string]string{"limit_key_minute": "0"}}, "", []string{"limit_key_minute must be between 1"}},
		{"limit text", Input{Flags: map[string]string{"limit_key_minute": "many"}}, "", []string{"whole number"}},
		{"provider without address", Input{}, "providers:\n  - name: groq\n", []string{"providers[0].base_url: is required"}},
		{"provider type", Input{}, "providers:\n  - {name: a, type: anthropic, base_url: 'http://x'}\n", []string{"not available yet"}},
		{"provider field", Input{}, "providers:\n  - {name: a, base_url: 'http://x', colour: red}\n", []string{"colour"}},
		{"provider name", Input{}, "providers:\n  - {name: scaigrid, base_url: 'http://x'}\n", []string{"built-in"}},
		{"provider twice", Input{Environ: []string{"OPENAI_API_KEY=k"}}, "providers:\n  - {name: openai}\n", []string{"set twice"}},
		{"provider key variable", Input{}, "providers:\n  - {name: a, base_url: 'http://x', api_key: '${NOT_THERE}'}\n", []string{"NOT_THERE is not set"}},
		{"providers no list", Input{}, "providers: openai\n", []string{"must be a list"}},
		{"fallback", Input{}, "providers:\n  - {name: a, base_url: 'http://x', fallback: {m: [gpt]}}\n", []string{"fallback.m"}},
		{"named file missing", Input{File: "/no/such/file.yaml"}, "", []string{"/no/such/file.yaml", "named by --config", "no such file"}},
		{"named in environment", Input{Environ: []string{"SCAIGRID_CONFIG=/no/such.yaml"}}, "", []string{"named by SCAIGRID_CONFIG"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if c.file != "" {
				c.in.File = write(t, "scaigrid.yaml", c.file)
			}
			_, err := Load(c.in)
			if err == nil {
				t.Fatal("was accepted")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if len(err.Error()) > 600 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestLikelyMistakesAreWarnedOf(t *testing.T) {
	t.Chdir(t.TempDir())
	l, err := Load(Input{Environ: []string{"SCAIGRID_ADR=:1", "SCAIGRID_API_KEY=sgk_x", "SCAIGRID_HOST=http://h", "SCAIGRID_QQQQQQQQQQQQ=1"}})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(l.Warnings, "|")
	if len(l.Warnings) != 2 || !strings.Contains(got, "did you mean SCAIGRID_ADDR?") {
		t.Errorf("warnings: %s", got)
	}
}

func TestProvidersOfTheFile(t *testing.T) {
	file := write(t, "s.yaml", `
openai_models: [a, b]
providers:
  - name: local
    base_url: http://127.0.0.1:11434/v1
    api_key: ${LOCAL_KEY}
    fallback: {big: [scaigrid/extractive]}
    prices: {big: {prompt: 0.5, completion: 1.5}}
`)
	l, err := Load(Input{File: file, Environ: []string{"LOCAL_KEY=canary-key", "OPENAI_BASE_URL=http://127.0.0.1:9/v1"}})
	if err != nil {
		t.Fatal(err)
	}
	all := l.AllProviders()
	if len(all) != 2 || all[0].Name != "openai" || fmt.Sprint(all[0].Models) != "[a b]" {
		t.Fatalf("providers: %+v", all)
	}
	if p := all[1]; p.Type != "openai" || p.APIKey.Reveal() != "canary-key" || p.Prices["big"].Completion != 1.5 || p.Fallback["big"][0] != "scaigrid/extractive" {
		t.Errorf("local: %+v", p)
	}
}

// No secret leaves by printing, logging, marshalling or complaining.
func TestSecretsAreNeverShown(t *testing.T) {
	const canary = "canary-3f9d"
	file := write(t, "s.yaml", "openai_api_key: "+canary+"\nproviders:\n  - {name: a, base_url: 'http://x', api_key: "+canary+"}\n")
	l, err := Load(Input{File: file, Environ: []string{"SCAIGRID_DATABASE_URL=postgres://u:" + canary + "@h/d?password=" + canary}})
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	fmt.Fprintf(&shown, "%v %+v %#v %s\n", l.Config, l.Config, l.Config, l.OpenAIAPIKey)
	fmt.Fprintln(&shown, l.Lines())
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "c", l.Config, "k", l.OpenAIAPIKey)
	_ = json.NewEncoder(&shown).Encode(l.Config)
	for _, broken := range []string{"openai_api_key: " + canary + "\nproviders: [\n", "openai_api_key: {x: " + canary + "}\n", "providers:\n  - {api_key: {x: " + canary + "}}\n", "openai_api_key: \"" + canary + "\n", "openai_api_key: " + canary + "\n  bad: x\n", "\topenai_api_key: " + canary + "\n"} {
		_, err := Load(Input{File: write(t, "b.yaml", broken)})
		if err == nil {
			t.Errorf("accepted: %q", broken)
			continue
		}
		shown.WriteString(err.Error())
	}
	if strings.Contains(shown.String(), canary) {
		t.Errorf("a secret is shown:\n%s", shown.String())
	}
	if !strings.Contains(shown.String(), "postgres://u:redacted@h/d") {
		t.Error("the database's host should be shown")
	}
}

func TestExternalURL(t *testing.T) {
	for addr, want := range map[string]string{
		":8000": "http://127.0.0.1:8000", "0.0.0.0:80": "http://127.0.0.1:80", "[::1]:9": "http://[::1]:9", "localhost:1": "http://localhost:1",
	} {
		c := Config{Addr: addr}
		if got := c.ExternalURL(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	c := Config{Addr: ":443", TLSACME: "chat.example.com, b.example.com"}
	if got := c.ExternalURL(); got != "https://chat.example.com" {
		t.Error(got)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, ":1": false, "0.0.0.0:1": false, "10.0.0.1:1": false, "example.com:1": false} {
		if Loopback(addr) != want {
			t.Errorf("Loopback(%s) = %v", addr, !want)
		}
	}
}

// The reference page is the settings' own words; "make generate" rewrites it.
func TestReferencePageIsInStep(t *testing.T) {
	var want bytes.Buffer
	if err := WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "reference", "configuration.md")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is old; run: go run ./cmd/scaigrid config doc > docs/reference/configuration.md", path)
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add("addr: :8000\nproviders:\n  - name: a\n")
	f.Add("a: &x [*x]\n")
	f.Add("trusted_proxies: [10.0.0.0/8, ::1]\n---\nlimits: off\n")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _, _ = parseFile("f.yaml", []byte(text))
	})
}
