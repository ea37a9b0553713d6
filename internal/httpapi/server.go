// Package httpapi is the doors of the house: one table of routes that says for
// each who may call it, and around it decoding, the envelope, limits, CORS,
// the access log and the document that describes it all.
//
// It holds no rule of the product: a handler reads a request, asks one room,
// and writes what the room said. Nothing can be served that is not a row of the
// table; a row that does not say who may call it stops the program at start.
// It promises that every answer carries a request id, that nothing a client
// sends is answered with a 5xx, that an object of somebody else looks exactly
// like one that does not exist, and that no token, key, message, e-mail address
// or query value is ever logged.
package httpapi

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/auth"
	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/turn"
)

// Options are the parts of a server. All are required unless said otherwise.
type Options struct {
	Store      *store.Store
	Guard      *auth.Guard
	Models     Models
	Library    Library
	WakeReader func() // tells the worker that documents wait to be read; may be nil
	House      *turn.House

	Metrics *Metrics
	Limits  *Limits
	Widget  fs.FS        // built widget files; nil: the static path answers 404
	Docs    http.Handler // pages under /docs; nil: 404
	Ready   []Check      // what must be well for /health/ready

	TrustedProxies []netip.Prefix // who may say the client's address
	Version        string         // of the program, for the OpenAPI document
	Log            *slog.Logger
	Clock          func() time.Time
}

// Server answers HTTP. Make one with New.
type Server struct {
	store       *store.Store
	keys        *auth.APIKeys
	tokens      *auth.EmbedTokens
	revocations *auth.Revocations
	models      Models
	library     Library
	wake        func()
	visitors    *visitorMemory
	bots        *botCache
	chat        *chatDoor

	limits  *Limits
	metrics *Metrics
	ready   []Check
	docs    http.Handler
	static  *staticFiles
	proxies []netip.Prefix
	log     *slog.Logger
	clock   func() time.Time

	mux      *http.ServeMux
	rows     []route
	allow    map[string]string // by path: the methods that it takes
	openAPI  document
	buffers  *pool
	uploads  chan struct{} // holds one for each large body that is in memory
	jsonType []string
	lost     metricRoute // requests that no row took
}

// New builds a server. It refuses a table with a row that does not say who may
// call it, or that cannot be described in the OpenAPI document.
func New(o Options) (*Server, error) {
	s := &Server{
		store: o.Store, keys: o.Guard.Keys, tokens: o.Guard.Tokens, revocations: o.Guard.Revocations, models: o.Models, library: o.Library, wake: o.WakeReader,
		limits: o.Limits, metrics: o.Metrics, ready: o.Ready, docs: o.Docs, proxies: o.TrustedProxies, log: o.Log, clock: o.Clock,
		mux: http.NewServeMux(), allow: map[string]string{}, buffers: newPool(), uploads: make(chan struct{}, maxUploads), jsonType: []string{"application/json"},
	}
	s.visitors = newVisitorMemory(o.Store)
	s.bots = newBotCache(o.Store, o.Clock)
	s.chat = &chatDoor{house: o.House, store: o.Store, watch: o.Guard.Revocations.Watch, clock: o.Clock}
	s.lost = o.Metrics.route("unmatched")
	var err error
	if s.static, err = newStaticFiles(o.Widget); err != nil {
		return nil, err
	}
	s.rows = s.table()
	if err := complete(s.rows); err != nil {
		return nil, err
	}
	s.mount()
	if s.openAPI, err = describe(s.rows, o.Version); err != nil {
		return nil, fmt.Errorf("the OpenAPI document: %w", err)
	}
	return s, nil
}

// HTTPServer returns a net/http server with the bounds that this package
// relies on: 5 s for headers and a small body (a larger one is given more by
// its handler), 32 KiB of headers (431 above), no answer that takes more than a
// minute unless it is a stream with deadlines of its own.
func (s *Server) HTTPServer() *http.Server {
	return &http.Server{
		Handler:                      s,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  5 * time.Second,
		WriteTimeout:                 time.Minute,
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               32<<10 - 4096, // net/http adds 4 KiB
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// statusGone is what the log calls a request whose caller left before the answer.
const statusGone = 499

var noSniff = []string{"nosniff"}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.clock()
	rec := &recorder{ResponseWriter: w}
	rec.call = call{srv: s, w: rec, r: r, id: scaigrid.NewID(scaigrid.KindRequest, now), began: now}
	c := &rec.call
	c.address = clientAddress(r, s.proxies)
	h := w.Header()
	c.header(h, "X-Request-Id", slotID, c.id)
	h["X-Content-Type-Options"] = noSniff
	defer s.closeCall(c)
	if strings.HasPrefix(r.URL.Path, chatPath) {
		chatCORS.apply(h)
	}
	if !plainPath(r) {
		c.fail(scaigrid.NotFound())
		return
	}
	s.mux.ServeHTTP(rec, r)
}

// closeCall ends a request: a panic becomes a 500 while that can still be
// said, and the request is counted and logged.
func (s *Server) closeCall(c *call) {
	p := recover()
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		s.note(c)
		panic(p)
	}
	if p != nil {
		s.log.ErrorContext(c.ctx(), "a request handler panicked", "request_id", c.id, "route", c.pattern(), "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		if c.w.status != 0 {
			s.note(c)
			panic(http.ErrAbortHandler) // the answer is half sent: cut it, so that it does not look whole
		}
		c.fail(scaigrid.AsError(fmt.Errorf("panic: %v", p)))
	}
	s.note(c)
}

// answer runs a row's handler and says its error.
func (s *Server) answer(c *call) {
	if err := s.admit(c); err != nil {
		s.refuse(c, err)
		return
	}
	if err := c.route.serve.handle(c); err != nil {
		s.refuse(c, err)
	}
}

func (s *Server) refuse(c *call, err error) {
	if c.w.status == 0 && c.ctx().Err() != nil {
		c.w.status = statusGone // for the log; nobody is left to be told
		panic(http.ErrAbortHandler)
	}
	e := scaigrid.AsError(err)
	if e.Code.Status() >= 500 {
		s.log.ErrorContext(c.ctx(), "a request failed", "request_id", c.id, "route", c.pattern(), "code", e.Code, "cause", e.Cause)
	}
	if c.w.status != 0 {
		panic(http.ErrAbortHandler) // too late to say it; the answer must not look whole
	}
	c.fail(e)
}

// plainPath tells whether the path is written in its one plain form. Others
// (//, /../, encoded slashes) are not redirected, they are nothing.
func plainPath(r *http.Request) bool {
	p := r.URL.Path
	if p == "" || p[0] != '/' {
		return false
	}
	for rest := p; ; {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return true
		}
		rest = rest[i+1:]
		if strings.HasPrefix(rest, "/") || rest == "." || rest == ".." || strings.HasPrefix(rest, "./") || strings.HasPrefix(rest, "../") {
			return false
		}
	}
}
