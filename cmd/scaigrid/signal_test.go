package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A second signal does not wait for the turn that the first one lets end.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	asked := make(chan struct{}, 1)
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer model.Close()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args = append([]string{"scaigrid"}, args...) // by which this binary knows what to be
		cmd.Env = append(os.Environ(), "SCAIGRID_ADDR=127.0.0.1:0", "SCAIGRID_DATA_DIR="+dir, "OPENAI_BASE_URL="+model.URL, "OPENAI_API_KEY=k")
		return cmd
	}
	server := command("serve")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	var n notice
	until(t, func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "serve.json"))
		return err == nil && json.Unmarshal(data, &n) == nil
	})
	out, err := command("bot", "create", "--name", "Help", "--model", "openai/m").Output()
	if err != nil {
		t.Fatal(err)
	}
	token, err := command("token", "mint", strings.TrimSpace(string(out))).Output()
	if err != nil {
		t.Fatal(err)
	}
	go say(t.Context(), n.URL, strings.TrimSpace(string(token)))
	<-asked

	_ = server.Process.Signal(syscall.SIGTERM)
	until(t, func() bool {
		res, err := http.Get(n.URL + "/health/ready") //nolint:noctx // a test's own server
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusServiceUnavailable
	})
	select {
	case err := <-ended:
		t.Fatalf("the first signal did not wait for the turn: %v", err)
	default:
	}
	_ = server.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("exit code 0, as if the stop had been complete")
		}
	case <-time.After(5 * time.Second):
		t.Error("it goes on")
	}
}

func say(ctx context.Context, url, token string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/modules/scaibot/chat", strings.NewReader(`{"message":"Hello?"}`))
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come true")
		}
	}
}
