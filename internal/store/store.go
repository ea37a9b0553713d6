package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/scailabs/scaigrid"
)

// Options say where the data is.
type Options struct {
	DataDir     string // folder of the SQLite file; made when missing. Not used with PostgreSQL.
	DatabaseURL string // "postgres://…"; "" for SQLite in DataDir
	Release     string // version of this program, noted by Migrate and named when an older one is refused
	Log         *slog.Logger
	MaxConns    int // PostgreSQL connections of this process; 0: 20
}

// Store is an open database. All methods may be called at the same time.
type Store struct {
	opt   Options
	d     *dialect
	read  *reader
	write writer

	claimMu sync.Mutex
	claim   *flock.Flock
}

// Engine names the database: "sqlite" or "postgres".
func (s *Store) Engine() string { return s.d.name }

// Open opens the database, making the folder and an empty file for SQLite.
// Call Migrate before anything else. A path or URL that cannot be used, or a
// file that is not ours or damaged, is a STORAGE_ERROR that says what to do.
func Open(ctx context.Context, opt Options) (*Store, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.MaxConns <= 0 {
		opt.MaxConns = 20
	}
	s := &Store{opt: opt}
	var err error
	switch {
	case opt.DatabaseURL == "":
		err = s.openSQLite(ctx)
	case strings.HasPrefix(opt.DatabaseURL, "postgres://"), strings.HasPrefix(opt.DatabaseURL, "postgresql://"):
		err = s.openPostgres(ctx)
	default:
		err = &scaigrid.Error{Code: scaigrid.CodeStorage, Message: "The database URL must begin with postgres://. Leave it empty for SQLite in the data folder."}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close finishes what was begun and closes the database. Writes that come
// later are refused with SHUTTING_DOWN.
func (s *Store) Close() error {
	err := s.write.close()
	err = errors.Join(err, s.read.close())
	s.claimMu.Lock()
	defer s.claimMu.Unlock()
	if s.claim != nil {
		err = errors.Join(err, s.claim.Unlock())
		s.claim = nil
	}
	return err
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.row(ctx, "SELECT 1").Scan(&one)
}

// ClaimServe makes this process the one that serves the data folder, until
// Close. Another one is refused with CONFLICT. On PostgreSQL several nodes may
// serve and it does nothing. Short commands beside the server need no claim.
func (s *Store) ClaimServe() error {
	if s.d.shared {
		return nil
	}
	s.claimMu.Lock()
	defer s.claimMu.Unlock()
	if s.claim != nil {
		return nil
	}
	path := filepath.Join(s.opt.DataDir, "serve.lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return storageError(fmt.Sprintf("The lock file %s cannot be used. Check that the data folder is writable.", path), false, err)
	}
	if !ok {
		return scaigrid.Errorf(scaigrid.CodeConflict,
			"Another ScaiGrid server is using the data folder %s. Stop it, or give this one a data folder of its own; several servers can share a PostgreSQL database.", s.opt.DataDir)
	}
	s.claim = lock
	return nil
}

// Check looks for damage: every page and index where full is true, which
// reads the whole file, else a faster look that leaves out comparing indexes
// with tables. It returns what it found, in words of the database; nothing
// means sound. PostgreSQL guards its own pages, there it only asks for an answer.
func (s *Store) Check(ctx context.Context, full bool) ([]string, error) {
	query := s.d.quickCheck
	if full {
		query = s.d.fullCheck
	}
	found, err := collect(ctx, s.read, query, nil, func(r scanner) (string, error) {
		var line string
		return line, r.Scan(&line)
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil, nil
	}
	return found, nil
}

// scanner is a row to be read.
type scanner interface{ Scan(dest ...any) error }

// querier asks questions: outside of a transaction or in one.
type querier interface {
	row(ctx context.Context, query string, args ...any) scanner
	rows(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	explain(err error) error
}

// reader asks outside of a transaction, on a pool of connections.
type reader struct {
	db    *sql.DB
	d     *dialect
	stmts sync.Map // query → *sql.Stmt; only where the driver does not keep them itself
	kept  atomic.Int64
}

// maxKept bounds the statements kept: filters make many texts.
const maxKept = 200

// prepared returns a kept statement, or nil where the query should go without.
func (r *reader) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := r.stmts.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	if r.d.driverCaches || r.kept.Load() >= maxKept {
		return nil, nil
	}
	st, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if kept, loaded := r.stmts.LoadOrStore(query, st); loaded {
		_ = st.Close()
		return kept.(*sql.Stmt), nil
	}
	r.kept.Add(1)
	return st, nil
}

func (r *reader) row(ctx context.Context, query string, args ...any) scanner {
	st, err := r.prepared(ctx, query)
	if err != nil {
		return failed{r.explain(err)}
	}
	if st == nil {
		return explained{r.db.QueryRowContext(ctx, query, args...), r.d}
	}
	return explained{st.QueryRowContext(ctx, args...), r.d}
}

func (r *reader) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := r.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return r.db.QueryContext(ctx, query, args...)
	}
	return st.QueryContext(ctx, args...)
}

func (r *reader) explain(err error) error { return r.d.explain(err) }

func (r *reader) close() error {
	r.stmts.Range(func(_, st any) bool {
		_ = st.(*sql.Stmt).Close()
		return true
	})
	return r.db.Close()
}

// explained is a row whose error is told in our words.
type explained struct {
	row *sql.Row
	d   *dialect
}

func (e explained) Scan(dest ...any) error { return e.d.explain(e.row.Scan(dest...)) }

type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// collect reads all rows of a query.
func collect[T any](ctx context.Context, q querier, query string, args []any, scan func(scanner) (T, error)) ([]T, error) {
	rows, err := q.rows(ctx, query, args...)
	if err != nil {
		return nil, q.explain(err)
	}
	defer func() { _ = rows.Close() }()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, q.explain(err)
		}
		out = append(out, v)
	}
	return out, q.explain(rows.Err())
}

// none tells that a row was not there.
func none(err error) bool { return scaigrid.ErrorCode(err) == scaigrid.CodeNotFound }

// micros is a time as the database holds it.
func micros(t time.Time) int64 { return t.UnixMicro() }

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

func nullMicros(t *time.Time) sql.NullInt64 {
	if t == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: true}
}

func nullTime(us sql.NullInt64) *time.Time {
	if !us.Valid {
		return nil
	}
	t := timeOf(us.Int64)
	return &t
}
