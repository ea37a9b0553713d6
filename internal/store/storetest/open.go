// Package storetest opens real stores for tests: SQLite in a temporary folder,
// and PostgreSQL in a database of its own on a server that is either named by
// SCAIGRID_TEST_POSTGRES or started for the run. Run is the conformance suite
// that every engine must pass.
//
// It is for tests alone and never part of the program. It promises that no two
// stores share anything and that nothing is left when the test ends.
package storetest

import (
	"context"
	"testing"

	"github.com/scailabs/scaigrid/internal/store"
)

// SQLite opens a migrated store in a temporary folder, closed with the test.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return open(t, store.Options{DataDir: t.TempDir()})
}

// Postgres opens a migrated store in a new database, dropped with the test. It
// skips the test where PostgreSQL is not installed, and fails it where the
// environment variable CI is set.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return open(t, store.Options{DatabaseURL: PostgresURL(t), MaxConns: 10})
}

// Each runs a test on every engine.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

func open(t testing.TB, opt store.Options) *store.Store {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, opt)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := s.Migrate(ctx); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return s
}
