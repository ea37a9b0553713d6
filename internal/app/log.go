package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scailabs/scaigrid/internal/config"
)

// newLogger writes lines to w as the settings say. What looks like a secret is
// redacted on the way, whoever logged it.
func newLogger(cfg *config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // validated; info otherwise
	r := newRedactor(cfg)
	opt := &slog.HandlerOptions{Level: level, ReplaceAttr: r.attr}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

// logQueue bounds the lines that wait for a slow log.
const logQueue = 4096

// logWriter hands lines to a log that may be slow, full or gone, and never
// lets the server feel it: when the queue is full a line is dropped and
// counted.
type logWriter struct {
	lines   chan []byte
	dropped atomic.Int64
	quit    chan struct{}
	once    sync.Once
	done    chan struct{}
}

func newLogWriter(w io.Writer) *logWriter {
	l := &logWriter{lines: make(chan []byte, logQueue), quit: make(chan struct{}), done: make(chan struct{})}
	go l.run(w)
	return l
}

// Write never fails and never waits.
func (l *logWriter) Write(line []byte) (int, error) {
	select {
	case l.lines <- append([]byte(nil), line...):
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
}

func (l *logWriter) run(w io.Writer) {
	defer close(l.done)
	for {
		select {
		case line := <-l.lines:
			l.put(w, line)
		case <-l.quit:
			for {
				select {
				case line := <-l.lines:
					l.put(w, line)
				default:
					return
				}
			}
		}
	}
}

func (l *logWriter) put(w io.Writer, line []byte) {
	if _, err := w.Write(line); err != nil {
		l.dropped.Add(1)
		return
	}
	if n := l.dropped.Swap(0); n > 0 {
		if _, err := fmt.Fprintf(w, "level=WARN msg=\"log lines were lost: the log was full or could not be written\" lines=%d\n", n); err != nil {
			l.dropped.Add(n)
		}
	}
}

// Close writes what waits, for as long as a moment.
func (l *logWriter) Close() error {
	l.once.Do(func() { close(l.quit) })
	select {
	case <-l.done:
		return nil
	case <-time.After(time.Second):
		return context.DeadlineExceeded
	}
}
