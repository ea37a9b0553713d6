package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scailabs/scaigrid/internal/config"
	"github.com/scailabs/scaigrid/web"
)

// ServeOptions are what a server needs besides its settings.
type ServeOptions struct {
	Config         *config.Loaded
	Demo           bool
	Version        string
	Stdout, Stderr io.Writer
	Clock          func() time.Time // nil: the machine's
}

// After the turns' grace, this is what is left for readers to take their last
// bytes, for jobs and for the database.
const (
	readersGrace = 2 * time.Second
	wholeStop    = 5 * time.Second
)

var errStopping = errors.New("the server is stopping")

// server is a hall with its doors open.
type server struct {
	*hall
	opt      ServeOptions
	began    time.Time
	listener net.Listener
	sample   net.Listener // of the demo; nil without it
	doors    *http.Server
	shop     *http.Server // the sample site; nil without it
	parts    []part       // what runs beside the doors, in the order of starting
	stopping atomic.Bool
}

// part is something that works until its context ends.
type part struct {
	name string
	run  func(context.Context) error
}

// Serve runs the server until ctx ends, then stops it: no new turns, running
// ones get their grace, jobs, database. It returns nil after a clean stop.
//
// Errors: ErrDatabase for one that must not be used; else what kept the server
// from starting, in words for the operator.
func Serve(ctx context.Context, o ServeOptions) error {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	// A log or terminal that has gone away must not end the process.
	signal.Ignore(syscall.SIGPIPE)
	tuneMemory()
	logs := newLogWriter(o.Stderr)
	defer func() { _ = logs.Close() }()
	log := newLogger(&o.Config.Config, logs)
	s, err := startServer(ctx, o, log)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // told to stop before it was ready
	case err != nil:
		return err
	}
	return s.run(ctx)
}

// startServer builds everything in order; what was opened is closed again when
// a later step fails.
func startServer(ctx context.Context, o ServeOptions, log *slog.Logger) (_ *server, err error) {
	s := &server{opt: o, began: o.Clock()}
	if s.hall, err = openHall(ctx, hallOptions{cfg: o.Config, log: log, clock: o.Clock, version: o.Version, serve: true}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	tlsConfig, err := newTLS(&o.Config.Config, log, o.Clock)
	if err != nil {
		return nil, err
	}
	plain, err := listen(ctx, o.Config.Addr, "addr")
	if err != nil {
		return nil, err
	}
	s.listener = secure(plain, tlsConfig)
	if err := s.lookOver(ctx); err != nil {
		return nil, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	if err := s.openDoors(); err != nil {
		return nil, err
	}
	if o.Demo {
		if err := s.openDemo(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *server) abandon() {
	for _, ln := range []net.Listener{s.listener, s.sample} {
		if ln != nil {
			_ = ln.Close()
		}
	}
	_ = s.close()
}

// run serves until ctx ends or a part fails, then stops everything.
func (s *server) run(ctx context.Context) error {
	requests, endRequests := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endRequests(nil)
	work, endWork := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endWork(nil)
	s.doors.BaseContext = func(net.Listener) context.Context { return requests }

	failed := make(chan error, len(s.parts)+2)
	var parts errgroup.Group
	for _, p := range s.parts {
		parts.Go(func() error {
			if err := p.run(work); err != nil && work.Err() == nil {
				failed <- fmt.Errorf("%s stopped: %w", p.name, err)
			}
			return nil
		})
	}
	serve := func(h *http.Server, ln net.Listener, name string) {
		if err := h.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("%s stopped: %w", name, err)
		}
	}
	go serve(s.doors, s.listener, "the server")
	if s.shop != nil {
		go serve(s.shop, s.sample, "the sample site")
	}
	forget := s.announce()
	defer forget()
	go dropStartup()

	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
		s.log.Error("stopping because a part failed", "err", cause)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop(endRequests, endWork, &parts) }()
	select {
	case err := <-stopped:
		return errors.Join(cause, err)
	case <-time.After(s.cfg.ShutdownGrace + wholeStop):
		return errors.Join(cause, errors.New("the stop took too long and was given up; the next start settles what is left"))
	}
}

// stop is the order in which a server ends.
func (s *server) stop(endRequests, endWork context.CancelCauseFunc, parts *errgroup.Group) error {
	began := s.clock()
	s.stopping.Store(true)
	s.log.Info("stopping: no new turns", "running", s.turns.Running(), "grace", s.cfg.ShutdownGrace.String())
	grace, cancel := context.WithTimeout(context.Background(), s.cfg.ShutdownGrace)
	s.turns.Drain(grace)
	cancel()

	readers, cancel := context.WithTimeout(context.Background(), readersGrace)
	defer cancel()
	// Streams that wait for news end at once; those that still send a turn's
	// last events are given the time to.
	timer := time.AfterFunc(readersGrace/4, func() { endRequests(errStopping) })
	defer timer.Stop()
	if err := s.doors.Shutdown(readers); err != nil {
		_ = s.doors.Close()
	}
	if s.shop != nil {
		_ = s.shop.Close()
	}
	endWork(errStopping)
	_ = parts.Wait()
	err := s.close()
	s.log.Info("stopped", "ms", s.clock().Sub(began).Milliseconds())
	return err
}

// announce tells the operator where everything is.
func (s *server) announce() (forget func()) {
	s.log.Info("ready", "ms", s.clock().Sub(s.began).Milliseconds(), "addr", s.listener.Addr().String(), "engine", s.store.Engine(), "version", s.opt.Version)
	for _, w := range s.cfg.Warnings {
		s.log.Warn(w)
	}
	if !s.cfg.Limits {
		s.log.Warn("request limits are off (SCAIGRID_LIMITS=off): never run a server like this where others can reach it")
	}
	if !config.Loopback(s.cfg.Addr) && !s.cfg.TLS() && len(s.cfg.TrustedProxies) == 0 {
		s.log.Warn("listening beyond this machine without TLS and without a trusted proxy: keys and tokens cross the network in the clear; set tls_cert and tls_key, or put a proxy in front and name it in trusted_proxies")
	}
	if !web.Built() {
		s.log.Warn(web.HowToBuild)
	}
	b := banner{version: s.opt.Version, url: s.url(), demo: s.demoURL(), data: s.cfg.DataDir, engine: s.store.Engine(), first: s.first}
	_, _ = io.WriteString(s.opt.Stdout, b.text())
	return leaveNotice(s.cfg.DataDir, notice{PID: os.Getpid(), URL: b.url, Demo: b.demo})
}
