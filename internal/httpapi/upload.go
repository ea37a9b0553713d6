package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
	"github.com/scailabs/scaigrid/internal/knowledge"
)

// Bounds of an upload.
const (
	maxUpload       = scaigrid.MaxDocumentBytes + 1<<20 // with its name, metadata and the form around it
	maxDocumentName = 1000                              // characters
	maxQuestions    = 5000
	maxParts        = 8
	maxUploads      = 4        // large bodies in memory at once
	largeUpload     = 1 << 20  // bytes; smaller ones are not counted
	slowestUpload   = 16 << 10 // bytes a second; a slower caller is cut off
)

// uploadWait is how long a caller should wait while large uploads are received.
const uploadWait = 5 * time.Second

// upload is a document as it came, checked for form.
type upload struct {
	name      string
	file      string // the file's own name, which tells its kind
	source    string // file, text or qa
	mediaType string
	url       string // where citations lead
	metadata  json.RawMessage
	body      []byte
}

// documentBody is a document sent as JSON: text, or questions with their answers.
type documentBody struct {
	Name     *string        `json:"name" required:"true" minLength:"1" maxLength:"1000" doc:"Shown beside citations"`
	Text     *string        `json:"text" doc:"Markdown or plain text"`
	QA       *[]qaBody      `json:"qa" maxItems:"5000" doc:"Questions with their answers"`
	URL      *string        `json:"url" doc:"Not available yet: a page to be fetched"`
	Metadata jsontext.Value `json:"metadata" doc:"An object of at most 16 KiB; url in it is where citations lead"`
}

type qaBody struct {
	Question string `json:"question" required:"true" minLength:"1" maxLength:"2000"`
	Answer   string `json:"answer" required:"true" minLength:"1"`
}

// documentForm is the same as multipart/form-data.
type documentForm struct {
	File     []byte `json:"file" required:"true" doc:"The file: Markdown (.md) or plain text (.txt), at most 20 MiB"`
	Name     string `json:"name" doc:"Default: the file's name"`
	Metadata string `json:"metadata" doc:"A JSON object of at most 16 KiB; url in it is where citations lead"`
}

// uploads serves a call that takes a document, as JSON or as a form.
func uploads(f func(*call) error) served {
	return served{
		in: reflect.TypeFor[documentBody](), form: reflect.TypeFor[documentForm](), out: reflect.TypeFor[documentView](),
		handle: func(c *call) error {
			if n := c.r.ContentLength; n >= 0 && n < largeUpload {
				return f(c)
			}
			select {
			case c.srv.uploads <- struct{}{}:
				defer func() { <-c.srv.uploads }()
				return f(c)
			default:
				return &scaigrid.Error{
					Code: scaigrid.CodeRateLimited, RetryAfter: uploadWait, Retryable: true,
					Message: "Other large documents are being received. Wait a few seconds and send it again.",
				}
			}
		},
	}
}

func (c *call) takeUpload() (*upload, error) {
	c.allowSlowBody()
	mediaType, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err == nil && mediaType == "multipart/form-data" {
		if err := wantPlain(c.r); err != nil {
			return nil, err
		}
		return c.takeForm(params["boundary"])
	}
	var in documentBody
	if mediaType != "application/json" {
		return nil, scaigrid.Errorf(scaigrid.CodeUnsupportedMediaType, "This call takes a file as multipart/form-data, or JSON with name and text or qa.")
	}
	if err := c.takeJSON(&in); err != nil {
		return nil, err
	}
	return in.upload()
}

// allowSlowBody gives a large body the time that a slow line needs for it.
func (c *call) allowSlowBody() {
	size := c.r.ContentLength
	if size < 0 {
		size = c.route.maxBody
	}
	until := time.Now().Add(15*time.Second + time.Duration(size/slowestUpload)*time.Second)
	_ = http.NewResponseController(c.w).SetReadDeadline(until) // where it cannot be set, the server's own holds
}

func (in *documentBody) upload() (*upload, error) {
	u := &upload{mediaType: "text/markdown"}
	var bad []scaigrid.FieldError
	add := func(field, msg string) { bad = append(bad, scaigrid.FieldError{Field: field, Message: msg}) }
	var msg string
	if u.name, msg = documentName(deref(in.Name)); msg != "" {
		add("name", msg)
	}
	bad = append(bad, u.setMetadata(in.Metadata)...)
	switch {
	case in.URL != nil:
		add("url", "cannot be fetched yet: send the text of the page as text")
	case (in.Text != nil) == (in.QA != nil):
		add("text", "is required, or qa: send one of the two")
	case in.Text != nil:
		u.source, u.body = "text", []byte(*in.Text)
		if strings.TrimSpace(*in.Text) == "" {
			add("text", "must not be empty")
		}
	default:
		u.source = "qa"
		u.body, bad = writeQA(*in.QA, bad)
	}
	if len(u.body) > scaigrid.MaxDocumentBytes {
		return nil, tooLarge(scaigrid.MaxDocumentBytes)
	}
	return u, scaigrid.InvalidFields(bad)
}

