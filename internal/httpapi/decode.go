package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
)

// decodeStrict reads the JSON object in body into v as management calls take
// it: every member known and spelled exactly, none twice, no null byte in any
// text, nothing behind the object. The error is a VALIDATION_ERROR that names
// the field.
func decodeStrict(body []byte, v any) error {
	if err := wantObject(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		return jsonError(err)
	}
	return refuseNUL(body)
}

// decodeLenient reads the JSON object in body into v as chat calls take it:
// members that this release does not know are skipped, and broken UTF-16 in
// texts is replaced, so that a neighbouring release of the widget is
// understood. Wrong types and members given twice are refused as ever.
func decodeLenient(body []byte, v any) error {
	if err := wantObject(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v, jsontext.AllowInvalidUTF8(true)); err != nil {
		return jsonError(err)
	}
	return nil
}

func wantObject(body []byte) error {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 {
		return scaigrid.Invalid("body", "is missing: send a JSON object")
	}
	if body[0] != '{' {
		return scaigrid.Invalid("body", "must be a JSON object")
	}
	return nil
}

// jsonError turns an error of the JSON library into one for the caller. It
// never repeats what was sent except the names of members.
func jsonError(err error) error {
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		var own *scaigrid.Error
		if errors.As(sem.Err, &own) { // a field's own UnmarshalJSON has spoken
			return scaigrid.Invalid(fieldPath(string(sem.JSONPointer)), "%s", own.Message)
		}
		if errors.Is(sem.Err, json.ErrUnknownName) {
			return scaigrid.Invalid(fieldPath(string(sem.JSONPointer)), "is not a field of this call")
		}
		return scaigrid.Invalid(fieldPath(string(sem.JSONPointer)), "%s", wantedType(sem.GoType))
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		field := fieldPath(string(syn.JSONPointer))
		if errors.Is(syn.Err, jsontext.ErrDuplicateName) {
			return scaigrid.Invalid(field, "is given twice")
		}
		return scaigrid.Invalid(field, "is not valid JSON, at byte %d", syn.ByteOffset)
	}
	return scaigrid.Invalid("body", "is not valid JSON")
}

// fieldPath turns a JSON pointer such as /a/0/b into a[0].b. Characters that
// have no place in a field's name are left out, and a long path is cut.
func fieldPath(pointer string) string {
	if pointer == "" {
		return "body"
	}
	var b strings.Builder
	for part := range strings.SplitSeq(pointer[1:], "/") {
		if _, err := strconv.ParseUint(part, 10, 32); err == nil && b.Len() > 0 {
			fmt.Fprintf(&b, "[%s]", part)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		part = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		b.WriteString(printableName(part))
		if b.Len() > 200 {
			break
		}
	}
	return b.String()
}

// printableName keeps what a field's name is made of, so that a hostile name
// does not travel into an answer or a log.
func printableName(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '?'
	}, s)
}

func wantedType(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "has a value of the wrong type"
	}
	switch t.Kind() {
	case reflect.String:
		return "must be a text"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "must be a whole number"
	case reflect.Float32, reflect.Float64:
		return "must be a number"
	case reflect.Slice, reflect.Array:
		return "must be a list"
	case reflect.Map:
		return "must be an object"
	case reflect.Struct:
		if t.String() == "time.Time" {
			return "must be a time such as 2026-01-31T12:00:00Z"
		}
		return "must be an object"
	default:
		return "has a value of the wrong type"
	}
}

// refuseNUL finds a text with a null character in it, which one of the two
// databases could not store.
func refuseNUL(body []byte) error {
	if !bytes.Contains(body, []byte(`\u0000`)) {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for tok, err := d.ReadToken(); err == nil; tok, err = d.ReadToken() { // the body was read whole before
		if tok.Kind() == '"' && strings.ContainsRune(tok.String(), 0) {
			return scaigrid.Invalid(fieldPath(string(d.StackPointer())), "must not hold a null character")
		}
	}
	return nil
}

// wantJSON refuses a body that is declared as something else than plain JSON.
func wantJSON(r *http.Request) error {
	if err := wantPlain(r); err != nil {
		return err
	}
	ct := r.Header.Get("Content-Type")
	if ct == "application/json" {
		return nil
	}
	mt, params, err := mime.ParseMediaType(ct)
	charset := params["charset"]
	if err != nil || mt != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return scaigrid.Errorf(scaigrid.CodeUnsupportedMediaType, "This call takes JSON: send it with Content-Type: application/json.")
	}
	return nil
}

func wantPlain(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return scaigrid.Errorf(scaigrid.CodeUnsupportedMediaType, "A compressed request body is not taken: send it without Content-Encoding.")
	}
	return nil
}

// smallBody comes in one piece on any line; a larger one is given more time
// than the server's own.
const smallBody = 4 << 10

// readAll reads a body whole. The limit was put on it before.
func (c *call) readAll() ([]byte, error) {
	r := c.r
	if r.ContentLength < 0 || r.ContentLength > smallBody {
		c.allowSlowBody()
	}
	var buf bytes.Buffer
	if n := r.ContentLength; n > 0 {
		buf.Grow(int(min(n, 1<<20)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(r.Body)
	return buf.Bytes(), bodyError(err)
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return scaigrid.Invalid("body", "ended before its announced length")
	default:
		return scaigrid.Invalid("body", "could not be read to its end").Because(err)
	}
}

func tooLarge(limit int64) *scaigrid.Error {
	return scaigrid.Errorf(scaigrid.CodePayloadTooLarge, "The request body is too large: at most %s are taken.", byteSize(limit))
}

func byteSize(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
