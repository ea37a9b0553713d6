package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// TestAReaderWhoGoesAwayIsToldSo: a context that ends is no fault of the database.
func TestAReaderWhoGoesAwayIsToldSo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		w.AddDocument("d", "x")
		docs, err := s.ClaimDocuments(t.Context(), "node-a", w.Now, w.Now.Add(time.Minute), 1)
		w.Must(err)
		chunks := make([]scaigrid.Chunk, 2000)
		for i := range chunks {
			chunks[i] = scaigrid.Chunk{ID: w.ID("psg"), Position: i, Text: "x", Terms: make([]byte, 2000)}
		}
		w.Must(s.PublishChunks(t.Context(), docs[0], "node-a", chunks, w.Now))
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err = s.ScanChunks(ctx, w.Bot.ID, func(scaigrid.Chunk) error {
			if n++; n == 10 {
				cancel()
			}
			return nil
		})
		if n < 2000 && !errors.Is(err, context.Canceled) {
			t.Errorf("after %d of 2000: %v", n, err)
		}
		if _, err := s.Bot(ctx, w.Tenant.ID, w.Bot.ID); !errors.Is(err, context.Canceled) {
			t.Errorf("a read: %v", err)
		}
		if err := s.SetValue(ctx, "a", "b"); !errors.Is(err, context.Canceled) {
			t.Errorf("a write: %v", err)
		}
		past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		if err := s.Ping(past); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a ping too late: %v", err)
		}
		w.Must(s.Ping(t.Context()))
	})
}

func TestABackupWhileOthersWriteIsWhole(t *testing.T) {
	s := storetest.SQLite(t)
	w := storetest.NewWorld(t, s)
	var mu sync.Mutex
	var stored []string
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				acc, err := s.Accept(context.Background(), w.Ask("", "", "hello"))
				if err != nil {
					w.Note(err)
					return
				}
				mu.Lock()
				stored = append(stored, acc.Turn.ConversationID)
				mu.Unlock()
			}
		})
	}
	have := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return stored[:len(stored):len(stored)]
	}
	for len(have()) < 50 {
		time.Sleep(time.Millisecond)
	}
	before := have()
	dir := t.TempDir()
	w.Must(s.Backup(t.Context(), filepath.Join(dir, "scaigrid.db")))
	close(stop)
	wg.Wait()
	if err := s.Backup(t.Context(), filepath.Join(dir, "scaigrid.db")); err == nil {
		t.Error("a backup replaced another")
	}
	copied := openIn(t, dir)
	for _, id := range before {
		if messages, err := copied.Messages(t.Context(), id); err != nil || len(messages) != 2 {
			t.Fatalf("%s: %d messages, %v", id, len(messages), err)
		}
	}
	if found, err := copied.Check(t.Context(), true); err != nil || found != nil {
		t.Errorf("check: %v %v", found, err)
	}
	t.Logf("%d conversations before the backup, all in it", len(before))
}
