package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// bodyRow is a call that takes JSON, with its description in the OpenAPI document.
type bodyRow struct {
	*route
	path, credential, sample string
	fields                   map[string]map[string]any // of the body, by name
	required                 []string
}

// bodyRows reads the document: what it says of a body must hold.
func (s *site) bodyRows() []bodyRow {
	s.t.Helper()
	var doc struct {
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]map[string]any }
	}
	s.must(json.Unmarshal([]byte(s.do("GET", "/openapi.json", "", "").body), &doc))
	token := s.token(s.mine, `{"visitor_id":"alice"}`)
	var out []bodyRow
	for i := range s.server.rows {
		r := &s.server.rows[i]
		if r.serve.in == nil {
			continue
		}
		b := bodyRow{route: r, path: s.mine.fill(r.path), credential: s.mine.key, sample: s.mine.sample(r.op), fields: map[string]map[string]any{}}
		if r.access.kind == forVisitors {
			b.credential = token
		}
		op := doc.Paths[openPath(r.path)][strings.ToLower(r.method)]
		ref, _ := dig(op, "requestBody", "content", "application/json", "schema", "$ref").(string)
		schema := doc.Components.Schemas[strings.TrimPrefix(ref, schemaPrefix)]
		props, _ := schema["properties"].(map[string]any)
		for name, p := range props {
			b.fields[name], _ = p.(map[string]any)
		}
		for _, q := range asList(schema["required"]) {
			b.required = append(b.required, q.(string))
		}
		if len(b.fields) == 0 {
			s.t.Fatalf("%s: its body is not described", r.op)
		}
		out = append(out, b)
	}
	return out
}

func dig(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

func asList(v any) []any { l, _ := v.([]any); return l }

// with gives the sample another value for one field.
func (b bodyRow) with(name, value string) string {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(b.sample), &m); err != nil {
		panic(err)
	}
	m[name] = json.RawMessage(value)
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// types lists the JSON types that a schema takes.
func types(p map[string]any) []string {
	var out []string
	if t, ok := p["type"].(string); ok {
		out = append(out, t)
	}
	for _, t := range asList(p["type"]) {
		out = append(out, t.(string))
	}
	for _, alt := range asList(p["anyOf"]) {
		m, _ := alt.(map[string]any)
		if m["$ref"] != nil {
			out = append(out, "object")
		}
		out = append(out, types(m)...)
	}
	if p["$ref"] != nil {
		out = append(out, "object")
	}
	return out
}

// Every field of every body, sent as each type that it does not take.
func TestWrongTypes(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	rows := s.bodyRows()
	before := s.fingerprint()
	tried := 0
	for _, b := range rows {
		for name, p := range b.fields {
			takes := types(p)
			if len(takes) == 0 || name == "metadata" {
				continue // any JSON
			}
			if slices.Contains(takes, "integer") {
				takes = append(takes, "number")
			}
			for kind, value := range map[string]string{"string": `"x"`, "number": `1`, "boolean": `true`, "array": `[1]`, "object": `{"$ne":"a"}`} {
				if slices.Contains(takes, kind) {
					continue
				}
				a := s.do(b.method, b.path, b.credential, b.with(name, value))
				tried++
				if a.status != 422 || a.code() != "VALIDATION_ERROR" || !strings.Contains(a.body, `"field":"`+name) {
					t.Errorf("%s: %s as %s: %d %s", b.op, name, kind, a.status, a.body)
				}
			}
			if slices.Contains(b.required, name) {
				for what, body := range map[string]string{"null": b.with(name, "null"), "missing": b.without(name)} {
					a := s.do(b.method, b.path, b.credential, body)
					if a.status != 422 || !strings.Contains(a.body, `"field":"`+name+`"`) {
						t.Errorf("%s: %s is required, %s is taken: %d %s", b.op, name, what, a.status, a.body)
					}
				}
			}
		}
	}
	if s.fingerprint() != before {
		t.Error("a refused body has changed something")
	}
	if tried < 150 {
		t.Errorf("only %d were tried", tried)
	}
}

func (b bodyRow) without(name string) string {
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(b.sample), &m); err != nil {
		panic(err)
	}
	delete(m, name)
	raw, _ := json.Marshal(m)
	return string(raw)
}

