package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/scailabs/scaigrid"
)

// call is one request on its way through a door. It lives until the answer is
// written; a handler that starts a goroutine must not leave it with the call.
type call struct {
	srv     *Server
	w       *recorder
	r       *http.Request
	id      string     // of the request, "req_…"
	lines   [6]string  // values of headers that this package sets, kept here to be allocated once
	address netip.Addr // of the client, past the trusted proxies
	began   time.Time
	route   *route // nil until a row of the table matched

	caller scaigrid.Caller // of a staff row
	pass   scaigrid.Pass   // of a visitor row
	body   []byte          // of a row that streams its answer: read before the handler runs
}

func (c *call) ctx() context.Context { return c.r.Context() }

// header sets a response header from one of the call's own lines.
func (c *call) header(h http.Header, name string, line headerSlot, value string) {
	c.lines[line] = value
	h[name] = c.lines[line : line+1 : line+1]
}

// headerSlot is the place of a header's value in call.lines.
type headerSlot int

const (
	slotID headerSlot = iota
	slotLength
	slotLimit
	slotRemaining
	slotReset
	slotETag
)

// recorder is the response writer that knows what was sent.
type recorder struct {
	http.ResponseWriter
	call   call
	status int // 0: nothing yet
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// pathID returns the id of the kind in the path. An id of another form is one
// that does not exist.
func (c *call) pathID(kind scaigrid.Kind) (string, error) {
	id := c.r.PathValue(string(kind))
	if !scaigrid.IsID(kind, id) {
		return "", scaigrid.NotFound()
	}
	return id, nil
}

// pathBot returns the bot's id in the path, if the credential covers the bot.
func (c *call) pathBot() (string, error) {
	id, err := c.pathID(scaigrid.KindBot)
	if err != nil {
		return "", err
	}
	if !c.caller.Reaches(id) {
		return "", scaigrid.NotFound()
	}
	return id, nil
}

// setVersion sends the version of the object that is answered as its ETag.
func (c *call) setVersion(v int64) {
	c.header(c.w.Header(), "Etag", slotETag, `"`+strconv.FormatInt(v, 10)+`"`)
}

// ifMatch returns the version that the caller believes the object has, 0 where
// he does not care.
func (c *call) ifMatch() (int64, error) {
	h := strings.TrimSpace(c.r.Header.Get("If-Match"))
	if h == "" || h == "*" {
		return 0, nil
	}
	v, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(h, "W/"), `"`), 10, 64)
	if err != nil || v < 1 {
		return 0, scaigrid.Invalid("header.If-Match", `must be the ETag of the object, such as "3"`)
	}
	return v, nil
}

// conflict gives the answer to a stale If-Match the version that the object has
// now, as its ETag.
func (c *call) conflict(err error, current func() (int64, error)) error {
	if scaigrid.ErrorCode(err) == scaigrid.CodeConflict {
		if v, lookErr := current(); lookErr == nil {
			c.setVersion(v)
		}
	}
	return err
}
