package httpapi

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// route is one row of the table: what is asked, by whom, within which bounds,
// and who answers.
type route struct {
	op       string // operationId, unique
	method   string
	path     string
	access   access // a row without it stops the program
	limit    limitClass
	maxBody  int64 // bytes; 0: 64 KiB
	status   int   // of success; 0: 200
	stream   bool  // the answer may go on for long: no deadlines but the handler's own, body read beforehand
	versions bool  // the object has a version: If-Match is honoured
	quiet    bool  // success is logged at debug level only
	cors     cors  // what a page of another origin may see
	serve    served

	tag     string
	summary string
	detail  string
	errors  []scaigrid.Code // beside those that follow from access and body

	headers []headerLine
	metric  metricRoute
}

// access says who may call a row. The zero value is no answer to that question.
type access struct {
	kind accessKind
	perm scaigrid.Permission
}

type accessKind int

const (
	undeclared accessKind = iota
	forAnyone
	forStaff
	forVisitors
)

// anyone: no credential is asked for or looked at.
func anyone() access { return access{kind: forAnyone} }

// staff: an API key or a session that holds the permission.
func staff(p scaigrid.Permission) access { return access{kind: forStaff, perm: p} }

// visitor: an embed token, and nothing else.
func visitor() access { return access{kind: forVisitors} }

// served is a handler with the types that describe it.
type served struct {
	handle func(*call) error
	in     reflect.Type // JSON body; nil: none
	out    reflect.Type // data of the envelope; nil: described by media
	query  reflect.Type // query parameters; nil: none
	list   bool         // out is the element of a page
	empty  bool         // a missing body means {}
	media  string       // content type of an answer that is not in the envelope
	form   reflect.Type // the body may also be multipart/form-data, with these parts
}

const defaultMaxBody = 64 << 10

// read serves a call without a body.
func read[Out any](f func(*call) (Out, error)) served {
	return served{out: reflect.TypeFor[Out](), handle: func(c *call) error {
		out, err := f(c)
		if err != nil {
			return err
		}
		return replyWith(c, c.route.status, out)
	}}
}

// write serves a call with a JSON object as its body, read strictly.
func write[In, Out any](f func(*call, *In) (Out, error)) served {
	return served{in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), handle: func(c *call) error {
		in := new(In)
		if err := c.takeJSON(in); err != nil {
			return err
		}
		out, err := f(c, in)
		if err != nil {
			return err
		}
		return replyWith(c, c.route.status, out)
	}}
}

// list serves a page of a list, narrowed by the query parameters Q.
func list[Q, Out any](f func(*call, *Q, scaigrid.PageRequest) ([]Out, scaigrid.PageResult, error)) served {
	return served{query: reflect.TypeFor[Q](), out: reflect.TypeFor[Out](), list: true, handle: func(c *call) error {
		q, page := new(Q), scaigrid.PageRequest{}
		if err := c.takeQuery(q, &page); err != nil {
			return err
		}
		items, next, err := f(c, q, page)
		if err != nil {
			return err
		}
		return replyPage(c, items, next)
	}}
}

// plain serves JSON of the type Out without the envelope.
func plain[Out any](f func(*call) error) served {
	return served{handle: f, out: reflect.TypeFor[Out](), media: "application/json"}
}

// raw serves a call that writes its own answer, of the given content type.
func raw(media string, f func(*call) error) served { return served{handle: f, media: media} }

// deleted is what a DELETE answers.
type deleted struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted" doc:"Always true"`
}

// takeJSON reads the body of the call as strict JSON.
func (c *call) takeJSON(v any) error {
	body, err := c.takeBody()
	if err != nil {
		return err
	}
	if len(body) == 0 && c.route.serve.empty {
		return nil
	}
	if err := wantJSON(c.r); err != nil {
		return err
	}
	return decodeStrict(body, v)
}

// takeBody reads the body whole. The row's limit was put on it before.
func (c *call) takeBody() ([]byte, error) {
	if c.body != nil {
		return c.body, nil
	}
	return c.readAll()
}

// complete checks a table and fills in what its rows leave to a default.
func complete(rows []route) error {
	ops := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if err := r.check(); err != nil {
			return err
		}
		if ops[r.op] {
			return fmt.Errorf("route table: two rows are called %s", r.op)
		}
		ops[r.op] = true
		if r.status == 0 {
			r.status = http.StatusOK
		}
		if r.maxBody == 0 {
			r.maxBody = defaultMaxBody
		}
		r.headers = r.cors.lines()
	}
	return nil
}

