package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/config"
)

// output is what a process writes, read while it writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// program is a whole server in this process.
type program struct {
	t      *testing.T
	cfg    *config.Loaded
	url    string
	sample string
	stdout output
	stderr output
	stop   context.CancelFunc
	ended  chan error
}

// settings loads a configuration for a test; nothing comes from the machine.
func settings(t *testing.T, dir string, given map[string]string) *config.Loaded {
	t.Helper()
	flags := map[string]string{"data_dir": dir, "addr": "127.0.0.1:0", "demo_addr": "localhost:0", "log_level": "debug"}
	for k, v := range given {
		flags[k] = v
	}
	cfg, err := config.Load(config.Input{Flags: flags, File: "/dev/null"})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// launch starts the server and waits until it is ready.
func launch(t *testing.T, dir string, given map[string]string, change ...func(*ServeOptions)) *program {
	t.Helper()
	p := &program{t: t, cfg: settings(t, dir, given), ended: make(chan error, 1)}
	o := ServeOptions{Config: p.cfg, Version: "test", Stdout: &p.stdout, Stderr: &p.stderr}
	for _, c := range change {
		c(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.ended <- Serve(ctx, o) }()
	deadline := time.After(20 * time.Second)
	for {
		if n, ok := readNotice(dir); ok {
			p.url, p.sample = n.URL, n.Demo
			break
		}
		select {
		case err := <-p.ended:
			t.Fatalf("the server ended: %v\n%s", err, p.stderr.String())
		case <-deadline:
			t.Fatalf("the server is not ready\n%s", p.stderr.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Cleanup(func() { stop(); _ = p.wait() })
	return p
}

// wait returns what Serve returned; asking twice is fine.
func (p *program) wait() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(60 * time.Second):
		p.t.Fatal("the server does not end")
		return nil
	}
}

// console opens the same installation beside it.
func (p *program) console() *Console {
	p.t.Helper()
	c, err := OpenConsole(p.t.Context(), p.cfg, "test", io.Discard)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	return c
}

// call sends a request and returns status and body.
func (p *program) call(method, path, credential string, body any, header ...string) (int, string) {
	p.t.Helper()
	res := p.send(method, path, credential, body, header...)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func (p *program) send(method, path, credential string, body any, header ...string) *http.Response {
	p.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, bytes.NewReader(data))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return res
}

// bot makes an active bot that answers with a model.
func (p *program) bot(c *Console, model string) *scaigrid.Bot {
	p.t.Helper()
	cfg := scaigrid.DefaultBotConfig()
	cfg.Name, cfg.Slug, cfg.Model, cfg.KnowledgeEnabled = "Help", SlugOf("help "+model), model, true
	b, err := c.CreateBot(p.t.Context(), cfg, scaigrid.BotActive)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *program) token(c *Console, b *scaigrid.Bot, n NewToken) string {
	p.t.Helper()
	tok, err := c.Mint(p.t.Context(), b, n)
	if err != nil {
		p.t.Fatal(err)
	}
	return tok.Token
}

const chatPath = "/v1/modules/scaibot/chat"

// slowModel is a provider that says words when it is told to.
type slowModel struct {
	*httptest.Server
	asked chan struct{} // a request has arrived
	words chan string   // what it says next; closed: the end
}

func newSlowModel(t *testing.T) *slowModel {
	t.Helper()
	m := &slowModel{asked: make(chan struct{}, 8), words: make(chan string)}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		say := func(delta, finish string) {
			_, _ = fmt.Fprintf(w, "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":%s}]}\n\n", delta, finish)
			_ = http.NewResponseController(w).Flush()
		}
		m.asked <- struct{}{}
		for {
			select {
			case <-r.Context().Done():
				return
			case word, more := <-m.words:
				if !more {
					say("", `"stop"`)
					_, _ = io.WriteString(w, "data: [DONE]\n\n")
					return
				}
				say(word, "null")
			}
		}
	}))
	t.Cleanup(m.Close)
	return m
}

// readUntil reads lines of a stream until one holds the text.
func readUntil(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended before %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

func providerAt(name, url, key string) config.Provider {
	return config.Provider{Name: name, Type: "openai", BaseURL: url, APIKey: config.Secret(key)}
}

func contextWithStop(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}
