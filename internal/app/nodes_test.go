package app

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// Two nodes share one database: what one mints the other takes, an answer that
// runs on one is read on the other, and a node with a secret of its own is
// refused with the name of the setting.
func TestTwoNodesShareADatabase(t *testing.T) {
	url := storetest.PostgresURL(t)
	model := newSlowModel(t)
	first := t.TempDir()
	shared := map[string]string{
		"database_url": url, "secret_file": filepath.Join(first, "secret"), "openai_base_url": model.URL, "openai_api_key": "k",
	}
	a, b := launch(t, first, shared), launch(t, t.TempDir(), shared)
	c := a.console()
	bot := a.bot(c, "openai/slow")
	token := a.token(c, bot, NewToken{TTL: time.Hour, VisitorID: "7"})
	res := a.send("POST", chatPath, token, map[string]any{"message": "Hello?"})
	defer func() { _ = res.Body.Close() }()
	here := bufio.NewReader(res.Body)
	<-model.asked
	model.words <- "One "
	readUntil(t, here, "One ")
	_, body := b.call("GET", chatPath+"/conversation", token, nil)
	turnID := between(body, `"turn_id":"turn_`, `"`)
	if turnID == "" {
		t.Fatal(body)
	}
	other := b.send("GET", chatPath+"/turns/turn_"+turnID, token, nil)
	defer func() { _ = other.Body.Close() }()
	there := bufio.NewReader(other.Body)
	readUntil(t, there, "One ")
	model.words <- "two."
	close(model.words)
	readUntil(t, there, "two.")
	readUntil(t, there, "event: finish")
	readUntil(t, here, "event: finish")

	err := refused(t, ServeOptions{Config: settings(t, t.TempDir(), map[string]string{"database_url": url}), Stdout: io.Discard, Stderr: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "SCAIGRID_SECRET_FILE") {
		t.Errorf("another secret: %v", err)
	}
	if f := Examine(t.Context(), a.cfg, false); f.Err() != nil || !told(f, "ok", "(postgres) is sound") {
		t.Errorf("doctor: %+v", f)
	}
	if bots, err := c.Bots(t.Context(), scaigrid.BotActive); err != nil || len(bots) != 1 {
		t.Errorf("%v %d bots", err, len(bots))
	}
}

// A signal during the start is no failure.
func TestStopDuringTheStart(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Serve(ctx, ServeOptions{Config: settings(t, t.TempDir(), nil), Stdout: io.Discard, Stderr: io.Discard}); err != nil {
		t.Error(err)
	}
}