// mount registers the rows and, for each path, OPTIONS.
func (s *Server) mount() {
	paths := map[string][]string{}
	class := map[string]cors{}
	for i := range s.rows {
		r := &s.rows[i]
		r.metric = s.metrics.route(r.method + " " + r.path)
		paths[r.path] = append(paths[r.path], r.method)
		if r.method == http.MethodGet && r.serve.media != mediaSSE {
			paths[r.path] = append(paths[r.path], http.MethodHead)
		}
		class[r.path] = r.cors
		s.mux.HandleFunc(r.method+" "+r.path, s.door(r))
	}
	for p, methods := range paths {
		s.mux.HandleFunc("OPTIONS "+p, preflight(class[p]))
		slices.Sort(methods)
		s.allow[p] = strings.Join(append(methods, http.MethodOptions), ", ")
	}
	s.mux.HandleFunc("OPTIONS "+chatPath+"/", preflight(corsChat))
	s.mux.HandleFunc("/", s.noDoor)
}

// noDoor answers what no row took: another method than those of the path, or a
// path that is nothing. OPTIONS is known of every path that is something.
func (s *Server) noDoor(w http.ResponseWriter, r *http.Request) {
	_, pattern := s.mux.Handler(&http.Request{Method: http.MethodOptions, URL: r.URL, Host: r.Host})
	c := of(w)
	if allow := s.allow[strings.TrimPrefix(pattern, http.MethodOptions+" ")]; allow != "" {
		w.Header().Set("Allow", allow)
		c.fail(scaigrid.Errorf(scaigrid.CodeMethodNotAllowed, "This address takes %s.", allow))
		return
	}
	c.fail(scaigrid.Errorf(scaigrid.CodeNotFound, "There is nothing at this address."))
}

func (r *route) check() error {
	switch {
	case r.access.kind == undeclared:
		return fmt.Errorf("route table: %s %s does not say who may call it", r.method, r.path)
	case r.access.kind == forStaff && !slices.Contains(scaigrid.AllPermissions(), r.access.perm):
		return fmt.Errorf("route table: %s %s asks for an unknown permission", r.method, r.path)
	case r.limit == limitUnsaid:
		return fmt.Errorf("route table: %s %s does not say which limit counts it", r.method, r.path)
	case r.serve.handle == nil:
		return fmt.Errorf("route table: %s %s has no handler", r.method, r.path)
	case r.op == "" || r.summary == "" || r.tag == "":
		return fmt.Errorf("route table: %s %s has no name, summary or tag", r.method, r.path)
	case r.cors == corsUnsaid:
		return fmt.Errorf("route table: %s %s does not say what a page of another origin may see", r.method, r.path)
	}
	return nil
}

// door is the handler of a row as the mux sees it.
func (s *Server) door(r *route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		c := of(w)
		c.route = r
		c.r = req // the mux has put the path's values into it
		h := w.Header()
		for _, l := range r.headers {
			h[l.name] = l.values
		}
		if req.Method == http.MethodHead && r.serve.media == mediaSSE {
			c.route = nil // a stream has no length to be told, and no end to wait for
			s.noDoor(w, req)
			return
		}
		s.answer(c)
	}
}

// of returns the call of a recorder.
func of(w http.ResponseWriter) *call { return &w.(*recorder).call }

// admit does what stands before every handler: bounds of the body, who calls,
// and how often.
func (s *Server) admit(c *call) error {
	r := c.route
	if c.r.ContentLength > r.maxBody {
		return tooLarge(r.maxBody)
	}
	if c.r.Body != nil && c.r.Body != http.NoBody {
		c.r.Body = http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, r.maxBody)
	}
	if err := s.checkAccess(c); err != nil {
		return err
	}
	if err := s.checkLimit(c); err != nil {
		return err
	}
	if !r.stream {
		return nil
	}
	if c.r.Body != nil && c.r.Body != http.NoBody {
		var err error
		if c.body, err = c.readAll(); err != nil {
			return err
		}
	}
	rc := http.NewResponseController(c.w)
	if err := rc.SetReadDeadline(time.Time{}); err != nil && !isUnsupported(err) {
		return err
	}
	if err := rc.SetWriteDeadline(time.Time{}); err != nil && !isUnsupported(err) {
		return err
	}
	return nil
}
