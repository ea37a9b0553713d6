package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// with adds a migration to the embedded ones.
func with(t *testing.T, s *store.Store, name, body string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	entries, err := fs.ReadDir(store.Migrations(s), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := fs.ReadFile(store.Migrations(s), e.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = &fstest.MapFile{Data: data}
	}
	files[name] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + body)}
	return files
}

func TestMigrationsPairUp(t *testing.T) {
	lists := map[string][]string{}
	for _, engine := range []string{"sqlite", "postgres"} {
		entries, err := os.ReadDir(filepath.Join("migrations", engine))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			lists[engine] = append(lists[engine], e.Name())
		}
	}
	if diff := cmp.Diff(lists["sqlite"], lists["postgres"]); diff != "" {
		t.Errorf("the engines have other migrations:\n%s", diff)
	}
}

// kinds are the types of one engine, by those of the other.
var kinds = map[string]string{
	"text": "text", "bigint": "integer", "boolean": "boolean", "bytea": "blob", "double precision": "real",
}

func TestBothEnginesHaveTheSameTables(t *testing.T) {
	read := func(s *store.Store, query string) map[string]string {
		rows, err := store.Strings(t.Context(), s, query)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, r := range rows {
			name, kind, _ := strings.Cut(r, " ")
			out[name] = kind
		}
		return out
	}
	lite := read(storetest.SQLite(t), `SELECT m.name || '.' || c.name || ' ' || CASE LOWER(c.type) WHEN 'bigint' THEN 'integer' ELSE LOWER(c.type) END
			|| CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
		FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version'`)
	pg := read(storetest.Postgres(t), `SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`)
	for column, kind := range pg {
		base, null := strings.CutSuffix(kind, " not null")
		pg[column] = kinds[base]
		if null {
			pg[column] += " not null"
		}
	}
	if diff := cmp.Diff(lite, pg); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) differ:\n%s", diff)
	}
	if len(lite) < 150 {
		t.Errorf("only %d columns were compared", len(lite))
	}
}

func TestBothEnginesHaveTheSameIndexes(t *testing.T) {
	lite, err := store.Strings(t.Context(), storetest.SQLite(t), "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	pg, err := store.Strings(t.Context(), storetest.Postgres(t), `SELECT indexname FROM pg_indexes WHERE schemaname = 'public'
		AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key' AND tablename <> 'goose_db_version' ORDER BY indexname COLLATE "C"`)
	if err != nil {
		t.Fatal(err)
	}
	lite = slices.DeleteFunc(lite, func(n string) bool { return strings.HasSuffix(n, "_key") })
	if diff := cmp.Diff(lite, pg); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) differ:\n%s", diff)
	}
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := s.SetValue(t.Context(), "release", "v9.8.7"); err != nil {
			t.Fatal(err)
		}
		if err := store.MigrateFrom(t.Context(), s, with(t, s, "099_future.sql", "CREATE TABLE future (x TEXT);")); err != nil {
			t.Fatal(err)
		}
		err := s.Migrate(t.Context())
		var newer *store.NewerSchemaError
		var e *scaigrid.Error
		if !errors.As(err, &newer) || !errors.As(err, &e) || e.Code != scaigrid.CodeStorage {
			t.Fatalf("got %v", err)
		}
		if newer.Have != 99 || newer.Know != 1 || newer.Release != "v9.8.7" {
			t.Errorf("cause %+v", newer)
		}
		for _, word := range []string{"v9.8.7", "version 99", "up to 1", "Install", "backup"} {
			if !strings.Contains(e.Message, word) {
				t.Errorf("%q is not in: %s", word, e.Message)
			}
		}
		have, know, err := s.SchemaVersion(t.Context())
		if err != nil || have != 99 || know != 1 {
			t.Errorf("versions %d %d %v", have, know, err)
		}
	})
}

