package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/docs"
	"github.com/scailabs/scaigrid/internal/docsite"
	"github.com/scailabs/scaigrid/internal/httpapi"
	"github.com/scailabs/scaigrid/web"
)

// openDoors builds the HTTP server, and names the parts that work beside it.
func (s *server) openDoors() error {
	api, err := httpapi.New(httpapi.Options{
		Store: s.store, Guard: s.guard, Models: s.models, Library: s.library, WakeReader: s.worker.Wake, House: s.turns,
		Metrics: s.metrics, Limits: s.limits, Widget: web.Widget(), Docs: &lazyDocs{version: s.opt.Version, log: s.log},
		Ready: []httpapi.Check{
			{Name: "database", Do: s.store.Ping},
			{Name: "accepting", Do: s.accepting},
		},
		TrustedProxies: s.cfg.TrustedProxies, Version: s.opt.Version, Log: s.log, Clock: s.clock,
	})
	if err != nil {
		return err
	}
	s.doors = api.HTTPServer()
	s.parts = append(s.parts, part{"turns", s.turns.Run}, part{"credentials", s.guard.Run}, part{"indexing", s.worker.Run})
	return nil
}

// accepting is the check that fails as soon as the server is told to stop, so
// that a load balancer sends nothing new.
func (s *server) accepting(context.Context) error {
	if s.stopping.Load() {
		return errStopping
	}
	return nil
}

// settle ends the turns of nodes that died.
func (s *server) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	if s.cfg.DatabaseURL == "" {
		return databaseError(s.turns.SettleAll(ctx)) // the data folder is ours alone
	}
	return databaseError(s.turns.Settle(ctx))
}

// smallDatabase is how large a SQLite file may be to be looked over before the
// doors open; a larger one is looked over while they are open.
const smallDatabase = 16 << 20

// lookOver refuses a damaged database, or finds out beside the work.
func (s *server) lookOver(ctx context.Context) error {
	if s.cfg.DatabaseURL != "" {
		return nil // the server guards its own pages
	}
	info, err := os.Stat(filepath.Join(s.cfg.DataDir, "scaigrid.db"))
	if err != nil {
		return err
	}
	if info.Size() <= smallDatabase {
		return s.checkDatabase(ctx)
	}
	s.parts = append(s.parts, part{"the database", s.checkDatabase})
	return nil
}

func (h *hall) checkDatabase(ctx context.Context) error {
	damage, err := h.store.Check(ctx, false)
	if err != nil {
		return databaseError(err)
	}
	if len(damage) == 0 {
		return nil
	}
	return &databaseFault{errors.New("the database is damaged: " + strings.Join(damage[:min(3, len(damage))], "; ") +
		". Keep a copy of the data folder and restore the newest backup; scaigrid doctor --full tells more")}
}

// url is where browsers reach the server. Where the settings leave the port to
// the system, it is the one that was given.
func (s *server) url() string {
	c := s.cfg.Config
	c.Addr = withPort(c.Addr, s.listener.Addr())
	return c.ExternalURL()
}

// localURL is where this machine reaches the server.
func (s *server) localURL() string {
	if s.cfg.TLS() {
		return s.url()
	}
	c := s.cfg.Config
	c.PublicURL, c.Addr = "", withPort(c.Addr, s.listener.Addr())
	return c.ExternalURL()
}

func withPort(addr string, bound net.Addr) string {
	host, _, err := net.SplitHostPort(addr)
	tcp, ok := bound.(*net.TCPAddr)
	if err != nil || !ok {
		return addr
	}
	return net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// lazyDocs renders the documentation when somebody first asks for it: neither
// the start nor an idle server pays for it.
type lazyDocs struct {
	version string
	log     *slog.Logger
	once    sync.Once
	site    *docsite.Site
}

func (d *lazyDocs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.once.Do(func() {
		pages, err := docPages(d.version)
		if err == nil {
			d.site, err = docsite.New(pages)
		}
		if err != nil {
			d.log.Error("the documentation can't be shown", "err", err)
		}
	})
	if d.site == nil {
		http.Error(w, "The documentation of this build can't be shown; the log says why.", scaigrid.CodeInternal.Status())
		return
	}
	d.site.ServeHTTP(w, r)
}

// docPages are the documentation's pages, with those that are made from the
// program itself.
func docPages(version string) ([]docs.Page, error) {
	openAPI, err := httpapi.OpenAPI(version)
	if err != nil {
		return nil, err
	}
	api, err := docsite.APIMarkdown(openAPI)
	if err != nil {
		return nil, err
	}
	return docs.Pages(docs.Generated{API: api, Widget: web.Reference()})
}
