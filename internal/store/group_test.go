package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func openGroup(t *testing.T) (*Store, *groupWriter) {
	t.Helper()
	s, err := Open(t.Context(), Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, s.write.(*groupWriter)
}

func put(name string) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec("INSERT INTO installation (name, value) VALUES ($1, '')", name)
		return err
	}
}

func names(t *testing.T, s *Store) int {
	t.Helper()
	var n int
	if err := s.read.row(context.Background(), "SELECT COUNT(*) FROM installation").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// hold keeps the writer busy until release is called.
func hold(w *groupWriter) (release func()) {
	began, end := make(chan struct{}), make(chan struct{})
	go func() {
		_ = w.do(context.Background(), soon, func(*tx) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() { close(end) }
}

// gathered waits until n jobs wait behind the one that runs.
func gathered(w *groupWriter, n int) {
	for {
		w.mu.Lock()
		have := len(w.queue)
		w.mu.Unlock()
		if have >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestWhatGathersSharesACommit(t *testing.T) {
	s, w := openGroup(t)
	for _, class := range []durability{soon, durable} {
		release := hold(w)
		before, had := w.commits.Load(), names(t, s)
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				one := class
				if i != 50 {
					one = soon // a single one that must be on the disk makes it so for all
				}
				if err := w.do(t.Context(), one, put(fmt.Sprint(class, "-", i))); err != nil {
					t.Error(err)
				}
			})
		}
		gathered(w, 100)
		var synced atomic.Bool
		w.beforeCommit = func(jobs int, full bool) error {
			if jobs > 1 {
				synced.Store(full)
			}
			return nil
		}
		release()
		wg.Wait()
		w.beforeCommit = nil
		if n := w.commits.Load() - before; n != 2 {
			t.Errorf("100 writes took %d commits beside the one before", n-1)
		}
		if synced.Load() != (class == durable) {
			t.Errorf("class %d was committed with a sync: %v", class, synced.Load())
		}
		if n := names(t, s) - had; n != 100 {
			t.Errorf("%d rows of 100", n)
		}
	}
}

func TestSynchronousIsReallySet(t *testing.T) {
	_, w := openGroup(t)
	for _, c := range []struct {
		class durability
		want  int
	}{{soon, 1}, {durable, 2}, {soon, 1}, {durable, 2}} {
		var got int
		if err := w.do(t.Context(), c.class, func(t *tx) error { return t.get("SELECT synchronous FROM pragma_synchronous").Scan(&got) }); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("class %d runs with synchronous=%d", c.class, got)
		}
	}
}

func TestAMemberThatFailsHarmsNoOther(t *testing.T) {
	s, w := openGroup(t)
	early, late := errors.New("early"), errors.New("late")
	members := map[string]func(*tx) error{
		"fails at once": func(*tx) error { return early },
		"fails after it wrote": func(t *tx) error {
			if err := put("late")(t); err != nil {
				return err
			}
			return late
		},
		"panics after it wrote": func(t *tx) error {
			if err := put("panic")(t); err != nil {
				return err
			}
			panic("boom")
		},
		"writes what is there": put("good-0"),
		"wrong statement":      func(t *tx) error { _, err := t.exec("UPDATE nowhere SET x = 1"); return err },
	}
	release := hold(w)
	had := names(t, s)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if err := w.do(t.Context(), durable, put(fmt.Sprint("good-", i))); err != nil {
				t.Error(err)
			}
		})
	}
	gathered(w, 5)
	for name, fn := range members {
		wg.Go(func() {
			if err := w.do(t.Context(), durable, fn); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
	}
	gathered(w, 5+len(members))
	release()
	wg.Wait()
	if n := names(t, s) - had; n != 5 {
		t.Errorf("%d rows of 5", n)
	}
}

func TestAFailingCommitAcknowledgesNobody(t *testing.T) {
	s, w := openGroup(t)
	had := names(t, s)
	var fail atomic.Bool
	w.beforeCommit = func(int, bool) error {
		if fail.Load() {
			return errors.New("the disk is gone")
		}
		return nil
	}
	for n := range 20 {
		fail.Store(n%2 == 0)
		var wg sync.WaitGroup
		var ok atomic.Int64
		for i := range 10 {
			wg.Go(func() {
				if w.do(context.Background(), durable, put(fmt.Sprint(n, "-", i))) == nil {
					ok.Add(1)
				}
			})
		}
		wg.Wait()
		want := int64(10)
		if fail.Load() {
			want = 0
		}
		if ok.Load() != want {
			t.Fatalf("round %d: %d writes were acknowledged, want %d", n, ok.Load(), want)
		}
	}
	if n := names(t, s) - had; n != 100 {
		t.Errorf("%d rows of 100", n)
	}
}

func TestAWriteThatIsNotWantedAnyMoreDoesNotRun(t *testing.T) {
	s, w := openGroup(t)
	had := names(t, s)
	release := hold(w)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.do(ctx, durable, put("unwanted")) }()
	gathered(w, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	began := make(chan struct{})
	ctx, cancel = context.WithCancel(t.Context())
	go func() {
		done <- w.do(ctx, durable, func(t *tx) error {
			close(began)
			<-ctx.Done() // the caller goes away while it runs
			return put("begun")(t)
		})
	}()
	<-began
	cancel()
	if err := <-done; err != nil {
		t.Errorf("a write that had begun gave %v", err)
	}
	if n := names(t, s) - had; n != 1 {
		t.Errorf("%d rows, want the one that had begun", n)
	}
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	s, w := openGroup(t)
	release := hold(w)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := w.do(context.Background(), durable, put(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	gathered(w, 20)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	time.Sleep(10 * time.Millisecond)
	release()
	wg.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := w.do(context.Background(), soon, put("late")); scaigrid.ErrorCode(err) != scaigrid.CodeShuttingDown {
		t.Errorf("a write after the end gave %v", err)
	}
	left, err := filepath.Glob(filepath.Join(s.opt.DataDir, "*-wal"))
	if err != nil || len(left) != 0 {
		t.Errorf("the log was not written back: %v %v", left, err)
	}
}

func TestALockedDatabaseWaitsThenSaysSo(t *testing.T) {
	s, w := openGroup(t)
	other, err := Open(t.Context(), Options{DataDir: s.opt.DataDir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if err := w.do(t.Context(), soon, func(t *tx) error { _, err := t.exer.ExecContext(t.ctx, "PRAGMA busy_timeout=300"); return err }); err != nil {
		t.Fatal(err)
	}
	release := hold(other.write.(*groupWriter))
	began := time.Now()
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			err := w.do(context.Background(), durable, put(fmt.Sprint(i)))
			var e *scaigrid.Error
			if !errors.As(err, &e) || e.Code != scaigrid.CodeStorage || !e.Retryable {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if spent := time.Since(began); spent > time.Second {
		t.Errorf("waited %v for a lock of 300 ms", spent)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("readers are disturbed: %v", err)
	}
	release()
	if err := w.do(t.Context(), durable, put("after")); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	s, w := openGroup(t)
	limit := func(pages int) {
		t.Helper()
		// Not within a transaction's statement cache: it is set while it is parsed.
		if err := w.do(t.Context(), soon, func(t *tx) error {
			_, err := w.conn.conn.ExecContext(t.ctx, fmt.Sprintf("PRAGMA max_page_count=%d", pages))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite makes it what the file has
	acknowledged := 0
	big := make([]byte, 3000)
	for i := range 200 {
		err := s.SetValue(t.Context(), fmt.Sprint("full-", i), string(big))
		if err == nil {
			acknowledged++
			continue
		}
		var e *scaigrid.Error
		if !errors.As(err, &e) || e.Code != scaigrid.CodeStorage || !e.Retryable || e.Message[:17] != "The disk is full." {
			t.Fatalf("got %v", err)
		}
	}
	if acknowledged == 200 {
		t.Fatal("the disk was never full")
	}
	if n := names(t, s); n < acknowledged {
		t.Errorf("%d rows, %d acknowledged", n, acknowledged)
	}
	limit(100_000)
	if err := s.SetValue(t.Context(), "space", "again"); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if found, err := s.Check(t.Context(), true); err != nil || found != nil {
		t.Errorf("check: %v %v", found, err)
	}
}
