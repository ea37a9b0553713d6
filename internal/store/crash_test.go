package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// Variables that make this program the child of a test.
const (
	childEnv  = "SCAIGRID_TEST_CRASH_CHILD"  // the data folder
	valuesEnv = "SCAIGRID_TEST_CRASH_VALUES" // store single values instead of turns
)

// TestMain lets this program be the one that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if os.Getenv(valuesEnv) != "" {
			writeValues(dir)
		}
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// writeUntilKilled stores turns and prints the id of each message once it is
// acknowledged.
func writeUntilKilled(dir string) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DataDir: dir})
	if err != nil {
		panic(err)
	}
	bots, _, err := s.Bots(ctx, "tenant_1", store.BotFilter{}, scaigrid.PageRequest{})
	if err != nil || len(bots) == 0 {
		panic(fmt.Sprint("no bot: ", err))
	}
	var mu sync.Mutex
	for range 20 {
		go func() {
			for {
				now := time.Now()
				acc, err := s.Accept(ctx, scaigrid.Acceptance{
					Bot: &bots[0], Pass: scaigrid.Pass{Anonymous: true}, Text: "hello", Node: "child", Now: now, LeaseUntil: now,
					NewVisitorID: scaigrid.NewID(scaigrid.KindVisitor, now), NewConversationID: scaigrid.NewID(scaigrid.KindConversation, now),
					NewMessageID: scaigrid.NewID(scaigrid.KindMessage, now), NewReplyID: scaigrid.NewID(scaigrid.KindMessage, now), NewTurnID: scaigrid.NewID(scaigrid.KindTurn, now),
				})
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(acc.Turn.ConversationID)
				mu.Unlock()
				_ = s.SaveText(ctx, []scaigrid.TextUpdate{{TurnID: acc.Turn.ID, ReplyID: acc.Turn.ReplyID, Content: "so far"}})
				if err := s.FinishTurn(ctx, acc.Turn.ID, storetest.Answer("hi"), nil, time.Now()); err != nil {
					panic(err)
				}
			}
		}()
	}
	select {}
}

func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	tenant := scaigrid.Tenant{ID: "tenant_1", Slug: "default", CreatedAt: time.Now()}
	if _, _, _, err := s.EnsureTenant(t.Context(), tenant, scaigrid.User{ID: "usr_1", Role: scaigrid.RoleTenantAdmin, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	b := &scaigrid.Bot{ID: "bot_1", TenantID: "tenant_1", Status: scaigrid.BotActive, BotConfig: scaigrid.DefaultBotConfig(), CreatedAt: time.Now()}
	if err := s.CreateBot(t.Context(), b, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var acknowledged []string
	for range 5 {
		acknowledged = append(acknowledged, killedAfter(t, dir, 30+rand.IntN(150))...)
	}
	s = openIn(t, dir)
	seen := map[string]bool{}
	for _, id := range acknowledged {
		messages, err := s.Messages(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) != 2 || seen[id] {
			t.Fatalf("%s has %d messages, seen %v", id, len(messages), seen[id])
		}
		seen[id] = true
	}
	if found, err := s.Check(t.Context(), true); err != nil || found != nil {
		t.Errorf("check: %v %v", found, err)
	}
	abandoned, err := s.AbandonedTurns(t.Context(), time.Now().Add(time.Hour), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(abandoned) > 5*20 {
		t.Errorf("%d turns run, more than there were at once", len(abandoned))
	}
	t.Logf("%d acknowledged, all there; %d were cut and are found to be settled", len(acknowledged), len(abandoned))
}

// writeValues stores 300 values, one after the other, and prints what came of each.
func writeValues(dir string) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DataDir: dir})
	if err != nil {
		panic(err)
	}
	for i := range 300 {
		name := fmt.Sprint("value-", i)
		err := s.SetValue(ctx, name, "x")
		fmt.Println(name, scaigrid.ErrorCode(err))
	}
	os.Exit(0) // without a clean end
}

// TestNothingIsAcknowledgedWithoutASync makes the disk refuse to sync after a
// while, or now and then: there are never more acknowledged writes than syncs.
func TestNothingIsAcknowledgedWithoutASync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is needed to make syncs fail. Install it with: apt-get install strace")
	}
	for _, when := range []string{"20+", "3+3"} { // the n-th of each thread, and from then on all or each third
		dir := t.TempDir()
		if err := openIn(t, dir).Close(); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(strace, "-f", "-qq", "-o", filepath.Join(dir, "trace"), "-e", "trace=fsync,fdatasync",
			"-e", "inject=fsync,fdatasync:error=EIO:when="+when, os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir, valuesEnv+"=1")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		failed := 0
		for line := range strings.Lines(string(out)) {
			name, code, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch scaigrid.Code(code) {
			case "":
				acknowledged = append(acknowledged, name)
			case scaigrid.CodeStorage:
				failed++
			default:
				t.Fatalf("%s: %s", name, code)
			}
		}
		trace, err := os.ReadFile(filepath.Join(dir, "trace"))
		if err != nil {
			t.Fatal(err)
		}
		synced := strings.Count(string(trace), "= 0\n")
		if failed < 90 || failed+len(acknowledged) != 300 || len(acknowledged) > synced {
			t.Errorf("syncs failed at %s: %d writes failed, %d were acknowledged after %d syncs", when, failed, len(acknowledged), synced)
		}
		s := openIn(t, dir)
		for _, name := range acknowledged {
			if _, err := s.Value(t.Context(), name); err != nil {
				t.Errorf("%s was acknowledged: %v", name, err)
			}
		}
		if found, err := s.Check(t.Context(), true); err != nil || found != nil {
			t.Errorf("check: %v %v", found, err)
		}
		t.Logf("syncs failed at %s: %d writes failed, %d acknowledged and there after %d syncs", when, failed, len(acknowledged), synced)
	}
}

