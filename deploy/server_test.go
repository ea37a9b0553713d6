package deploy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// server is our own program, running as an operator would run it.
type server struct {
	addr  string
	botID string
	token string // embed token of an anonymous visitor
	key   string // API key
	model *model
}

// built is the program, compiled once for all tests; SCAIGRID_TEST_BINARY names one that is there already.
var built = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("SCAIGRID_TEST_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "scaigrid-deploy-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "scaigrid")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/scaigrid")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := built(); err == nil && os.Getenv("SCAIGRID_TEST_BINARY") == "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startServer starts the program with a bot whose model is played.
func startServer(t *testing.T) *server {
	t.Helper()
	bin := program(t)
	s := &server{addr: "127.0.0.1:" + freePort(t), model: newModel(t)}
	env := append(os.Environ(),
		"SCAIGRID_ADDR="+s.addr, "SCAIGRID_DATA_DIR="+t.TempDir(), "SCAIGRID_PUBLIC_URL=https://chat.example.com",
		"SCAIGRID_TRUSTED_PROXIES=127.0.0.1", "OPENAI_API_KEY=sk-test", "OPENAI_BASE_URL="+s.model.URL+"/v1")
	start(t, env, bin, "serve")
	awaitReady(t, plainClient(s.addr), "http://"+s.addr+"/health/ready")

	var bot struct {
		ID string `json:"id"`
	}
	decode(t, run(t, env, bin, "bot", "create", "--name", "Help", "--model", "openai/played", "--no-documents", "--json"), &bot)
	var token struct {
		Token string `json:"token"`
	}
	decode(t, run(t, env, bin, "token", "mint", bot.ID, "--json"), &token)
	var key struct {
		Key string `json:"key"`
	}
	decode(t, run(t, env, bin, "key", "create", "--name", "deploy", "--json"), &key)
	s.botID, s.token, s.key = bot.ID, token.Token, key.Key
	return s
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

// model plays a provider of the OpenAI protocol that stops in the middle of an
// answer until it is told to finish.
type model struct {
	*httptest.Server
	mu      sync.Mutex
	current *answer
}

type answer struct {
	once sync.Once
	go_  chan struct{}
}

func (a *answer) finish() { a.once.Do(func() { close(a.go_) }) }

func newModel(t *testing.T) *model {
	t.Helper()
	m := &model{}
	m.next().finish()
	m.Server = httptest.NewServer(http.HandlerFunc(m.complete))
	t.Cleanup(m.Close)
	return m
}

// next prepares an answer that waits in its middle.
func (m *model) next() *answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.current = &answer{go_: make(chan struct{})}
	return m.current
}

func (m *model) complete(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	a := m.current
	m.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(delta, finish string) {
		fmt.Fprintf(w, `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"played","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}`+"\n\n", delta, finish)
		w.(http.Flusher).Flush()
	}
	say(`{"role":"assistant","content":"The first half. "}`, "null")
	select {
	case <-a.go_:
	case <-r.Context().Done():
		return
	}
	say(`{"content":"The second half."}`, "null")
	say(`{}`, `"stop"`)
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// certificate is one for chat.example.com that signed itself.
type certificate struct {
	certFile, keyFile string
	pool              *x509.CertPool
}

func newCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "chat.example.com"}, DNSNames: []string{"chat.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := certificate{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), x509.NewCertPool()}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, c.certFile, string(certPEM))
	write(t, c.keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	c.pool.AppendCertsFromPEM(certPEM)
	return c
}

// client trusts the certificate and finds every host at addr.
func (c certificate) client(addr string) *http.Client {
	t := transport(addr)
	t.TLSClientConfig = &tls.Config{RootCAs: c.pool, MinVersion: tls.VersionTLS12}
	t.ForceAttemptHTTP2 = true
	return &http.Client{Transport: t}
}

func plainClient(addr string) *http.Client {
	return &http.Client{
		Transport:     transport(addr),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func transport(addr string) *http.Transport {
	return &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}}
}
