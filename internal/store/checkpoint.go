package store

import (
	"context"
	"database/sql"
	"log/slog"
)

// Pages of 4 KiB. The log is written back into the file beside the writer once
// checkpointAt pages wait there. Where that does not keep up, the writer itself
// does it in the middle of its work, at writerCheckpointAt (sqliteDSN).
const (
	checkpointAt      = 2000
	checkpointLooksAt = 8 // commits between two looks
)

// checkpointer keeps SQLite's write-ahead log short without a turn waiting for it.
type checkpointer struct {
	db   *sql.DB
	log  *slog.Logger
	wake chan struct{}
	done chan struct{}
}

func newCheckpointer(path string, log *slog.Logger) (*checkpointer, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, false))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	c := &checkpointer{db: db, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go c.run()
	return c, nil
}

// nudge tells that something was committed; it never waits.
func (c *checkpointer) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *checkpointer) run() {
	defer close(c.done)
	for range c.wake {
		pages, back, err := c.pragma("NOOP") // only looks
		if err == nil && pages-back >= checkpointAt {
			_, _, err = c.pragma("PASSIVE") // waits for nobody
		}
		if err != nil {
			// The writer goes on and tries by itself; its own errors are told to those they concern.
			c.log.Debug("the write-ahead log could not be written back yet", "err", err)
		}
	}
}

// pragma returns how many pages the log has and how many of them are back in the file.
func (c *checkpointer) pragma(mode string) (pages, back int64, err error) {
	var busy int64
	err = c.db.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &back)
	return pages, back, err
}

func (c *checkpointer) close() error {
	close(c.wake)
	<-c.done
	return c.db.Close()
}