// killedAfter lets a child write until it has acknowledged n, and kills it.
func killedAfter(t *testing.T, dir string, n int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		ids = append(ids, lines.Text())
		if len(ids) == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if len(ids) < n {
		t.Fatalf("the child ended by itself after %d", len(ids))
	}
	if last := ids[len(ids)-1]; !scaigrid.IsID(scaigrid.KindConversation, last) || len(last) < len(ids[0]) {
		ids = ids[:len(ids)-1] // cut in the middle of a line
	}
	return ids
}

func TestACutLogGivesACommittedPrefix(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	w := storetest.NewWorld(t, s)
	vis := w.Visitor("u", "")
	first := w.Accept(w.Ask(vis, "", "0"))
	w.Finish(first.Turn.ID, "0")
	for i := range 20 {
		acc := w.Accept(w.Ask(vis, first.Turn.ConversationID, fmt.Sprint(i+1)))
		w.Finish(acc.Turn.ID, fmt.Sprint(i+1))
	}
	db, err := os.ReadFile(filepath.Join(dir, "scaigrid.db"))
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(filepath.Join(dir, "scaigrid.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[int]bool{}
	for try := range 60 {
		cut := len(wal)
		if try > 0 {
			cut = rand.IntN(len(wal))
		}
		n := messagesIn(t, db, wal[:cut], first.Turn.ConversationID)
		if n%2 != 0 || n > 42 || (try == 0 && n != 42) {
			t.Fatalf("a log cut at %d of %d gives %d messages", cut, len(wal), n)
		}
		counts[n] = true
	}
	if len(counts) < 5 {
		t.Errorf("the cuts gave only %v", counts)
	}
}

func messagesIn(t *testing.T, db, wal []byte, conversation string) int {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{"scaigrid.db": db, "scaigrid.db-wal": wal} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Check(t.Context(), true); err != nil || found != nil {
		t.Fatalf("check: %v %v", found, err)
	}
	messages, err := s.Messages(t.Context(), conversation)
	if err != nil {
		t.Fatal(err)
	}
	return len(messages)
}

func TestDamageIsNoticed(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	w := storetest.NewWorld(t, s)
	for i := range 50 {
		w.Finish(w.Accept(w.Ask("", "", fmt.Sprint(i))).Turn.ID, "x")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "scaigrid.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for range 20 {
		data := append([]byte(nil), whole...)
		page := 1 + rand.IntN(len(data)/4096-1)
		for i := range 64 {
			data[page*4096+i] ^= 0xff // head of a page
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if damaged(t, dir) {
			noticed++
		}
	}
	if noticed < 19 { // a page that was free may be damaged without harm
		t.Errorf("%d of 20 damaged files were noticed", noticed)
	}
}

func damaged(t *testing.T, dir string) bool {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		return store.Damaged(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context()); err != nil {
		return store.Damaged(err)
	}
	found, err := s.Check(t.Context(), true)
	return len(found) > 0 || store.Damaged(err)
}

// TestPostgresCrash kills a server that really syncs, and starts it again
// under a store that stays open.
func TestPostgresCrash(t *testing.T) {
	storetest.Postgres(t) // skips or fails where there is none
	c, err := storetest.StartCluster(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	s, err := store.Open(t.Context(), store.Options{DatabaseURL: c.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := storetest.NewWorld(t, s)
	acknowledged := make(chan string, 100_000)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				acc, err := s.Accept(context.Background(), w.Ask("", "", "hello"))
				switch {
				case err == nil:
					acknowledged <- acc.Turn.ConversationID
				case scaigrid.ErrorCode(err) != scaigrid.CodeStorage:
					t.Errorf("while the server is away: %v", err)
				default:
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for len(acknowledged) < 100 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.Restart(); err != nil {
		t.Fatal(err)
	}
	before := len(acknowledged)
	for len(acknowledged) < before+100 {
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	close(acknowledged)
	n := 0
	for id := range acknowledged {
		n++
		if messages, err := s.Messages(t.Context(), id); err != nil || len(messages) != 2 {
			t.Fatalf("%s has %d messages: %v", id, len(messages), err)
		}
	}
	t.Logf("%d acknowledged, all there", n)
}
