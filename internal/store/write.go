package store

import (
	"context"
	"database/sql"

	"github.com/scailabs/scaigrid"
)

// durability says what a write waits for.
type durability int

const (
	soon    durability = iota // committed and seen by all, but a power cut within moments may lose it
	durable                   // on the disk
)

// writer runs closures, each in a transaction of its own or as good as that. A
// closure may run more than once and must then start from nothing.
type writer interface {
	do(ctx context.Context, class durability, fn func(*tx) error) error
	close() error
}

// tx is a transaction as a closure sees it. Its queries do not end with the
// caller's context: what was begun is finished.
type tx struct {
	ctx  context.Context
	d    *dialect
	exer execer
}

// execer is a connection of either engine within a transaction.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// exec runs a statement and returns how many rows it touched.
func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.exer.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, t.explain(err)
	}
	n, err := res.RowsAffected()
	return n, t.explain(err)
}

// exec1 runs a statement that must touch a row; NOT_FOUND where it does not.
func (t *tx) exec1(query string, args ...any) error {
	n, err := t.exec(query, args...)
	if err == nil && n == 0 {
		return scaigrid.NotFound()
	}
	return err
}

// get reads one row within the transaction.
func (t *tx) get(query string, args ...any) scanner { return t.row(t.ctx, query, args...) }

func (t *tx) row(ctx context.Context, query string, args ...any) scanner {
	return explained{t.exer.QueryRowContext(ctx, query, args...), t.d}
}

func (t *tx) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.exer.QueryContext(ctx, query, args...)
}

func (t *tx) explain(err error) error { return t.d.explain(err) }
