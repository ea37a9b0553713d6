package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid/internal/llm/llmtest"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// TestKill is promise R1: the process is killed at random moments under load,
// and what it had acknowledged is there when it starts again, once, with no
// turn left open.
func TestKill(t *testing.T) {
	kills, turns := 6, 30
	if os.Getenv("SCAIGRID_TEST_LONG") != "" {
		kills, turns = 200, 50
	}
	binary := filepath.Join(t.TempDir(), "scaigrid")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for engine, tc := range map[string]struct {
		url     func(testing.TB) string
		settled time.Duration
	}{
		"sqlite":   {func(testing.TB) string { return "" }, 5 * time.Second},
		"postgres": {storetest.PostgresURL, 20 * time.Second},
	} {
		t.Run(engine, func(t *testing.T) {
			w := newKillWorld(t, binary, tc.url(t))
			for range kills {
				w.killOnce(turns)
			}
			w.check(tc.settled)
			t.Logf("%d kills, %d messages acknowledged, none lost or doubled", kills, len(w.acknowledged))
		})
	}
}

// killWorld is one installation that is killed again and again.
type killWorld struct {
	t            *testing.T
	binary       string
	env          []string
	base         string
	key, bot     string
	server       *exec.Cmd
	mu           sync.Mutex
	acknowledged map[string]string // message id → text
	finished     map[string]string // reply id → text, of turns whose finish event was read
}

func newKillWorld(t *testing.T, binary, databaseURL string) *killWorld {
	llm := llmtest.Start(t)
	dir := t.TempDir()
	w := &killWorld{t: t, binary: binary, acknowledged: map[string]string{}, finished: map[string]string{}}
	w.env = append(os.Environ(), "SCAIGRID_DATA_DIR="+dir, "SCAIGRID_LIMITS=off", "SCAIGRID_LOG_LEVEL=error",
		"SCAIGRID_DATABASE_URL="+databaseURL, "OPENAI_BASE_URL="+llm.URL, "OPENAI_API_KEY=sk-test")
	var key struct{ Key string }
	w.command(&key, "key", "create", "--name", "kill", "--json")
	w.key = key.Key
	w.start()
	var bot struct{ ID string }
	w.call("POST", "/v1/modules/scaibot/bots", w.key, map[string]any{"name": "kill", "slug": "kill", "model": "openai/words:12@3", "status": "active"}, &bot)
	w.bot = bot.ID
	t.Cleanup(func() { _ = w.server.Process.Kill(); _ = w.server.Wait() })
	return w
}

func (w *killWorld) command(into any, args ...string) {
	w.t.Helper()
	c := exec.Command(w.binary, args...)
	c.Env, c.Stderr = w.env, os.Stderr
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		w.t.Fatalf("%v: %v", args, err)
	}
}

// start runs the server on a port of the system's choosing and waits until it is ready.
func (w *killWorld) start() {
	w.t.Helper()
	port := freePort(w.t)
	w.base = fmt.Sprintf("http://127.0.0.1:%d", port)
	w.server = exec.Command(w.binary, "serve", "--addr", fmt.Sprintf("127.0.0.1:%d", port))
	w.server.Env, w.server.Stderr = w.env, os.Stderr
	if err := w.server.Start(); err != nil {
		w.t.Fatal(err)
	}
	deadline := time.Now().Add(15 * time.Second)
	for {
		res, err := http.Get(w.base + "/health/ready")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the server is not ready: %v", err)
		}
		time.Sleep(5 * time.Millisecond) // polling a process, nothing is timed
	}
}

func (w *killWorld) call(method, path, token string, body, into any) int {
	w.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequest(method, w.base+path, bytes.NewReader(data))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct{ Data json.RawMessage }
	raw, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err == nil && into != nil && res.StatusCode < 300 {
		err = json.Unmarshal(answer.Data, into)
	}
	if err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, raw, err)
	}
	return res.StatusCode
}

// killOnce drives turns, kills the server in the middle of them and starts it again.
func (w *killWorld) killOnce(turns int) {
	var minted struct{ Token string }
	w.call("POST", "/v1/modules/scaibot/bots/"+w.bot+"/embed-token", w.key, map[string]any{"visitor_id": "killer"}, &minted)
	var wg sync.WaitGroup
	for range turns {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for w.say(minted.Token) {
			}
		}()
	}
	time.Sleep(time.Duration(20+rand.N(250)) * time.Millisecond)
	_ = w.server.Process.Kill()
	_ = w.server.Wait()
	wg.Wait()
	w.start()
}