func TestAnUpgradeKeepsTheDataAndACopy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := storetest.NewWorld(t, s)
		w.Finish(w.Accept(w.Ask("", "", "hello")).Turn.ID, "hi")
		broken := with(t, s, "002_next.sql", "ALTER TABLE bots ADD COLUMN extra TEXT;\nUPDATE bots SET extra = 'x';\nINSERT INTO nowhere VALUES (1);")
		err := store.MigrateFrom(t.Context(), s, broken)
		if scaigrid.ErrorCode(err) != scaigrid.CodeStorage {
			t.Fatalf("a broken upgrade gave %v", err)
		}
		if _, err := store.Strings(t.Context(), s, "SELECT extra FROM bots"); err == nil {
			t.Fatal("half of the upgrade is there")
		}
		good := with(t, s, "002_next.sql", "ALTER TABLE bots ADD COLUMN extra TEXT;\nUPDATE bots SET extra = 'x';")
		var wg sync.WaitGroup
		for range 4 { // nodes that start together
			wg.Go(func() {
				if err := store.MigrateFrom(context.Background(), s, good); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		extra, err := store.Strings(t.Context(), s, "SELECT extra FROM bots")
		if err != nil || len(extra) != 1 || extra[0] != "x" {
			t.Fatalf("after the upgrade: %v %v", extra, err)
		}
		if bots, _, err := s.Bots(t.Context(), w.Tenant.ID, store.BotFilter{}, scaigrid.PageRequest{}); err != nil || len(bots) != 1 {
			t.Fatalf("bots: %v %v", bots, err)
		}
	})
}

func TestTheCopyBeforeAnUpgradeCanBeUsed(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	w := storetest.NewWorld(t, s)
	if err := store.MigrateFrom(t.Context(), s, with(t, s, "002_next.sql", "DROP TABLE bots;")); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "backups", "before-schema-2.db")
	info, err := os.Stat(copied)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("copy: %v %v", info, err)
	}
	other := t.TempDir()
	data, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "scaigrid.db"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openIn(t, other).Bot(t.Context(), w.Tenant.ID, w.Bot.ID); err != nil {
		t.Errorf("the copy: %v", err)
	}
}

func openIn(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Release: "v1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOneServerInAFolder(t *testing.T) {
	dir := t.TempDir()
	first, second := openIn(t, dir), openIn(t, dir)
	if err := first.ClaimServe(); err != nil {
		t.Fatal(err)
	}
	if err := first.ClaimServe(); err != nil {
		t.Errorf("claiming again: %v", err)
	}
	err := second.ClaimServe()
	if scaigrid.ErrorCode(err) != scaigrid.CodeConflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second got %v", err)
	}
	w := storetest.NewWorld(t, second) // a short command writes beside the server
	if _, err := first.Bot(t.Context(), w.Tenant.ID, w.Bot.ID); err != nil {
		t.Errorf("the server does not see it: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.ClaimServe(); err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
}

func TestFilesThatAreNotOursAreRefused(t *testing.T) {
	write := func(t *testing.T, data []byte) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "scaigrid.db"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	foreign := func(t *testing.T) string {
		dir := t.TempDir()
		db, err := sql.Open("sqlite", filepath.Join(dir, "scaigrid.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.Exec("CREATE TABLE theirs (x)"); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		opt     store.Options
		says    string
		damaged bool
	}{
		"no folder":               {store.Options{}, "No data folder", false},
		"another program's":       {store.Options{DataDir: foreign(t)}, "another program", false},
		"no database":             {store.Options{DataDir: write(t, []byte(strings.Repeat("This is a letter. ", 500)))}, "damaged", true},
		"a folder that is a file": {store.Options{DataDir: filepath.Join(write(t, nil), "scaigrid.db")}, "cannot be made", false},
		"MySQL":                   {store.Options{DatabaseURL: "mysql://x"}, "postgres://", false},
		"no URL":                  {store.Options{DatabaseURL: "postgres://user:secret@host:notaport/x"}, "cannot be read", false},
		"nobody there":            {store.Options{DatabaseURL: "postgres://user:secret@127.0.0.1:1/x"}, "cannot be reached", false},
	} {
		s, err := store.Open(t.Context(), c.opt)
		if err == nil {
			err = s.Migrate(t.Context())
			_ = s.Close()
		}
		if scaigrid.ErrorCode(err) != scaigrid.CodeStorage || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if strings.Contains(scaigrid.AsError(err).Message, "secret") || store.Damaged(err) != c.damaged {
			t.Errorf("%s: got %v, damaged %v", name, err, store.Damaged(err))
		}
	}
}

func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := openIn(t, dir)
	storetest.NewWorld(t, s)
	if err := s.ClaimServe(); err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		modes[filepath.Base(path)] = info.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(modes)) {
		if modes[name]&0o077 != 0 {
			t.Errorf("%s has mode %o", name, modes[name])
		}
	}
	if len(modes) < 4 {
		t.Errorf("only %v", modes)
	}
}
