package httpapi

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// meta stands beside the data or the error of every JSON answer.
type meta struct {
	RequestID string `json:"request_id" doc:"Quote it when you report a problem; the log holds it too"`
}

// listMeta is meta of a list, where the cursor is always there, null at the end.
type listMeta struct {
	RequestID  string  `json:"request_id" doc:"Quote it when you report a problem; the log holds it too"`
	NextCursor *string `json:"next_cursor" doc:"Give it as cursor to get the next page; null at the end"`
	HasMore    bool    `json:"has_more"`
}

// success is the envelope of data. Its type is known when it is compiled, which
// halves what writing it costs.
type success[Out any] struct {
	Status string `json:"status"`
	Data   Out    `json:"data"`
	Meta   meta   `json:"meta"`
}

type listSuccess[Out any] struct {
	Status string   `json:"status"`
	Data   []Out    `json:"data"`
	Meta   listMeta `json:"meta"`
}

type failure struct {
	Status string      `json:"status"`
	Error  failureBody `json:"error"`
	Meta   meta        `json:"meta"`
}

type failureBody struct {
	Code       scaigrid.Code         `json:"code" doc:"For machines: branch on it alone"`
	Message    string                `json:"message" doc:"For people"`
	Details    []scaigrid.FieldError `json:"details" doc:"The fields that are wrong, for VALIDATION_ERROR"`
	RetryAfter *int                  `json:"retry_after" doc:"Seconds to wait before the same call may succeed; null where waiting does not help or is not known"`
}

// pool keeps the buffers in which answers are written before their length is
// known; those of large answers are let go.
type pool struct{ sync.Pool }

const keepBuffer = 64 << 10

func newPool() *pool { return &pool{sync.Pool{New: func() any { return new(bytes.Buffer) }}} }

func (p *pool) get() *bytes.Buffer { return p.Get().(*bytes.Buffer) }

func (p *pool) put(b *bytes.Buffer) {
	if b.Cap() <= keepBuffer {
		b.Reset()
		p.Put(b)
	}
}

var noStore = []string{"no-store"}

// reply sends data in the envelope.
func (c *call) reply(status int, data any) error { return replyWith(c, status, data) }

func replyWith[Out any](c *call, status int, data Out) error {
	return c.sendJSON(status, &success[Out]{Status: "ok", Data: data, Meta: meta{RequestID: c.id}})
}

// replyPage sends one page of a list in the envelope.
func replyPage[Out any](c *call, items []Out, next scaigrid.PageResult) error {
	m := listMeta{RequestID: c.id, HasMore: next.NextCursor != ""}
	if m.HasMore {
		m.NextCursor = &next.NextCursor
	}
	return c.sendJSON(c.route.status, &listSuccess[Out]{Status: "ok", Data: items, Meta: m})
}

// fail sends err in the envelope.
func (c *call) fail(err *scaigrid.Error) {
	h := c.w.Header()
	body := &failure{Status: "error", Meta: meta{RequestID: c.id}, Error: failureBody{Code: err.Code, Message: err.Message, Details: err.Details}}
	if err.RetryAfter > 0 {
		s := int((err.RetryAfter + time.Second - 1) / time.Second)
		body.Error.RetryAfter = &s
		h.Set("Retry-After", strconv.Itoa(s))
	}
	switch err.Code {
	case scaigrid.CodeTokenMissing:
		h.Set("WWW-Authenticate", "Bearer")
	case scaigrid.CodeTokenInvalid, scaigrid.CodeEmbedTokenExpired, scaigrid.CodeEmbedTokenRevoked:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case scaigrid.CodePayloadTooLarge:
		h.Set("Connection", "close")
	}
	if e := c.sendJSON(err.Code.Status(), body); e != nil {
		c.srv.log.ErrorContext(c.ctx(), "an error could not be written", "request_id", c.id, "err", e)
	}
}

func (c *call) sendJSON(status int, v any) error {
	buf := c.srv.buffers.get()
	defer c.srv.buffers.put(buf)
	if err := json.MarshalWrite(buf, v); err != nil {
		return scaigrid.AsError(err)
	}
	h := c.w.Header()
	h["Cache-Control"] = noStore
	h["Content-Type"] = c.srv.jsonType
	c.header(h, "Content-Length", slotLength, strconv.Itoa(buf.Len()))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(buf.Bytes()) // the caller has gone; nobody is left to be told
	}
	return nil
}
