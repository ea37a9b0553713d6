package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/scailabs/scaigrid"
)

// NewerSchemaError is the cause of the STORAGE_ERROR for a database that a
// newer release has written.
type NewerSchemaError struct {
	Have, Know int64  // schema versions: of the database, of this program
	Release    string // that brought the database to Have; "" where it was not noted
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("database schema %d is newer than %d", e.Have, e.Know)
}

const releaseName = "release"

// Migrate brings the schema up to date. Several processes may call it at once;
// one does the work. Before it changes a SQLite database that is in use, it
// puts a copy beside it. A schema newer than this program knows is a
// STORAGE_ERROR whose cause is a NewerSchemaError; nothing is touched then.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.migrate(ctx, s.migrations()); err != nil {
		return s.d.explain(err)
	}
	return nil
}

func (s *Store) migrations() fs.FS {
	files, err := fs.Sub(migrationFiles, "migrations/"+s.d.name)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}

func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	unlock, err := s.lockMigration(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	db, done, err := s.migrationDB()
	if err != nil {
		return err
	}
	defer done()
	var opts []goose.ProviderOption
	if s.d.shared {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(s.d.goose, db, files, opts...)
	if err != nil {
		return err
	}
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > know {
		return s.tooNew(ctx, have, know)
	}
	if have < know {
		if err := s.copyBefore(ctx, have); err != nil {
			return err
		}
		if _, err := p.Up(ctx); err != nil {
			return migrationError(err)
		}
		s.opt.Log.InfoContext(ctx, "database schema is up to date", "engine", s.d.name, "from", have, "to", know)
	}
	if s.opt.Release == "" || have == know {
		return nil
	}
	return s.SetValue(ctx, releaseName, s.opt.Release)
}

// lockMigration keeps two processes from migrating one SQLite file at once.
func (s *Store) lockMigration(ctx context.Context) (unlock func(), err error) {
	if s.d.shared {
		return func() {}, nil
	}
	path := filepath.Join(s.opt.DataDir, "migrate.lock")
	l := flock.New(path, flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, storageError(fmt.Sprintf("The lock file %s cannot be used. Check that the data folder is writable.", path), false, err)
	}
	return func() { _ = l.Unlock() }, nil
}

// migrationDB is a handle for goose, which wants to open transactions itself.
func (s *Store) migrationDB() (db *sql.DB, done func(), err error) {
	if s.d.shared {
		return s.read.db, func() {}, nil
	}
	db, err = sql.Open("sqlite", sqliteDSN(sqlitePath(s.opt.DataDir), false))
	if err != nil {
		return nil, nil, err
	}
	return db, func() { _ = db.Close() }, nil
}

func (s *Store) tooNew(ctx context.Context, have, know int64) error {
	e := &NewerSchemaError{Have: have, Know: know}
	by := "a newer ScaiGrid"
	if release, err := s.Value(ctx, releaseName); err == nil {
		e.Release = release
		by = "ScaiGrid " + release
	}
	return storageError(fmt.Sprintf(
		"The database was last written by %s and has schema version %d; this program knows versions up to %d. Install that release or a newer one, or restore the backup made before the upgrade.",
		by, have, know), false, e)
}

// copyBefore keeps the database as it was before a migration.
func (s *Store) copyBefore(ctx context.Context, version int64) error {
	if s.d.shared || version == 0 {
		return nil
	}
	dir := filepath.Join(s.opt.DataDir, "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return storageError(fmt.Sprintf("The folder %s for the backup before the upgrade cannot be made.", dir), false, err)
	}
	path := filepath.Join(dir, fmt.Sprintf("before-schema-%d.db", version+1))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return storageError(fmt.Sprintf("The old backup %s cannot be replaced.", path), false, err)
	}
	if err := s.Backup(ctx, path); err != nil {
		return err
	}
	s.opt.Log.InfoContext(ctx, "copied the database before the upgrade", "path", path)
	return nil
}

// Backup writes a consistent copy of a SQLite database to path, which must not
// exist, while all goes on. On PostgreSQL use pg_dump; it is refused.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.d.shared {
		return scaigrid.Errorf(scaigrid.CodeValidation, "A PostgreSQL database is backed up with pg_dump.")
	}
	// Not on a connection of the pool: those may not write, not even elsewhere.
	db, err := sql.Open("sqlite", sqliteDSN(sqlitePath(s.opt.DataDir), false))
	if err != nil {
		return s.d.explain(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", path)
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	return s.d.explain(err)
}

// SchemaVersion returns the version of the database and the newest that this program knows.
func (s *Store) SchemaVersion(ctx context.Context) (have, know int64, err error) {
	p, err := goose.NewProvider(s.d.goose, s.read.db, s.migrations())
	if err != nil {
		return 0, 0, err
	}
	for _, src := range p.ListSources() {
		know = max(know, src.Version)
	}
	err = s.read.row(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied = TRUE").Scan(&have)
	return have, know, err
}

func migrationError(err error) error {
	return storageError("The upgrade of the database did not succeed; what was done of it is complete and the rest is done at the next start. The copy made before is in the folder backups.", true, err)
}