// Every bound that the document names is held, one step beyond it.
func TestDescribedBounds(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	tried := 0
	for _, b := range s.bodyRows() {
		for name, p := range b.fields {
			var beyond []string
			if v, ok := p["minimum"].(float64); ok {
				beyond = append(beyond, fmt.Sprint(int64(v)-1))
			}
			if v, ok := p["maximum"].(float64); ok {
				beyond = append(beyond, fmt.Sprint(int64(v)+1))
			}
			if v, ok := p["maxLength"].(float64); ok {
				beyond = append(beyond, `"`+strings.Repeat("ä", int(v)+1)+`"`)
			}
			if v, ok := p["minLength"].(float64); ok && v > 0 && p["anyOf"] == nil {
				beyond = append(beyond, `""`)
			}
			if p["enum"] != nil {
				beyond = append(beyond, `"none of them"`)
			}
			if v, ok := p["maxItems"].(float64); ok {
				beyond = append(beyond, "["+strings.TrimSuffix(strings.Repeat(item(p)+",", int(v)+1), ",")+"]")
			}
			for _, value := range beyond {
				body := b.with(name, value)
				if name == "qa" { // in place of text
					body = strings.Replace(body, `,"text":"t"`, "", 1)
				}
				a := s.do(b.method, b.path, b.credential, body)
				tried++
				if a.status != 422 || !strings.Contains(a.body, `"field":"`+name) {
					t.Errorf("%s: %s = %.40s: %d %.200s", b.op, name, value, a.status, a.body)
				}
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d were tried", tried)
	}
}

// item is a value of a list of the schema.
func item(p map[string]any) string {
	items, _ := p["items"].(map[string]any)
	if ref, _ := items["$ref"].(string); ref == schemaPrefix+"QaBody" {
		return `{"question":"q","answer":"a"}`
	} else if ref != "" {
		return `{"role":"user","content":"a"}`
	}
	return `"https://a.example"`
}

// What is no body at all, for every call that takes one.
func TestNoBodies(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	rows := s.bodyRows()
	before := s.fingerprint()
	for _, b := range rows {
		for _, body := range []string{
			"", "null", "[]", "1", `"x"`, "true", "{", `{"a"`, b.sample + "x", b.sample + b.sample, "\xef\xbb\xbf" + b.sample, "\xff\xfe{\x00",
			`{"a":"` + "\xe9" + `"}`, strings.Repeat("[", 20_000), strings.Repeat(`{"a":`, 9_000), "\x1f\x8b\x08",
		} {
			if body == "" && b.serve.empty || !utf8.ValidString(body) && b.access.kind == forVisitors {
				continue // the chat takes broken text and replaces it
			}
			a := s.do(b.method, b.path, b.credential, body, "Content-Type", "application/json")
			if a.status != 422 && a.status != 413 {
				t.Errorf("%s: %.20q: %d %s", b.op, body, a.status, a.body)
			}
		}
		if a := s.do(b.method, b.path, b.credential, b.sample, "Content-Type", "text/plain"); a.status != 415 {
			t.Errorf("%s as text/plain: %d", b.op, a.status)
		}
		if a := s.do(b.method, b.path, b.credential, b.sample, "Content-Type", ""); a.status != 415 {
			t.Errorf("%s of no type: %d", b.op, a.status)
		}
		if a := s.do(b.method, b.path, b.credential, b.sample, "Content-Encoding", "gzip"); a.status != 415 {
			t.Errorf("%s with gzip: %d", b.op, a.status)
		}
		if a := s.do(b.method, b.path, b.credential, b.sample, "Content-Type", "application/json; charset=utf-16"); a.status != 415 {
			t.Errorf("%s in UTF-16: %d", b.op, a.status)
		}
		large := `{"a":"` + strings.Repeat("x", int(b.maxBody)) + `"}`
		s.do(b.method, b.path, b.credential, large).want(413, "PAYLOAD_TOO_LARGE")
		req, err := http.NewRequest(b.method, s.http.URL+b.path, io.MultiReader(strings.NewReader(large))) // of unknown length
		s.must(err)
		req.Header.Set("Authorization", "Bearer "+b.credential)
		req.Header.Set("Content-Type", "application/json")
		s.send(req).want(413, "PAYLOAD_TOO_LARGE")
	}
	if s.fingerprint() != before {
		t.Error("a refused body has changed something")
	}
}

// Management refuses what it does not know; the chat ignores it.
func TestUnknownFields(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	for _, b := range s.bodyRows() {
		for _, name := range []string{"id", "tenant_id", "created_at", "version", "system_prompt", "api_base", "Name", "NAME"} {
			if b.fields[name] != nil {
				continue
			}
			a := s.do(b.method, b.path, b.credential, b.with(name, `"x"`))
			switch {
			case b.access.kind == forVisitors && a.status >= 400:
				t.Errorf("%s refuses %s: %d %s", b.op, name, a.status, a.body)
			case b.access.kind == forStaff && (a.status != 422 || !strings.Contains(a.body, `"field":"`+name+`"`)):
				t.Errorf("%s takes %s: %d %s", b.op, name, a.status, a.body)
			}
		}
	}
}

func TestPathsAndMethods(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	for _, p := range []string{
		"//health", "/health/", "/HEALTH", "/health;x", "/%2e%2e/health", "/v1/../health", "/./health", "/health%00", "/health%2f", "/v1%2fmodels", "/health/.",
		bots + "/", bots + "/%00", bots + "/..%2f", bots + "/bot_%c0%ae", bots + "/<script>alert(1)</script>", bots + "/" + strings.Repeat("a", 3000), "/admin", "/.git/config", "/v1/modules/scaibot",
		"/static/modules/scaibot/../../../etc/passwd", "/static/modules/scaibot/%2e%2e%2fx", "/static/modules/scaibot/", "/static/modules/scaibot/manifest.json",
	} {
		req, err := http.NewRequest("GET", s.http.URL, nil)
		s.must(err)
		req.URL.Opaque = p // as it is written
		req.Header.Set("Authorization", "Bearer "+s.mine.key)
		a := s.send(req)
		if a.status != 404 || a.code() != "NOT_FOUND" || strings.Contains(a.body, "script") || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s %v", p, a.status, a.body, a.header)
		}
	}
	for i := range s.server.rows {
		r := &s.server.rows[i]
		path := s.mine.fill(r.path)
		if r.op == "exportConversations" {
			continue // also the form of a conversation's address
		}
		allow := strings.Split(s.server.allow[r.path], ", ")
		for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if slices.Contains(allow, m) {
				continue
			}
			a := s.do(m, path, s.mine.key, "")
			if a.status != 405 || m != "HEAD" && a.code() != "METHOD_NOT_ALLOWED" || a.header.Get("Allow") != s.server.allow[r.path] {
				t.Errorf("%s %s: %d %s, Allow %q", m, r.path, a.status, a.body, a.header.Get("Allow"))
			}
		}
	}
	a := s.do("GET", bots, s.mine.key, "", "X-HTTP-Method-Override", "DELETE", "X-Request-Id", "req_mine").want(200, "")
	if a.header.Get("X-Request-Id") == "req_mine" || a.text("meta.request_id") != a.header.Get("X-Request-Id") {
		t.Errorf("request id %s", a.header.Get("X-Request-Id"))
	}
}