// writeQA writes questions and answers as Markdown: each question a heading
// above its answer.
func writeQA(list []qaBody, bad []scaigrid.FieldError) ([]byte, []scaigrid.FieldError) {
	if len(list) == 0 || len(list) > maxQuestions {
		return nil, append(bad, scaigrid.FieldError{Field: "qa", Message: "must have 1 to 5000 entries"})
	}
	var b bytes.Buffer
	for i, q := range list {
		question := strings.Join(strings.Fields(q.Question), " ")
		if question == "" {
			bad = append(bad, scaigrid.FieldError{Field: fmt.Sprintf("qa[%d].question", i), Message: "must not be empty"})
		}
		if utf8.RuneCountInString(question) > 2000 {
			bad = append(bad, scaigrid.FieldError{Field: fmt.Sprintf("qa[%d].question", i), Message: "must be at most 2000 characters"})
		}
		if strings.TrimSpace(q.Answer) == "" {
			bad = append(bad, scaigrid.FieldError{Field: fmt.Sprintf("qa[%d].answer", i), Message: "must not be empty"})
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", question, strings.TrimSpace(q.Answer))
	}
	return b.Bytes(), bad
}

// takeForm reads a multipart form, part by part, each at most once.
func (c *call) takeForm(boundary string) (*upload, error) {
	if boundary == "" || len(boundary) > 70 {
		return nil, scaigrid.Invalid("header.Content-Type", "has no boundary that separates the parts of the form")
	}
	u := &upload{source: "file"}
	seen := map[string]bool{}
	r := multipart.NewReader(c.r.Body, boundary)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, formError(err)
		}
		field := part.FormName()
		if n >= maxParts || seen[field] {
			return nil, scaigrid.Invalid(printableName(field), "is given twice, or the form has too many parts")
		}
		seen[field] = true
		if err := u.takePart(field, part); err != nil {
			return nil, err
		}
	}
	if !seen["file"] {
		return nil, scaigrid.Invalid("file", "is missing: send the file as the part named file")
	}
	return u, u.checkFile()
}

// formError tells a body that is too large from one that is no form.
func formError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(scaigrid.MaxDocumentBytes)
	}
	return scaigrid.Invalid("body", "is not a whole multipart form").Because(err)
}

func (u *upload) takePart(field string, part *multipart.Part) error {
	limit := int64(maxMetadata)
	if field == "file" {
		limit = scaigrid.MaxDocumentBytes
	}
	body, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return formError(err)
	}
	switch {
	case field != "file" && field != "name" && field != "metadata":
		return scaigrid.Invalid(printableName(field), "is not a part of this form: it takes file, name and metadata")
	case int64(len(body)) > limit && field == "file":
		return tooLarge(limit)
	case int64(len(body)) > limit:
		return scaigrid.Invalid(field, "must be at most 16 KiB")
	}
	switch field {
	case "file":
		u.body, u.mediaType = body, part.Header.Get("Content-Type")
		u.file = part.FileName()
	case "name":
		u.name = string(body)
	case "metadata":
		v := jsontext.Value(body)
		if !v.IsValid() {
			return scaigrid.Invalid("metadata", "is not valid JSON")
		}
		if err := refuseNUL(body); err != nil {
			return scaigrid.Invalid("metadata", "must not hold a null character")
		}
		return scaigrid.InvalidFields(u.setMetadata(v))
	}
	return nil
}

// checkFile judges the file by its name and type; what is in it is read later.
func (u *upload) checkFile() error {
	if u.name == "" {
		u.name = u.file
	}
	name, msg := documentName(u.name)
	if msg != "" {
		return scaigrid.Invalid("name", "%s", msg)
	}
	u.name = name
	if len(u.body) == 0 {
		return scaigrid.Invalid("file", "is empty")
	}
	mt, _, err := mime.ParseMediaType(u.mediaType)
	if err != nil {
		mt = ""
	}
	if !knowledge.Supported(mt, u.file) {
		return scaigrid.Errorf(scaigrid.CodeUnsupportedMediaType, "This kind of file cannot be read yet. Markdown (.md) and plain text (.txt) can; save the document as one of these and upload it again.")
	}
	if mt == "" || mt == "application/octet-stream" {
		mt = "text/plain"
		if ext := strings.ToLower(path.Ext(u.file)); ext != ".txt" && ext != ".text" {
			mt = "text/markdown"
		}
	}
	u.mediaType = mt
	return nil
}

// documentName cleans a name for people: no folders, nothing that is not seen.
func documentName(s string) (name, msg string) {
	s = strings.ToValidUTF8(s, "")
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, s))
	switch n := utf8.RuneCountInString(s); {
	case n == 0 || s == "." || s == "..":
		return "", "is required"
	case n > maxDocumentName:
		return "", "must be at most 1000 characters"
	}
	return s, ""
}

// setMetadata takes the metadata of a document and the address in it.
func (u *upload) setMetadata(v jsontext.Value) []scaigrid.FieldError {
	compact, msg := compactMetadata(v)
	if msg != "" {
		return []scaigrid.FieldError{{Field: "metadata", Message: msg}}
	}
	if compact == nil {
		return nil
	}
	var known struct {
		URL any `json:"url"`
	}
	if compact[0] != '{' || json.Unmarshal(compact, &known) != nil {
		return []scaigrid.FieldError{{Field: "metadata", Message: "must be an object"}}
	}
	u.metadata = json.RawMessage(compact)
	if known.URL == nil {
		return nil
	}
	address, ok := known.URL.(string)
	parsed, err := url.Parse(address)
	if !ok || err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" || parsed.User != nil || len(address) > 2000 {
		return []scaigrid.FieldError{{Field: "metadata.url", Message: "must be an address that begins with https:// or http://"}}
	}
	u.url = address
	return nil
}
