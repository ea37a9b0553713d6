// Package deploy holds the files with which ScaiGrid is run for others, and the
// tests that start each of them: our server behind nginx and behind Caddy, over
// TLS, with an answer that must arrive word by word.
package deploy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// need finds a program, or skips the test where it may be missing.
func need(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing; CI must have it (scripts/packages.txt)", name)
	}
	t.Skipf("%s is not installed, so this file was not tried here; see scripts/packages.txt", name)
	return ""
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The pages of the documentation show the files as they are.
func TestPagesShowTheFiles(t *testing.T) {
	for page, file := range map[string]string{"caddy": "Caddyfile", "nginx": "nginx.conf", "systemd": "scaigrid.service", "container": "Containerfile"} {
		if !strings.Contains(text(t, "../docs/deploy/"+page+".md"), "\n"+text(t, file)+"```\n") {
			t.Errorf("docs/deploy/%s.md does not show deploy/%s as it is", page, file)
		}
	}
}

func TestBehindNginx(t *testing.T) {
	nginx := need(t, "nginx")
	server := startServer(t)
	dir, cert := t.TempDir(), newCertificate(t)
	plain, secure := freePort(t), freePort(t)
	site := replaceAll(t, text(t, "nginx.conf"), [][2]string{
		{"127.0.0.1:8000", server.addr},
		{"listen 80;", "listen 127.0.0.1:" + plain + ";"},
		{"listen 443 ssl http2;", "listen 127.0.0.1:" + secure + " ssl http2;"},
		{"/etc/letsencrypt/live/chat.example.com/fullchain.pem", cert.certFile},
		{"/etc/letsencrypt/live/chat.example.com/privkey.pem", cert.keyFile},
	})
	write(t, filepath.Join(dir, "site.conf"), site)
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	write(t, filepath.Join(dir, "main.conf"), user+strings.ReplaceAll(`daemon off;
pid DIR/pid;
error_log stderr;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    include DIR/site.conf;
}
`, "DIR", dir))
	config := []string{"-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "main.conf")}
	if out, err := exec.Command(nginx, append([]string{"-t"}, config...)...).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	start(t, nil, nginx, config...)

	client := cert.client("127.0.0.1:" + secure)
	awaitReady(t, client, "https://chat.example.com/health/ready")
	answersStream(t, client, server)
	largeDocumentsPass(t, client, server)

	redirect := plainClient("127.0.0.1:" + plain)
	res, err := redirect.Get("http://chat.example.com/docs?x=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusPermanentRedirect || got != "https://chat.example.com/docs?x=1" {
		t.Errorf("plain HTTP: status %d to %q", res.StatusCode, got)
	}
}

func TestBehindCaddy(t *testing.T) {
	caddy := need(t, "caddy")
	server := startServer(t)
	dir, cert := t.TempDir(), newCertificate(t)
	secure := freePort(t)
	site := replaceAll(t, text(t, "Caddyfile"), [][2]string{
		{"127.0.0.1:8000", server.addr},
		{"chat.example.com {", "https://chat.example.com:" + secure + " {\n\tbind 127.0.0.1\n\ttls " + cert.certFile + " " + cert.keyFile},
	})
	file := filepath.Join(dir, "Caddyfile")
	write(t, file, "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"+site)
	env := append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	check := exec.Command(caddy, "validate", "--adapter", "caddyfile", "--config", file)
	check.Env = env
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("caddy validate: %v\n%s", err, out)
	}
	start(t, env, caddy, "run", "--adapter", "caddyfile", "--config", file)

	client := cert.client("127.0.0.1:" + secure)
	awaitReady(t, client, "https://chat.example.com/health/ready")
	answersStream(t, client, server)
	largeDocumentsPass(t, client, server)
}

// answersStream asks a bot whose model stops in the middle of its answer, and
// goes on only when the first half has arrived through the proxy.
func answersStream(t *testing.T, client *http.Client, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	model := s.model.next()
	defer model.finish()
	body, err := json.Marshal(map[string]any{"bot_id": s.botID, "message": "Hello?"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://chat.example.com/v1/modules/scaibot/chat", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "gzip, br, zstd") // as browsers do: a proxy must not compress, and so gather, a stream
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.Header.Get("Content-Encoding") != "" {
		rest, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		t.Fatalf("chat: %s %d, Content-Encoding %q: %s", res.Proto, res.StatusCode, res.Header.Get("Content-Encoding"), rest)
	}
	var seen strings.Builder
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		seen.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "first half") {
			model.finish() // the proxy let it through
		}
		if lines.Text() == "data: [DONE]" {
			break
		}
	}
	got := seen.String()
	for _, want := range []string{"event: turn\n", "first half", "second half", "event: finish\n", "data: [DONE]\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the stream through the proxy lacks %q; it ended with %v:\n%s", want, lines.Err(), got)
		}
	}
}

// largeDocumentsPass uploads a document that is larger than proxies allow by themselves.
func largeDocumentsPass(t *testing.T, client *http.Client, s *server) {
	t.Helper()
	line := "A line of a long document, one of very many.\n\n"
	body, err := json.Marshal(map[string]string{"name": "long", "text": strings.Repeat(line, 3<<20/len(line))})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://chat.example.com/v1/modules/scaibot/bots/"+s.botID+"/documents", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		rest, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		t.Errorf("a document of 3 MiB: status %d: %s", res.StatusCode, rest)
	}
}

func TestSystemdUnit(t *testing.T) {
	analyze := need(t, "systemd-analyze")
	unit := replaceAll(t, text(t, "scaigrid.service"), [][2]string{{"/usr/local/bin/scaigrid", program(t)}})
	file := filepath.Join(t.TempDir(), "scaigrid.service")
	write(t, file, unit)
	if out, err := exec.Command(analyze, "verify", "--man=no", file).CombinedOutput(); err != nil || strings.Contains(string(out), "scaigrid.service:") {
		t.Fatalf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.Command(analyze, "security", "--offline=yes", "--no-pager", file).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	found := regexp.MustCompile(`exposure level for scaigrid\.service: ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("systemd-analyze security gave no exposure level:\n%s", out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > 2 {
		t.Errorf("exposure level %s, 2.0 is the most that is accepted", found[1])
	}
}

// replaceAll replaces each old by its new and fails where an old one is not there any more.
func replaceAll(t *testing.T, s string, pairs [][2]string) string {
	t.Helper()
	for _, p := range pairs {
		if !strings.Contains(s, p[0]) {
			t.Fatalf("the file has no %q, which this test must replace", p[0])
		}
		s = strings.ReplaceAll(s, p[0], p[1])
	}
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// start runs a program until the test ends; what it said is shown when the test fails.
func start(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), out.String())
		}
	})
}

// awaitReady asks until the address answers 200.
func awaitReady(t *testing.T, client *http.Client, address string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		res, err := client.Get(address)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				return
			}
			last = res.Status
		} else {
			last = err.Error()
		}
		time.Sleep(50 * time.Millisecond) // a foreign process tells nobody when it is ready
	}
	t.Fatalf("%s is not ready: %s", address, last)
}

func run(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", fmt.Sprint(filepath.Base(name), args), err, stderr.String())
	}
	return out
}
