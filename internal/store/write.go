package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/scailabs/scaigrid"
)

// durability says what a write waits for.
type durability int

const (
	soon    durability = iota // committed and seen by all, but a power cut within moments may lose it
	durable                   // on the disk
)

// writer runs closures, each in a transaction of its own or as good as that. A
// closure may run more than once and must start from nothing each time. One that
// looks before it writes fails cheaply.
type writer interface {
	do(ctx context.Context, class durability, fn func(*tx) error) error
	close() error
}

// tx is a transaction as a closure sees it. Its queries do not end with the
// caller's context: what was begun is finished.
type tx struct {
	ctx   context.Context
	d     *dialect
	exer  execer
	wrote bool // a row was changed, so that a failure has something to undo
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
	t.wrote = t.wrote || n > 0
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

// get reads one row within the transaction, or the row that a statement gives back.
func (t *tx) get(query string, args ...any) scanner { return t.row(t.ctx, query, args...) }

func (t *tx) row(ctx context.Context, query string, args ...any) scanner {
	return given{t, explained{t.exer.QueryRowContext(ctx, query, args...), t.d}, reads(query)}
}

func (t *tx) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.wrote = t.wrote || !reads(query)
	return t.exer.QueryContext(ctx, query, args...)
}

func reads(query string) bool { return strings.HasPrefix(query, "SELECT") }

// given is a row from within a transaction. One that a writing statement gave
// back was written.
type given struct {
	t    *tx
	row  scanner
	read bool
}

func (g given) Scan(dest ...any) error {
	err := g.row.Scan(dest...)
	if !g.read && !none(err) {
		g.t.wrote = true
	}
	return err
}

func (t *tx) explain(err error) error { return t.d.explain(err) }
