package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scailabs/scaigrid"
)

func TestSealOpensForItsPurposeAlone(t *testing.T) {
	s := newSecret(t)
	sealed := s.Seal([]byte("value"), "a")
	if v, err := s.Open(sealed, "a"); err != nil || string(v) != "value" {
		t.Errorf("%q %v", v, err)
	}
	if bytes.Contains(sealed, []byte("value")) || bytes.Equal(sealed, s.Seal([]byte("value"), "a")) {
		t.Error("the sealed value tells something")
	}
	if _, err := s.Open(sealed, "b"); err == nil || errors.Is(err, ErrOtherSecret) {
		t.Errorf("another purpose: %v", err)
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if _, err := s.Open(damaged, "a"); err == nil {
			t.Errorf("byte %d damaged, and it opens", i)
		}
		if _, err := s.Open(sealed[:i], "a"); err == nil {
			t.Errorf("cut at %d, and it opens", i)
		}
	}
	if _, err := newSecret(t).Open(sealed, "a"); !errors.Is(err, ErrOtherSecret) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := NewSecret("here", make([]byte, 31)); err == nil {
		t.Error("a short secret was taken")
	}
}

func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "secret")
	var wg sync.WaitGroup
	made := make([]*Secret, 8) // processes that start at once
	for i := range made {
		wg.Go(func() { made[i], _ = LoadSecretFile(path) })
	}
	wg.Wait()
	sealed := made[0].Seal([]byte("x"), "p")
	for i, s := range made {
		if s == nil {
			t.Fatalf("%d found no secret", i)
		}
		if _, err := s.Open(sealed, "p"); err != nil {
			t.Errorf("%d has another one: %v", i, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if rest, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".secret-*")); len(rest) > 0 {
		t.Errorf("left over: %v", rest)
	}
	for _, mode := range []os.FileMode{0o644, 0o620, 0o604} {
		_ = os.Chmod(path, mode)
		if _, err := LoadSecretFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("%v: %v", mode, err)
		}
	}
	_ = os.Chmod(path, 0o440) // as mounted for a group
	if _, err := LoadSecretFile(path); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "# only a comment\n", "rubbish", secretLine + "AAAA", secretLine} {
		bad := filepath.Join(t.TempDir(), "secret")
		_ = os.WriteFile(bad, []byte(text), 0o600)
		if _, err := LoadSecretFile(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", text, err)
		}
		if now, _ := os.ReadFile(bad); string(now) != text {
			t.Errorf("%q was replaced", text)
		}
	}
}

func TestDatabaseOfAnotherSecret(t *testing.T) {
	s, c := openStore(t), newClock()
	openNode(t, s, newSecret(t), c)
	_, err := Open(t.Context(), Options{Store: s, Secret: newSecret(t), Clock: c.now, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, ErrOtherSecret) || !strings.Contains(err.Error(), "SCAIGRID_SECRET_FILE") {
		t.Errorf("%v", err)
	}
}

// The installation secret is replaced; nothing that it sealed is lost, wherever it stops.
func TestSecretRotation(t *testing.T) {
	s, c := openStore(t), newClock()
	path := filepath.Join(t.TempDir(), "secret")
	open := func() node {
		secret, err := LoadSecretFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return openNode(t, s, secret, c)
	}
	n := open()
	key, _ := n.issue(t, scaigrid.APIKey{Name: "ci"})
	token := n.mint(t, Order{Subject: "vis_1"})
	works := func(when string) {
		t.Helper()
		n := open()
		if _, err := n.Keys.Authenticate(t.Context(), key); err != nil {
			t.Errorf("%s: key: %v", when, err)
		}
		if _, err := n.Tokens.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: token: %v", when, err)
		}
	}
	old, _ := LoadSecretFile(path)
	secret, err := RotateSecretFile(path)
	if err != nil {
		t.Fatal(err)
	}
	works("before anything is sealed again")
	g := openNode(t, s, secret, c)
	for range 2 {
		if err := g.Reseal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	works("before the old one is dropped")
	if err := DropOldSecrets(path); err != nil {
		t.Fatal(err)
	}
	works("in the end")
	if _, err := Open(t.Context(), Options{Store: s, Secret: old, Clock: c.now, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrOtherSecret) {
		t.Errorf("the old secret still opens: %v", err)
	}
}

func TestCredentialsDoNotShow(t *testing.T) {
	const canary = "canary-77aa"
	secret, err := NewSecret("here", []byte(strings.Repeat(canary, 4)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, v := range []any{Credential{canary}, &Credential{canary}, secret, struct{ C Credential }{Credential{canary}}, []Credential{{canary}}, map[string]*Secret{"s": secret}} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q\n", v, v, v, v, v)
		_ = json.NewEncoder(&out).Encode(v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("%s", out.String())
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing was written")
	}
}

// Run looks every second, goes on through an outage, and ends when told to.
func TestRun(t *testing.T) {
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		s := &memory{}
		g, err := Open(t.Context(), Options{Store: s, Secret: newSecret(t), Clock: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		pass := scaigrid.Pass{TokenID: "tok_1", BotID: botID, Subject: "vis_1"}
		gone, release := g.Revocations.Watch(pass)
		defer release()
		s.set(errors.New("database away"))
		time.Sleep(10 * time.Second)
		s.set(nil)
		s.add(scaigrid.Revocation{ID: 1, TokenID: "tok_1", Until: time.Now().Add(time.Hour)})
		began := time.Now()
		<-gone
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("told after %v", took)
		}
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if n := strings.Count(log.String(), "what=revocations"); n != 2 {
		t.Errorf("the outage was logged %d times, want its begin and its end:\n%s", n, log.String())
	}
}

// memory is a store without a disk, for tests with a clock of their own: a real
// one has goroutines outside of it.
type memory struct {
	Store
	mu     sync.Mutex
	err    error
	values map[string]string
	keys   []scaigrid.SigningKey
	news   []scaigrid.Revocation
}

func (m *memory) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func (m *memory) add(r scaigrid.Revocation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.news = append(m.news, r)
}

func (m *memory) PutValue(_ context.Context, name, value string) (string, error) {
	if m.values == nil {
		m.values = map[string]string{}
	}
	if _, ok := m.values[name]; !ok {
		m.values[name] = value
	}
	return m.values[name], nil
}

func (m *memory) SigningKeys(context.Context) ([]scaigrid.SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys, m.err
}

func (m *memory) AddSigningKey(_ context.Context, k scaigrid.SigningKey) error {
	m.keys = append(m.keys, k)
	return nil
}

func (m *memory) RevocationsAfter(_ context.Context, id int64) ([]scaigrid.Revocation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || id > 0 {
		return nil, m.err
	}
	return m.news, nil
}
