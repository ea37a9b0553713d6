package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/scailabs/scaigrid"
)

// This file is the whole list of what differs between the two engines: how
// they are opened, who writes (group.go, pool.go), what their errors mean, how
// they are migrated, looked over and copied. All other SQL is one text.

// The engines.
const (
	EngineSQLite   = "sqlite"
	EnginePostgres = "postgres"
)

//go:embed migrations
var migrationFiles embed.FS

// dialect is one engine's side of the differences.
type dialect struct {
	name         string
	shared       bool // several nodes may serve one database
	driverCaches bool // the driver keeps prepared statements
	goose        goose.Dialect
	class        func(error) errClass
	quickCheck   string
	fullCheck    string
}

var (
	sqliteDialect = dialect{
		name: EngineSQLite, goose: goose.DialectSQLite3, class: sqliteClass,
		quickCheck: "PRAGMA quick_check", fullCheck: "PRAGMA integrity_check",
	}
	postgresDialect = dialect{
		name: EnginePostgres, shared: true, driverCaches: true, goose: goose.DialectPostgres, class: postgresClass,
		quickCheck: "SELECT 'ok'", fullCheck: "SELECT 'ok'",
	}
)

// sqliteApplicationID is in the head of our files: "Scai".
const sqliteApplicationID = 0x53636169

// sqlitePath is the database file of a data folder.
func sqlitePath(dir string) string { return filepath.Join(dir, "scaigrid.db") }

// sqliteDSN opens the file with what every connection needs: wait 5 s for a
// lock, take it before reading what is to be changed, notice damage early.
func sqliteDSN(path string, readOnly bool) string {
	q := url.Values{"_txlock": {"immediate"}, "_dqs": {"0"}, "_defensive": {"1"}}
	pragmas := []string{
		"busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)",
		"cache_size(-16384)", "wal_autocheckpoint(8000)", "journal_size_limit(67108864)", "cell_size_check(1)",
	}
	if readOnly {
		pragmas = append(pragmas, "query_only(1)")
	}
	q["_pragma"] = pragmas
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (s *Store) openSQLite(ctx context.Context) error {
	s.d = &sqliteDialect
	if err := prepareFile(s.opt.DataDir); err != nil {
		return err
	}
	path := sqlitePath(s.opt.DataDir)
	db, err := sql.Open("sqlite", sqliteDSN(path, false))
	if err != nil {
		return s.d.explain(err)
	}
	db.SetMaxOpenConns(1)
	if err := checkSQLiteFile(ctx, db, path); err != nil {
		_ = db.Close()
		return s.d.explain(err)
	}
	back, err := newCheckpointer(path, s.opt.Log)
	if err != nil {
		_ = db.Close()
		return s.d.explain(err)
	}
	w, err := newGroupWriter(ctx, s.d, db, back)
	if err != nil {
		_ = back.close()
		_ = db.Close()
		return s.d.explain(err)
	}
	readers, err := sql.Open("sqlite", sqliteDSN(path, true))
	if err != nil {
		_ = w.close()
		return s.d.explain(err)
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	readers.SetMaxOpenConns(n)
	readers.SetMaxIdleConns(n)
	s.write, s.read = w, &reader{db: readers, d: s.d}
	return nil
}

// prepareFile makes folder and file so that nobody else on the machine may read them.
func prepareFile(dir string) error {
	if dir == "" {
		return storageError("No data folder was given.", false, nil)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return storageError(fmt.Sprintf("The data folder %s cannot be made. Check the path and who owns the folder above it.", dir), false, err)
	}
	f, err := os.OpenFile(sqlitePath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return storageError(fmt.Sprintf("The database file %s cannot be opened for writing. Check who owns it and its folder.", sqlitePath(dir)), false, err)
	}
	return f.Close()
}

// checkSQLiteFile turns on the write-ahead log and refuses another program's
// file. One of ours that never came further than the list of migrations has no
// id yet.
func checkSQLiteFile(ctx context.Context, db *sql.DB, path string) error {
	var appID, tables int64
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&appID); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE tbl_name NOT IN ('goose_db_version', 'sqlite_sequence')").Scan(&tables); err != nil {
		return err
	}
	if appID != sqliteApplicationID && (appID != 0 || tables != 0) {
		return storageError(fmt.Sprintf("The file %s is a database of another program. Choose another data folder.", path), false, nil)
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return storageError(fmt.Sprintf("The folder of %s cannot hold a write-ahead log, as on some network drives. Use a folder on a local disk, or PostgreSQL.", path), false, nil)
	}
	return nil
}