// say asks one question and writes down what was acknowledged; false when the
// server is gone.
func (w *killWorld) say(token string) bool {
	text := fmt.Sprintf("Message %x", rand.Uint64())
	body := fmt.Sprintf(`{"message":%q}`, text)
	req, err := http.NewRequest("POST", w.base+"/v1/modules/scaibot/chat", strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	event, reply, answer := "", "", ""
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if line == "" {
			event = ""
		}
		if !ok || data == "[DONE]" {
			continue
		}
		var e struct {
			MessageID string `json:"message_id"`
			ReplyID   string `json:"reply_id"`
			Choices   []struct{ Delta struct{ Content string } }
		}
		if json.Unmarshal([]byte(data), &e) != nil {
			return false
		}
		w.mu.Lock()
		switch {
		case event == "turn":
			w.acknowledged[e.MessageID], reply = text, e.ReplyID
		case event == "finish":
			w.finished[reply] = answer
		case len(e.Choices) > 0:
			answer += e.Choices[0].Delta.Content
		}
		w.mu.Unlock()
	}
	return lines.Err() == nil
}

type storedMessage struct{ ID, Role, Content, Status string }

// readBack returns all messages, how often each text is stored, and how many
// answers are still open.
func (w *killWorld) readBack() (stored map[string]storedMessage, texts map[string]int, open int) {
	w.t.Helper()
	stored, texts = map[string]storedMessage{}, map[string]int{}
	cursor := ""
	for {
		var page []struct{ ID string }
		next := w.page("/v1/modules/scaibot/conversations?limit=100&bot_id="+w.bot+"&cursor="+cursor, &page)
		for _, c := range page {
			var one struct{ Messages []storedMessage }
			w.call("GET", "/v1/modules/scaibot/conversations/"+c.ID, w.key, nil, &one)
			for _, m := range one.Messages {
				stored[m.ID] = m
				if m.Role == "user" {
					texts[m.Content]++
				}
				if m.Status == "streaming" {
					open++
				}
			}
		}
		if cursor = next; cursor == "" {
			return stored, texts, open
		}
	}
}

// check reads everything back once no answer is open any more, which takes as
// long as a dead node's lease where several nodes may share the database.
func (w *killWorld) check(settled time.Duration) {
	w.t.Helper()
	deadline := time.Now().Add(settled)
	stored, texts, open := w.readBack()
	for open > 0 && time.Now().Before(deadline) {
		time.Sleep(200 * time.Millisecond) // polling a process
		stored, texts, open = w.readBack()
	}
	if open > 0 {
		w.t.Errorf("%d answers are still open after %s", open, settled)
	}
	for id, text := range w.acknowledged {
		if stored[id].Content != text {
			w.t.Errorf("acknowledged message %s is stored as %q, not %q", id, stored[id].Content, text)
		}
		if texts[text] != 1 {
			w.t.Errorf("%q is stored %d times", text, texts[text])
		}
	}
	for id, text := range w.finished {
		if m := stored[id]; m.Content != text || m.Status != "complete" {
			w.t.Errorf("finished answer %s is stored as %q (%s), not %q", id, m.Content, m.Status, text)
		}
	}
	if len(w.acknowledged) == 0 || len(w.finished) == 0 {
		w.t.Fatalf("%d acknowledged, %d finished: nothing was tried", len(w.acknowledged), len(w.finished))
	}
}

func (w *killWorld) page(path string, into any) (next string) {
	w.t.Helper()
	req, err := http.NewRequest("GET", w.base+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Data json.RawMessage
		Meta struct {
			NextCursor string `json:"next_cursor"`
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || json.Unmarshal(answer.Data, into) != nil {
		w.t.Fatalf("GET %s: %d %v", path, res.StatusCode, err)
	}
	return answer.Meta.NextCursor
}

// freePort asks the system for a port that nobody uses at the moment.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, _ := l.Addr().(*net.TCPAddr)
	return addr.Port
}
