package httpapi

import (
	"encoding/csv"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// exportWithin bounds one page of an export on its way to a slow reader.
const exportWithin = time.Minute

// exportQuery narrows an export as a list and says its form.
type exportQuery struct {
	conversationQuery
	Format string `query:"format" enum:"ndjson,csv" doc:"ndjson (default): one conversation a line with its messages; csv: one message a line"`
}

// exportConversations streams every conversation that matches, page by page,
// so that no more than a page is in memory.
func (s *Server) exportConversations(c *call) error {
	var q exportQuery
	if err := c.takeQuery(&q, nil); err != nil {
		return err
	}
	f, ok, err := q.filter(c.caller)
	if err != nil {
		return err
	}
	var form exporter
	switch q.Format {
	case "", "ndjson":
		form = &lineExport{w: c.w}
	case "csv":
		form = newTableExport(c.w)
	default:
		return scaigrid.Invalid("query.format", "must be ndjson or csv")
	}
	page := scaigrid.PageRequest{Limit: maxPage}
	convs, next, err := s.exportPage(c, f, ok, page)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", form.mediaType())
	h["Cache-Control"] = noStore
	h.Set("Content-Disposition", `attachment; filename="conversations.`+form.ending()+`"`)
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	if err := form.begin(); err != nil {
		return err
	}
	for {
		if err := s.writeExport(c, form, convs); err != nil {
			return err
		}
		if next.NextCursor == "" {
			return nil
		}
		page.After = next.NextCursor
		if convs, next, err = s.exportPage(c, f, ok, page); err != nil {
			return err
		}
	}
}

func (s *Server) exportPage(c *call, f scaigrid.ConversationFilter, ok bool, page scaigrid.PageRequest) ([]scaigrid.Conversation, scaigrid.PageResult, error) {
	if !ok {
		return nil, scaigrid.PageResult{}, nil
	}
	return s.store.Conversations(c.ctx(), c.caller.TenantID, f, page)
}

func (s *Server) writeExport(c *call, form exporter, convs []scaigrid.Conversation) error {
	rc := http.NewResponseController(c.w)
	if err := rc.SetWriteDeadline(time.Now().Add(exportWithin)); err != nil && !isUnsupported(err) {
		return err
	}
	for i := range convs {
		whole, err := s.whole(c, &convs[i])
		if err != nil {
			return err
		}
		if err := form.write(&whole); err != nil {
			return err
		}
	}
	if err := form.flush(); err != nil {
		return err
	}
	if err := rc.Flush(); err != nil && !isUnsupported(err) {
		return err
	}
	return nil
}

// exporter writes conversations in one form.
type exporter interface {
	mediaType() string
	ending() string
	begin() error
	write(c *wholeConversation) error
	flush() error
}

// lineExport writes one JSON object a line.
type lineExport struct{ w io.Writer }

func (*lineExport) mediaType() string { return "application/x-ndjson" }
func (*lineExport) ending() string    { return "ndjson" }
func (*lineExport) begin() error      { return nil }
func (*lineExport) flush() error      { return nil }

func (e *lineExport) write(c *wholeConversation) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = e.w.Write(append(line, '\n'))
	return err
}

// tableExport writes one message a line, for spreadsheets.
type tableExport struct{ w *csv.Writer }

func newTableExport(w io.Writer) *tableExport { return &tableExport{w: csv.NewWriter(w)} }

func (*tableExport) mediaType() string { return "text/csv; charset=utf-8; header=present" }
func (*tableExport) ending() string    { return "csv" }

func (e *tableExport) flush() error {
	e.w.Flush()
	return e.w.Error()
}

func (e *tableExport) begin() error {
	return e.w.Write([]string{
		"conversation_id", "bot_id", "conversation_status", "visitor_ref", "visitor_id", "visitor_email", "visitor_name", "verified",
		"page_url", "message_id", "role", "status", "content", "rating", "comment", "answered", "confidence",
		"prompt_tokens", "completion_tokens", "model", "latency_ms", "created_at",
	})
}

func (e *tableExport) write(c *wholeConversation) error {
	for i := range c.Messages {
		m := &c.Messages[i]
		row := []string{
			c.ID, c.BotID, string(c.Status), c.Visitor.Ref, cell(c.Visitor.ID), cell(c.Visitor.Email), cell(c.Visitor.Name), strconv.FormatBool(c.Visitor.Verified),
			"", m.ID, string(m.Role), string(m.Status), m.Content, cell(m.Rating), cell(m.Comment), cell(m.Answered), cell(m.Confidence),
			"", "", "", cell(m.LatencyMS), m.CreatedAt.UTC().Format(time.RFC3339),
		}
		if c.Page != nil {
			row[8] = c.Page.URL
		}
		if u := m.Usage; u != nil {
			row[17], row[18], row[19] = strconv.FormatInt(u.PromptTokens, 10), strconv.FormatInt(u.CompletionTokens, 10), u.Model
		}
		for j := range row {
			row[j] = unarmed(row[j])
		}
		if err := e.w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// cell writes a value that may be unknown.
func cell[T any](v *T) string {
	if v == nil {
		return ""
	}
	switch x := any(*v).(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return ""
}

// unarmed quotes what a spreadsheet would take for a formula.
func unarmed(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (s *Server) exportRow() route {
	sv := raw("application/x-ndjson", s.exportConversations)
	sv.query = reflect.TypeFor[exportQuery]()
	r := staffRow("Conversations")("GET", conversationPath+"/export", "exportConversations", "Export conversations with all that was said, as a stream", scaigrid.PermConversationsRead, sv)
	r.stream = true
	return r
}
