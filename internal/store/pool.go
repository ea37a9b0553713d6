package store

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"
)

// Limits of a transaction on PostgreSQL.
const (
	txTries   = 8                // when others were in the way
	txTimeout = 30 * time.Second // a transaction that takes longer is given up
)

// poolWriter runs each write as a transaction of its own; the server groups
// the syncs of those that commit at the same time.
type poolWriter struct {
	d      *dialect
	db     *sql.DB
	closed atomic.Bool
}

func (w *poolWriter) do(ctx context.Context, class durability, fn func(*tx) error) error {
	unique := false
	for try := 1; ; try++ {
		if w.closed.Load() {
			return errClosed()
		}
		err := w.once(ctx, class, fn)
		if err == nil {
			return nil
		}
		switch w.d.classify(err) {
		case classRetry:
			if try == txTries {
				return err
			}
		case classUnique:
			// Somebody else made the row between our look and our write. The
			// second look finds it and gives the answer the method promises.
			if unique {
				return err
			}
			unique = true
		default:
			return err
		}
	}
}

func (w *poolWriter) once(ctx context.Context, class durability, fn func(*tx) error) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return w.d.explain(err)
	}
	defer func() { _ = conn.Close() }()
	run, cancel := context.WithTimeout(context.WithoutCancel(ctx), txTimeout)
	defer cancel()
	std, err := conn.BeginTx(run, nil)
	if err != nil {
		return w.d.explain(err)
	}
	defer func() { _ = std.Rollback() }() // after a commit it does nothing
	if class == soon {
		if _, err := std.ExecContext(run, "SET LOCAL synchronous_commit=off"); err != nil {
			return w.d.explain(err)
		}
	}
	if err := protect(&tx{ctx: run, d: w.d, exer: std}, fn); err != nil {
		return err
	}
	return w.d.explain(std.Commit())
}

func (w *poolWriter) close() error {
	w.closed.Store(true)
	return nil // the connections are the reader's
}
