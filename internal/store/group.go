package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/scailabs/scaigrid"
)

// maxGroup bounds how many writes share a commit, so that the first of them
// does not wait long for the last.
const maxGroup = 256

// groupWriter is SQLite's one writer. Whatever gathers while a commit runs is
// the next commit: one transaction and one sync for all, in which no member
// can harm another.
type groupWriter struct {
	d    *dialect
	db   *sql.DB
	conn *cachedConn
	full bool // synchronous=FULL is set

	mu     sync.Mutex
	queue  []*job
	closed bool
	wake   chan struct{} // holds one: there is something in the queue
	done   chan struct{}

	back *checkpointer

	// beforeCommit, where a test sets it, may fail a commit.
	beforeCommit func(jobs int, full bool) error
	commits      atomic.Int64
	written      atomic.Int64
}

// The states of a job: only one of caller and writer may take it from waiting.
const (
	jobWaiting int32 = iota
	jobTaken
	jobGone
)

type job struct {
	class durability
	fn    func(*tx) error
	state atomic.Int32
	err   error
	done  chan struct{}
}

func (j *job) answer(err error) {
	j.err = err
	close(j.done)
}

// newGroupWriter takes over db, which must allow one connection.
func newGroupWriter(ctx context.Context, d *dialect, db *sql.DB, back *checkpointer) (*groupWriter, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &groupWriter{
		d: d, db: db, conn: &cachedConn{conn: conn, stmts: map[string]*sql.Stmt{}}, full: true,
		wake: make(chan struct{}, 1), done: make(chan struct{}), back: back,
	}
	go w.run()
	return w, nil
}

func (w *groupWriter) do(ctx context.Context, class durability, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{class: class, fn: fn, done: make(chan struct{})}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errClosed()
	}
	w.queue = append(w.queue, j)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	w.mu.Unlock()
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobWaiting, jobGone) {
			return ctx.Err()
		}
		<-j.done
	}
	return j.err
}

// close lets the queue run empty, then closes the connection, which writes the
// log back into the database file.
func (w *groupWriter) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.wake)
	w.mu.Unlock()
	<-w.done
	return errors.Join(w.back.close(), w.conn.close(), w.db.Close())
}

func (w *groupWriter) run() {
	defer close(w.done)
	for range w.wake {
		for group := w.take(maxGroup); len(group) > 0; group = w.take(maxGroup) {
			w.commit(group)
		}
	}
	for group := w.take(maxGroup); len(group) > 0; group = w.take(maxGroup) {
		w.commit(group)
	}
}

// take removes up to n jobs whose callers still wait.
func (w *groupWriter) take(n int) []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	var group []*job
	i := 0
	for ; i < len(w.queue) && len(group) < n; i++ {
		if w.queue[i].state.CompareAndSwap(jobWaiting, jobTaken) {
			group = append(group, w.queue[i])
		}
	}
	rest := copy(w.queue, w.queue[i:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	return group
}

// commit runs a group in one transaction and answers its members. When the
// transaction is lost on the way, those that had not failed by themselves
// learn why: nothing of theirs is stored.
func (w *groupWriter) commit(group []*job) {
	errs := make([]error, len(group))
	err := w.transact(group, errs, false)
	if errors.Is(err, errUndo) {
		clear(errs)
		err = w.transact(group, errs, true)
	}
	if err != nil {
		err = w.d.explain(err)
		if w.d.classify(err) == classBusy {
			// The lock was waited for as long as we promise; whoever queued
			// behind has waited too.
			for _, j := range w.take(math.MaxInt) {
				j.answer(err)
			}
		}
	}
	for i, j := range group {
		if err != nil && errs[i] == nil {
			errs[i] = err
		}
		j.answer(errs[i])
	}
}

// errUndo tells that a member failed after it had written.
var errUndo = errors.New("a member of the group must be undone alone")

// transact runs the group. Savepoints cost an eighth of a turn and are hardly
// ever needed, so the first try goes without: a member that fails before it
// wrote leaves nothing to undo. One that fails later ends the try with errUndo,
// and the second try gives each member a savepoint.
func (w *groupWriter) transact(group []*job, errs []error, savepoints bool) (err error) {
	ctx := context.Background()
	if err := w.setSync(ctx, group); err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// SQLite may have ended the transaction itself; then this fails, which is fine.
			_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
		}
	}()
	for i, j := range group {
		t := &tx{ctx: ctx, d: w.d, exer: w.conn}
		if savepoints {
			errs[i], err = w.runCarefully(t, j)
		} else {
			errs[i], err = w.runOne(t, j)
		}
		if err != nil {
			return err
		}
	}
	if w.beforeCommit != nil {
		if err := w.beforeCommit(len(group), w.full); err != nil {
			return err
		}
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return err
	}
	if w.commits.Add(1)%checkpointLooksAt == 0 {
		w.back.nudge()
	}
	w.written.Add(int64(len(group)))
	return nil
}

// runOne runs one member. Own is its failure with nothing to undo; lost means
// that the whole transaction cannot go on.
func (w *groupWriter) runOne(t *tx, j *job) (own, lost error) {
	own = protect(t, j.fn)
	switch {
	case own == nil:
		return nil, nil
	case w.d.classify(own).endsTransaction():
		return nil, own
	case t.wrote:
		return nil, errUndo
	}
	return own, nil
}

// runCarefully runs one member in a savepoint, which undoes its failure.
func (w *groupWriter) runCarefully(t *tx, j *job) (own, lost error) {
	if _, err := w.conn.ExecContext(t.ctx, "SAVEPOINT member"); err != nil {
		return nil, err
	}
	own = protect(t, j.fn)
	if own != nil {
		if w.d.classify(own).endsTransaction() {
			return nil, own
		}
		if _, err := w.conn.ExecContext(t.ctx, "ROLLBACK TO member"); err != nil {
			return nil, err
		}
	}
	if _, err := w.conn.ExecContext(t.ctx, "RELEASE member"); err != nil {
		return nil, err
	}
	return own, nil
}

// setSync chooses what the next commit waits for; it cannot be changed within a transaction.
func (w *groupWriter) setSync(ctx context.Context, group []*job) error {
	full := false
	for _, j := range group {
		full = full || j.class == durable
	}
	if full == w.full {
		return nil
	}
	query := "PRAGMA synchronous=NORMAL"
	if full {
		query = "PRAGMA synchronous=FULL"
	}
	// Not by a kept statement: SQLite sets it while it parses.
	if _, err := w.conn.conn.ExecContext(ctx, query); err != nil {
		return err
	}
	w.full = full
	return nil
}

// protect turns a panic of a closure into an error, so that the writer lives on.
func protect(t *tx, fn func(*tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = scaigrid.AsError(panicError{p})
		}
	}()
	return fn(t)
}

// cachedConn is one connection that keeps its statements prepared.
type cachedConn struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (c *cachedConn) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := c.stmts[query]; st != nil {
		return st, nil
	}
	st, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = st
	return st, nil
}

func (c *cachedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (c *cachedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (c *cachedConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := c.prepared(ctx, query)
	if err != nil {
		// A row that carries the error can only be made by asking.
		return c.conn.QueryRowContext(ctx, query, args...)
	}
	return st.QueryRowContext(ctx, args...)
}

func (c *cachedConn) close() error {
	for _, st := range c.stmts {
		_ = st.Close()
	}
	return c.conn.Close()
}