func (s *Store) openPostgres(ctx context.Context) error {
	s.d = &postgresDialect
	cfg, err := pgx.ParseConfig(s.opt.DatabaseURL)
	if err != nil {
		// The driver's text may repeat the URL, in which the password is.
		return storageError("The database URL cannot be read. It should look like postgres://user:password@host:5432/name.", false, nil)
	}
	for k, v := range map[string]string{
		"application_name": "scaigrid", "timezone": "UTC", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s",
	} {
		if _, set := cfg.RuntimeParams[k]; !set {
			cfg.RuntimeParams[k] = v
		}
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(s.opt.MaxConns)
	db.SetMaxIdleConns(s.opt.MaxConns)
	var encoding string
	if err := db.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		_ = db.Close()
		return s.d.explain(err)
	}
	if encoding != "UTF8" {
		_ = db.Close()
		return storageError(fmt.Sprintf("The database has the encoding %s. Make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.", encoding), false, nil)
	}
	s.write, s.read = &poolWriter{d: s.d, db: db}, &reader{db: db, d: s.d}
	return nil
}

// errClass is what a driver's error means to us.
type errClass int

const (
	classOther   errClass = iota
	classNone             // no row
	classUnique           // the row is there already
	classRetry            // others were in the way: the same again may work at once
	classBusy             // the database is locked
	classFull             // no space
	classIO               // the disk failed, or the file cannot be written
	classDamaged          // the database is not what it should be
	classGone             // the server cannot be reached
	classText             // text that PostgreSQL does not hold
)

// endsTransaction tells that SQLite may have rolled back all of it.
func (c errClass) endsTransaction() bool {
	return c == classBusy || c == classFull || c == classIO || c == classDamaged
}

func (d *dialect) classify(err error) errClass {
	switch {
	case err == nil:
		return classOther
	case errors.Is(err, sql.ErrNoRows):
		return classNone
	}
	return d.class(err)
}

func sqliteClass(err error) errClass {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return classOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return classUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return classNone // what it should belong to has gone
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return classBusy
	case sqlite3.SQLITE_FULL:
		return classFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM:
		return classIO
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return classDamaged
	}
	return classOther
}

func postgresClass(err error) errClass {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var netErr net.Error
		var connErr *pgconn.ConnectError
		if errors.As(err, &connErr) || errors.As(err, &netErr) || pgconn.SafeToRetry(err) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || strings.Contains(err.Error(), "conn closed") {
			return classGone
		}
		return classOther
	}
	switch e.Code {
	case "23505":
		return classUnique
	case "23503":
		return classNone
	case "40001", "40P01":
		return classRetry
	case "55P03":
		return classBusy
	case "53100":
		return classFull
	case "58030", "25006", "53200", "53400":
		return classIO
	case "XX001", "XX002":
		return classDamaged
	case "22021", "22P05":
		return classText
	case "53300", "57P01", "57P02", "57P03", "57P05", "28000", "28P01", "3D000":
		return classGone
	}
	if strings.HasPrefix(e.Code, "08") {
		return classGone
	}
	return classOther
}

// explain tells an error of the driver in our words. An error that is ours
// already, or that is a context's, stays as it is.
func (d *dialect) explain(err error) error {
	var ours *scaigrid.Error
	switch {
	case err == nil, errors.As(err, &ours):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	switch d.classify(err) {
	case classNone:
		return scaigrid.NotFound()
	case classUnique:
		return scaigrid.Errorf(scaigrid.CodeConflict, "Somebody else changed the same thing at the same moment. Read it again and repeat the change.").Because(err)
	case classBusy:
		return storageError("The database is locked by another program and stayed so for 5 seconds. Nothing was stored; try again.", true, err)
	case classFull:
		return storageError("The disk is full. Nothing was stored; make space on the disk of the database and try again.", true, err)
	case classIO:
		return storageError("The database could not be read or written. Nothing was stored; check the disk and who may write to the data folder.", true, err)
	case classDamaged:
		return storageError("The database file is damaged. Stop the server, keep a copy of the data folder, and restore the newest backup; scaigrid doctor tells more.", false, err)
	case classGone:
		return storageError("The database server cannot be reached. Check that it runs and that the database URL is right; it is tried again with the next request.", true, err)
	case classRetry:
		return storageError("The database was too busy to settle the change. Nothing was stored; try again.", true, err)
	case classText:
		return scaigrid.Invalid("text", "holds a character that cannot be stored, such as NUL").Because(err)
	}
	return &scaigrid.Error{Code: scaigrid.CodeInternal, Message: "The database refused a statement; this is a fault of ours. Quote the request id when you report it.", Cause: err}
}

func storageError(message string, retryable bool, cause error) *scaigrid.Error {
	return &scaigrid.Error{Code: scaigrid.CodeStorage, Message: message, Retryable: retryable, Cause: cause}
}

func errClosed() error {
	return &scaigrid.Error{Code: scaigrid.CodeShuttingDown, Message: "The server is stopping. Try again in a moment.", Retryable: true}
}

// panicError is a panic of a closure.
type panicError struct{ value any }

func (p panicError) Error() string { return fmt.Sprintf("panic in a write: %v", p.value) }

// Damaged tells whether err means that the database itself is damaged, so that
// it must be restored rather than tried again.
func Damaged(err error) bool {
	return err != nil && (sqliteClass(err) == classDamaged || postgresClass(err) == classDamaged)
}
