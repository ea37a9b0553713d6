package store

import (
	"context"
	"io/fs"
)

// Statements returns the texts that a SQLite store has prepared so far.
func Statements(s *Store) []string {
	var out []string
	s.read.stmts.Range(func(query, _ any) bool {
		out = append(out, query.(string))
		return true
	})
	w := s.write.(*groupWriter)
	_ = w.do(context.Background(), soon, func(*tx) error {
		for query := range w.conn.stmts {
			out = append(out, query)
		}
		return nil
	})
	return out
}

// MigrateFrom migrates with other files than the embedded ones.
func MigrateFrom(ctx context.Context, s *Store, files fs.FS) error { return s.migrate(ctx, files) }

// Migrations are the embedded files of the engine.
func Migrations(s *Store) fs.FS { return s.migrations() }

// Write runs statements in one write of the store.
func Write(ctx context.Context, s *Store, synced bool, query string, args ...any) error {
	class := soon
	if synced {
		class = durable
	}
	return s.write.do(ctx, class, func(t *tx) error {
		_, err := t.exec(query, args...)
		return err
	})
}

// Strings reads a column of text.
func Strings(ctx context.Context, s *Store, query string, args ...any) ([]string, error) {
	return collect(ctx, s.read, query, args, scanText)
}
