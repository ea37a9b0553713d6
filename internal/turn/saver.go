package turn

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/scailabs/scaigrid"
)

// saver gathers the new text of all running turns and stores it together,
// close behind the readers: after a crash an answer lacks only its last words.
type saver struct {
	store Store
	log   *slog.Logger
	every time.Duration
	wake  chan struct{}

	mu    sync.Mutex
	dirty map[*Log]struct{}
}

func newSaver(s Store, log *slog.Logger, every time.Duration) *saver {
	return &saver{store: s, log: log, every: every, wake: make(chan struct{}, 1), dirty: map[*Log]struct{}{}}
}

func (s *saver) touch(l *Log) {
	s.mu.Lock()
	s.dirty[l] = struct{}{}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// drop forgets a log whose end is stored by other means.
func (s *saver) drop(l *Log) {
	s.mu.Lock()
	delete(s.dirty, l)
	s.mu.Unlock()
}

func (s *saver) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.every):
		}
		if err := s.flush(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "answer text could not be stored yet", "err", err)
		}
	}
}

func (s *saver) flush(ctx context.Context) error {
	s.mu.Lock()
	logs := s.dirty
	s.dirty = make(map[*Log]struct{}, len(logs))
	s.mu.Unlock()
	updates := make([]scaigrid.TextUpdate, 0, len(logs))
	for l := range logs {
		text, marks := l.snapshot()
		updates = append(updates, scaigrid.TextUpdate{TurnID: l.Turn.ID, ReplyID: l.Turn.ReplyID, Content: text, Marks: marks})
	}
	if len(updates) == 0 {
		return nil
	}
	err := s.store.SaveText(ctx, updates)
	if err != nil {
		for l := range logs {
			if !l.Over() {
				s.touch(l)
			}
		}
	}
	return err
}
