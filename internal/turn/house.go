// Package turn is the house that a turn walks through: a visitor says
// something, the system answers. One file is one room (verify, load, accept,
// retrieve, prompt, infer, record); turn.go is the corridor between them.
//
// It promises that nothing is said before the visitor's message is safe on
// disk, that a turn belongs to the server and not to a connection, that it is
// recorded however it ends, and that its last event leaves only after that. It
// never writes to a connection: readers take what they have not had yet from
// the turn's log. It knows no SQL, no HTTP and no provider; what it needs of
// them stands in doors.go.
package turn

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scailabs/scaigrid"
)

// Options are the parts and bounds of a house. Every door is required.
type Options struct {
	Store   Store
	Library Library
	Models  Models
	Limits  Limits

	// OriginAllowed tells whether a page of this origin may use a bot or token
	// that lists these patterns.
	OriginAllowed func(origin string, patterns []string) bool
	// HashKey returns the stored form of a browser's visitor key; an error where
	// it has not the form of one.
	HashKey func(key string) ([]byte, error)
	// Cost prices a model call, in the installation's currency.
	Cost func(u scaigrid.Usage) float64
	// Observe is told of each turn that ended; may be nil.
	Observe func(o scaigrid.Outcome)

	Log   *slog.Logger
	Clock func() time.Time
	Node  string // id of this process, "node_…"

	MaxDuration  time.Duration // of one turn; 0: 5 minutes
	SaveEvery    time.Duration // how long answer text may be in memory alone; 0: 75 ms
	Lease        time.Duration // how long a silent node keeps its turns; 0: 10 s
	FollowEvery  time.Duration // how often a turn of another node is looked at; 0: 250 ms
	RecordWithin time.Duration // how long the end of a turn may try to be stored; 0: 30 s
}

// House answers turns. Make one with New and run its housekeeping with Run.
type House struct {
	Options
	base   context.Context // of every running turn; ended with a cause by Close
	cancel context.CancelCauseFunc
	saver  *saver
	hub    *hub

	mu      sync.Mutex
	closing bool
	live    map[string]*live // by turn id: the turns that this node works on
	asks    map[string]*pending
	follows map[string]*Log
	running sync.WaitGroup
}

// live is a turn that runs here.
type live struct {
	log    *Log
	cancel context.CancelCauseFunc
}

// New builds a house.
func New(o Options) *House {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.MaxDuration, 5*time.Minute)
	def(&o.SaveEvery, 75*time.Millisecond)
	def(&o.Lease, 10*time.Second)
	def(&o.FollowEvery, 250*time.Millisecond)
	def(&o.RecordWithin, 30*time.Second)
	h := &House{
		Options: o, live: map[string]*live{}, asks: map[string]*pending{}, follows: map[string]*Log{}, hub: newHub(),
	}
	h.base, h.cancel = context.WithCancelCause(context.Background())
	h.saver = newSaver(o.Store, o.Log, o.SaveEvery)
	return h
}

// Run does the housekeeping until ctx ends: it stores text on its way, renews
// the leases of this node's turns, stops those that another node was asked to
// stop, and settles turns whose node died.
func (h *House) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.saver.run(ctx) })
	g.Go(func() error { return h.every(ctx, h.Lease/4, h.keepLeases) })
	g.Go(func() error { return h.every(ctx, h.Lease/2, h.Settle) })
	g.Go(func() error { return h.every(ctx, 300*time.Millisecond, h.obeyStops) })
	return g.Wait()
}

func (h *House) every(ctx context.Context, d time.Duration, f func(context.Context) error) error {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := f(ctx); err != nil && ctx.Err() == nil {
				h.Log.WarnContext(ctx, "turn housekeeping failed, will try again", "err", err)
			}
		}
	}
}

func (h *House) keepLeases(ctx context.Context) error {
	if h.Running() == 0 {
		return nil
	}
	return h.Store.RenewLeases(ctx, h.Node, h.Clock().Add(h.Lease))
}

func (h *House) obeyStops(ctx context.Context) error {
	if h.Running() == 0 {
		return nil
	}
	ids, err := h.Store.StopsRequested(ctx, h.Node)
	for _, id := range ids {
		h.stopHere(id)
	}
	return err
}

// Running tells how many turns this node works on.
func (h *House) Running() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.live)
}

// open counts one more piece of work that Drain waits for; the caller ends it
// with running.Done. SHUTTING_DOWN once Drain was called.
func (h *House) open() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return &scaigrid.Error{Code: scaigrid.CodeShuttingDown, Message: "The server is restarting. Please try again in a moment.", Retryable: true, RetryAfter: time.Second}
	}
	h.running.Add(1)
	return nil
}

// Drain refuses new turns and waits for the running ones until ctx ends; those
// that are left are then recorded as interrupted, with what they had said. It
// returns when every turn is recorded.
func (h *House) Drain(ctx context.Context) {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	done := make(chan struct{})
	go func() { h.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		h.cancel(errShuttingDown)
		<-done
	}
	h.cancel(errShuttingDown)
}
