package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// TestAnUploadThatIsCutOff plays a process that died between two parts.
func TestAnUploadThatIsCutOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		cut := func(id string) {
			t.Helper()
			w.Must(store.Write(t.Context(), s, true, "UPDATE documents SET lease_node = 'upload', lease_until = $2 WHERE id = $1", id, w.Now.Add(time.Minute).UnixMicro()))
		}
		claim := func(now time.Time) []scaigrid.Document {
			t.Helper()
			list, err := s.ClaimDocuments(t.Context(), "node-a", now, now.Add(time.Minute), 10)
			w.Must(err)
			return list
		}
		d := w.AddDocument("new", "the first part")
		cut(d.ID)
		if _, err := s.DocumentBlob(t.Context(), d.ID); scaigrid.ErrorCode(err) != scaigrid.CodeNotFound {
			t.Errorf("half of the bytes were given out: %v", err)
		}
		if list := claim(w.Now); len(list) != 0 {
			t.Errorf("claimed while it arrives: %v", list)
		}
		if list := claim(w.Now.Add(2 * time.Minute)); len(list) != 0 {
			t.Errorf("half a document was claimed: %v", list)
		}
		got, err := s.Document(t.Context(), w.Bot.ID, d.ID)
		w.Must(err)
		if got.Status != scaigrid.DocumentFailed || got.Error.Code != "upload_incomplete" {
			t.Errorf("document %+v", got)
		}
		old := w.AddDocument("old", "old")
		w.Must(s.PublishChunks(t.Context(), claim(w.Now)[0], "node-a", nil, w.Now))
		for _, then := range []func() error{
			func() error { claim(w.Now.Add(2 * time.Minute)); return nil },
			func() error { _, err := s.ReindexDocument(t.Context(), w.Bot.ID, old.ID, 0, w.Now); return err },
		} {
			_, err = s.ReplaceDocument(t.Context(), *old, []byte("new, first part"), 0, w.Now)
			w.Must(err)
			cut(old.ID)
			w.Must(then())
			body, err := s.DocumentBlob(t.Context(), old.ID)
			if err != nil || string(body) != "old" {
				t.Errorf("the old bytes are %q, %v", body, err)
			}
		}
	})
}

func TestAnUploadLosesAgainstDeletion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		var wg sync.WaitGroup
		d := &scaigrid.Document{ID: w.ID("doc"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, Name: "big", Source: "file", CreatedAt: w.Now}
		wg.Go(func() {
			if err := s.AddDocument(context.Background(), d, make([]byte, 10<<20)); err != nil && scaigrid.ErrorCode(err) != scaigrid.CodeConflict {
				t.Error(err)
			}
		})
		for {
			if err := s.DeleteDocument(t.Context(), w.Bot.ID, d.ID, 0, w.Now); err == nil {
				break
			}
		}
		wg.Wait()
		if left, err := store.Strings(t.Context(), s, "SELECT document_id FROM document_blobs"); err != nil || len(left) != 0 {
			t.Errorf("%d parts are left, %v", len(left), err)
		}
	})
}

func TestTheLogStaysShort(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	w := storetest.NewWorld(t, s)
	body := []byte(strings.Repeat("x", 4<<20))
	for range 40 {
		d := &scaigrid.Document{ID: w.ID("doc"), TenantID: w.Tenant.ID, BotID: w.Bot.ID, Name: "big", Source: "file", CreatedAt: w.Now}
		w.Must(s.AddDocument(t.Context(), d, body))
		info, err := os.Stat(filepath.Join(dir, "scaigrid.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 64<<20 {
			t.Fatalf("the log has %d MiB", info.Size()>>20)
		}
	}
}
