package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func TestWholeProgramAnswersFromDocuments(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	c := p.console()
	b := p.bot(c, scaigrid.ExtractiveModel)
	doc := filepath.Join(t.TempDir(), "returns.md")
	if err := os.WriteFile(doc, []byte("# Returns\n\nYou may return a bicycle within 30 days of the purchase.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddDocuments(t.Context(), b, []string{doc}, "https://shop.example/{path}", true); err != nil {
		t.Fatal(err)
	}
	status, body := p.call("POST", chatPath, p.token(c, b, NewToken{TTL: time.Hour}), map[string]any{"message": "Within how many days may I return a bicycle?", "stream": false})
	if status != 200 || !strings.Contains(body, "30 days") || !strings.Contains(body, "https://shop.example/returns") {
		t.Errorf("%d %s", status, body)
	}
	for path, want := range map[string]string{
		"/health": `"ok"`, "/health/ready": `"accepting":"ok"`, "/metrics": "go_goroutines", "/openapi.json": `"3.1.0"`,
		"/docs": "<html", "/docs/reference/configuration": "SCAIGRID_ADDR", WidgetPath: "scaibot",
	} {
		if status, body := p.call("GET", path, "", nil); status != 200 || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, %q is missing in %.200s", path, status, want, body)
		}
	}
	if !strings.Contains(p.stdout.String(), p.url) {
		t.Errorf("the banner does not name %s:\n%s", p.url, p.stdout.String())
	}
	p.stop()
	if err := p.wait(); err != nil {
		t.Error(err)
	}
	if _, ok := readNotice(p.cfg.DataDir); ok {
		t.Error("the notice is still there")
	}
}

func TestSecondServerOnTheSameFolderIsRefused(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	err := refused(t, ServeOptions{Config: settings(t, p.cfg.DataDir, nil), Stdout: io.Discard, Stderr: io.Discard})
	if scaigrid.ErrorCode(err) != scaigrid.CodeConflict || !strings.Contains(err.Error(), p.cfg.DataDir) {
		t.Errorf("error: %v", err)
	}
	if status, _ := p.call("GET", "/health/ready", "", nil); status != 200 {
		t.Error("the first one was harmed")
	}
}

func TestStartSaysWhatIsInTheWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	odd := t.TempDir()
	if err := os.WriteFile(filepath.Join(odd, "secret"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(odd, "scaigrid.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		dir      string
		set      map[string]string
		demo     bool
		want     []string
		database bool
	}{
		{name: "port in use", dir: t.TempDir(), set: map[string]string{"addr": taken.Addr().String()}, want: []string{"in use by another program", "--addr or SCAIGRID_ADDR"}},
		{name: "demo port in use", dir: t.TempDir(), set: map[string]string{"demo_addr": taken.Addr().String()}, demo: true, want: []string{"in use", "SCAIGRID_DEMO_ADDR"}},
		{name: "foreign address", dir: t.TempDir(), set: map[string]string{"addr": "192.0.2.1:8000"}, want: []string{"does not belong to this machine"}},
		{name: "folder is a file", dir: file, want: []string{file}},
		{name: "folder below a file", dir: filepath.Join(file, "data"), want: []string{"can't be made", "cannot be made"}[1:]},
		{name: "no database server", dir: t.TempDir(), set: map[string]string{"database_url": "postgres://u:hunter2secret@127.0.0.1:1/x"}, want: []string{"cannot be reached"}},
		{name: "lost database", dir: odd, want: []string{"missing or empty", "backup"}, database: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr output
			err := refused(t, ServeOptions{Config: settings(t, c.dir, c.set), Demo: c.demo, Stdout: io.Discard, Stderr: &stderr})
			if err == nil {
				t.Fatal("it started")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is missing in: %v", w, err)
				}
			}
			if errors.Is(err, ErrDatabase) != c.database {
				t.Errorf("ErrDatabase: %v", !c.database)
			}
			if strings.Contains(err.Error()+stderr.String(), "hunter2secret") {
				t.Error("the password is shown")
			}
		})
	}
}

func TestDamagedDatabaseIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := launch(t, dir, nil)
	c := p.console()
	p.bot(c, scaigrid.ExtractiveModel)
	p.stop()
	_ = p.wait()
	_ = c.Close() // the last to leave writes the log back into the file
	db := filepath.Join(dir, "scaigrid.db")
	whole, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"header":    func(b []byte) []byte { copy(b, "not a database!!"); return b },
		"pages":     func(b []byte) []byte { clear(b[4096*2 : 4096*20]); return b },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"emptied":   func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(db, spoil(append([]byte(nil), whole...)), 0o600); err != nil {
				t.Fatal(err)
			}
			err := refused(t, ServeOptions{Config: settings(t, dir, nil), Stdout: io.Discard, Stderr: io.Discard})
			if !errors.Is(err, ErrDatabase) {
				t.Errorf("error: %v", err)
			}
			findings := Examine(t.Context(), settings(t, dir, nil), true)
			if !errors.Is(findings.Err(), ErrDatabase) {
				t.Errorf("doctor: %+v", findings)
			}
		})
	}
	if err := os.WriteFile(db, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, dir, nil)
}

// A stop refuses new turns, lets the running one end, and keeps it whole.
func TestStopLetsARunningTurnEnd(t *testing.T) {
	model := newSlowModel(t)
	p := launch(t, t.TempDir(), map[string]string{"openai_base_url": model.URL, "openai_api_key": "k"})
	c := p.console()
	b := p.bot(c, "openai/slow")
	token := p.token(c, b, NewToken{TTL: time.Hour, VisitorID: "7"})
	res := p.send("POST", chatPath, token, map[string]any{"message": "Hello?"})
	defer func() { _ = res.Body.Close() }()
	stream := bufio.NewReader(res.Body)
	readUntil(t, stream, "event: turn")
	<-model.asked
	model.words <- "One "
	readUntil(t, stream, "One ")

	p.stop()
	waitFor(t, func() bool {
		status, _ := p.call("GET", "/health/ready", "", nil)
		return status == http.StatusServiceUnavailable
	})
	if status, body := p.call("POST", chatPath, p.token(c, b, NewToken{TTL: time.Hour}), map[string]any{"message": "Late?"}); status != 503 || !strings.Contains(body, "SHUTTING_DOWN") {
		t.Errorf("a new turn: %d %s", status, body)
	}
	model.words <- "two."
	close(model.words)
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), "two.") || !strings.Contains(string(rest), "event: finish") || !strings.HasSuffix(strings.TrimSpace(string(rest)), "[DONE]") {
		t.Errorf("the rest of the stream (%v): %s", err, rest)
	}
	if err := p.wait(); err != nil {
		t.Error(err)
	}
}

// What outlives the grace is recorded as interrupted and read again after the
// next start.
func TestStopInterruptsWhatOutlivesTheGrace(t *testing.T) {
	model := newSlowModel(t)
	set := map[string]string{"openai_base_url": model.URL, "openai_api_key": "k", "shutdown_grace": "100ms"}
	p := launch(t, t.TempDir(), set)
	c := p.console()
	token := p.token(c, p.bot(c, "openai/slow"), NewToken{TTL: time.Hour, VisitorID: "7"})
	res := p.send("POST", chatPath, token, map[string]any{"message": "Hello?"})
	stream := bufio.NewReader(res.Body)
	<-model.asked
	model.words <- "Only this"
	readUntil(t, stream, "Only this")
	p.stop()
	rest, _ := io.ReadAll(stream)
	_ = res.Body.Close()
	if err := p.wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(rest), "TURN_INTERRUPTED") && !strings.Contains(string(rest), "interrupted") {
		t.Errorf("the reader is not told: %s", rest)
	}
	again := launch(t, p.cfg.DataDir, set)
	_, body := again.call("GET", chatPath+"/conversation", token, nil)
	if !strings.Contains(body, "Only this") || !strings.Contains(body, `"interrupted"`) {
		t.Errorf("after the start: %s", body)
	}
}

// badWriter is a log that is gone.
type badWriter struct{}

func (badWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// stuckWriter is a log that nobody reads.
type stuckWriter struct{ free chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) { <-w.free; return len(p), nil }

func TestBrokenLogHarmsNobody(t *testing.T) {
	stuck := stuckWriter{make(chan struct{})}
	t.Cleanup(func() { close(stuck.free) })
	for name, w := range map[string]io.Writer{"gone": badWriter{}, "stuck": stuck} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, t.TempDir(), nil, func(o *ServeOptions) { o.Stderr, o.Stdout = w, badWriter{} })
			for range 2 * logQueue / 50 {
				for range 50 {
					if status, _ := p.call("GET", "/health", "", nil); status != 200 {
						t.Fatal(status)
					}
				}
			}
			p.stop()
			if err := p.wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("it did not come true")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// refused starts a server that must not start.
func refused(t *testing.T, o ServeOptions) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err := Serve(ctx, o)
	if ctx.Err() != nil {
		t.Error("it started")
	}
	return err
}