// raw sends bytes and gives the first line of the answer, "" where there is none.
func (s *site) raw(text string) string {
	s.t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(context.Background(), "tcp", s.http.Listener.Addr().String())
	s.must(err)
	defer conn.Close()
	s.must(conn.SetDeadline(time.Now().Add(10 * time.Second)))
	_, _ = io.WriteString(conn, text)
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

func TestRawRequests(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	const head = "POST " + bots + " HTTP/1.1\r\nHost: x\r\n"
	for name, c := range map[string][2]string{
		"two lengths":        {head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "400"},
		"negative length":    {head + "Content-Length: -1\r\n\r\n", "400"},
		"space before colon": {head + "Content-Length : 2\r\n\r\n{}", "400"},
		"folded header":      {head + "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", ""},
		"unknown encoding":   {head + "Transfer-Encoding: sideways\r\n\r\n", "501"},
		"two hosts":          {"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"no host":            {"GET /health HTTP/1.1\r\n\r\n", "400"},
		"null in a header":   {"GET /health HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", "400"},
		"not HTTP":           {"\x16\x03\x01\x02\x00\r\n\r\n", "400"},
		"star":               {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"connect":            {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
		"large header":       {"GET /health HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 100<<10) + "\r\n\r\n", "431"},
		"many headers":       {"GET /health HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: a\r\n", 10_000) + "\r\n", "431"},
		"absolute address":   {"GET http://elsewhere/health HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
	} {
		got := s.raw(c[0])
		if c[1] != "" && !strings.HasPrefix(got, "HTTP/1.1 "+c[1]) {
			t.Errorf("%s: %s, want %s", name, got, c[1])
		}
	}
	s.do("GET", "/health", "", "").want(200, "")
}

// A handler that panics costs its own request alone.
func TestPanic(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	s.server.models = nil
	a := s.do("GET", "/v1/models", s.mine.key, "").want(500, "INTERNAL")
	if strings.Contains(a.body, "nil pointer") {
		t.Errorf("a panic is told to the caller: %s", a.body)
	}
	s.do("GET", bots, s.mine.key, "").want(200, "")
	if !strings.Contains(s.log.String(), "panicked") || !strings.Contains(s.log.String(), a.text("meta.request_id")) {
		t.Error("a panic is not logged with the request's id")
	}
}

// Nothing secret and nothing that people wrote is ever in the log.
func TestLogKeepsSecrets(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	const canary = "canary0xyzzy"
	token := s.token(s.mine, `{"visitor_id":"`+canary+`id","visitor_email":"`+canary+`@example.test","visitor_name":"`+canary+`","metadata":{"a":"`+canary+`"}}`)
	s.do("POST", chatPath, token, `{"message":"`+canary+` hello","page":{"url":"https://a.b/?q=`+canary+`","title":"`+canary+`"},"visitor":{"email":"`+canary+`"}}`, "Origin", "https://a.example").want(200, "")
	s.do("POST", s.mine.fill(bots+"/{bot}/search"), s.mine.key, `{"query":"`+canary+`"}`).want(200, "")
	s.do("GET", conversationPath+"?q="+canary+"&visitor_id="+canary, s.mine.key, "").want(200, "")
	s.do("GET", conversationPath+"?"+canary+"=1", s.mine.key, "")
	s.do("GET", bots+"?api_key="+s.mine.key+"&token="+token, "", "")
	s.do("GET", "/"+s.mine.key+"/"+token, "", "")
	s.do("GET", bots+"/"+token, s.mine.key, "")
	s.do("POST", bots, s.mine.key, `{"name":"`+canary+`","slug":"`+canary+`","model":"nobody/`+canary+`"}`)
	s.do("POST", bots, s.mine.key, `{"`+canary+`":1}`)
	s.do("POST", bots, canary, `{}`, "User-Agent", canary, "Origin", "https://a.example/?"+canary, "Referer", "https://a.example/"+canary)
	s.do("POST", bots, s.mine.key, `{}`, "Origin", "https://leak.example")
	s.do("POST", keyPath, s.mine.key, `{"name":"`+canary+`"}`).want(201, "")
	log := s.log.String()
	for what, secret := range map[string]string{"key": s.mine.key, "secret part of a key": s.mine.key[15:], "token": token, "signature": strings.Split(token, ".")[2], "text": "xyzzy id"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds a %s", what)
		}
	}
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, canary) && !strings.Contains(line, "query=") { // names of parameters are logged
			t.Errorf("the log holds what somebody wrote: %s", line)
		}
	}
	for _, want := range []string{"leak.example", "[q visitor_id]"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not tell of %s", want)
		}
	}
}

// A caller who leaves is no failure of ours.
func TestCallerLeaves(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", "http://x"+bots, nil)
	s.must(err)
	req.Header.Set("Authorization", "Bearer "+s.mine.key)
	req.RemoteAddr = "127.0.0.1:1"
	s.do("GET", bots, s.mine.key, "").want(200, "") // the key is known by now
	cancel()
	func() {
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("the request ends with %v", err)
			}
		}()
		s.server.ServeHTTP(httptest.NewRecorder(), req)
	}()
	if log := s.log.String(); strings.Contains(log, "a request failed") || !strings.Contains(log, "status=499") {
		t.Errorf("the log calls it a failure:\n%s", log)
	}
}
