package httpapi

import (
	"bytes"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid"
)

func TestDocuments(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	docs := bots + "/{bot}/documents"
	made := s.do("POST", s.mine.fill(docs), s.mine.key, `{"name":"Shipping","text":"# Shipping\n\nTwo days.","metadata":{"url":"https://shop.example/shipping","team":"a"}}`).want(201, "")
	one := docs + "/" + made.text("data.id")
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{name: "read", method: "GET", path: one, status: 200, has: []string{`"status":"uploaded"`, `"source":"text"`, `"url":"https://shop.example/shipping"`, `"team":"a"`, `"indexed_at":null`, `"error":null`, `"version":1`}},
		{name: "list", method: "GET", path: docs, status: 200, has: []string{made.text("data.id"), s.mine.doc.ID}},
		{name: "by state", method: "GET", path: docs + "?status=failed", status: 200, has: []string{`"data":[]`}},
		{name: "no such state", method: "GET", path: docs + "?status=lost", status: 422, code: bad, field: "query.status"},
		{name: "original", method: "GET", path: one + "/original", status: 200, has: []string{"# Shipping\n\nTwo days."}},
		{name: "replace", method: "PUT", path: one, body: `{"name":"Shipping","text":"Three days."}`, headers: []string{"If-Match", `"1"`}, status: 200, has: []string{`"version":2`, `"url":null`, `"metadata":null`}},
		{name: "stale", method: "PUT", path: one, body: `{"name":"Shipping","text":"Four days."}`, headers: []string{"If-Match", `"1"`}, status: 409, code: "CONFLICT"},
		{name: "reindex", method: "POST", path: one + "/reindex", status: 200, has: []string{`"status":"uploaded"`}},
		{name: "questions", method: "POST", path: docs, body: `{"name":"FAQ","qa":[{"question":"How\nlong?","answer":"Two days."}]}`, status: 201, has: []string{`"source":"qa"`}},
		{name: "both", method: "POST", path: docs, body: `{"name":"x","text":"a","qa":[]}`, status: 422, code: bad, field: "text"},
		{name: "neither", method: "POST", path: docs, body: `{"name":"x"}`, status: 422, code: bad, field: "text"},
		{name: "no name", method: "POST", path: docs, body: `{"text":"a"}`, status: 422, code: bad, field: "name"},
		{name: "empty text", method: "POST", path: docs, body: `{"name":"x","text":" \n"}`, status: 422, code: bad, field: "text"},
		{name: "url source", method: "POST", path: docs, body: `{"name":"x","url":"https://x"}`, status: 422, code: bad, field: "url"},
		{name: "empty question", method: "POST", path: docs, body: `{"name":"x","qa":[{"question":" ","answer":"a"}]}`, status: 422, code: bad, field: "qa[0].question"},
		{name: "empty answer", method: "POST", path: docs, body: `{"name":"x","qa":[{"question":"q","answer":""}]}`, status: 422, code: bad, field: "qa[0].answer"},
		{name: "no questions", method: "POST", path: docs, body: `{"name":"x","qa":[]}`, status: 422, code: bad, field: "qa"},
		{name: "metadata is a list", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":[1]}`, status: 422, code: bad, field: "metadata"},
		{name: "script address", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":"javascript:alert(1)"}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "address with a password", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":"https://a:b@c/"}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "address as number", method: "POST", path: docs, body: `{"name":"x","text":"a","metadata":{"url":1}}`, status: 422, code: bad, field: "metadata.url"},
		{name: "unknown field", method: "POST", path: docs, body: `{"name":"x","text":"a","bot_id":"bot_1"}`, status: 422, code: bad, field: "bot_id"},
		{name: "delete", method: "DELETE", path: one, status: 200},
		{name: "gone", method: "GET", path: one, status: 404, code: "NOT_FOUND"},
		{name: "gone twice", method: "DELETE", path: one, status: 404, code: "NOT_FOUND"},
	})
	second := s.newBot(s.mine, "second")
	s.do("GET", bots+"/"+second.ID+"/documents/"+s.mine.doc.ID, s.mine.key, "").want(404, "NOT_FOUND")
	orig := s.do("GET", s.mine.fill(docs+"/{doc}/original"), s.mine.key, "").want(200, "")
	if h := orig.header; h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("an uploaded file could run: %v", h)
	}
}

// form writes a multipart body: name, file name, type, text for each part.
func form(parts ...[4]string) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		d := `form-data; name="` + p[0] + `"`
		if p[1] != "" {
			d += `; filename="` + p[1] + `"`
		}
		h.Set("Content-Disposition", d)
		if p[2] != "" {
			h.Set("Content-Type", p[2])
		}
		part, _ := w.CreatePart(h)
		_, _ = part.Write([]byte(p[3]))
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

func TestUploads(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	docs := s.mine.fill(bots + "/{bot}/documents")
	for _, c := range []struct {
		name   string
		parts  [][4]string
		status int
		code   string
		field  string
		has    string
	}{
		{"Markdown", [][4]string{{"file", "a.md", "text/markdown", "# A"}}, 201, "", "", `"name":"a.md"`},
		{"type by name", [][4]string{{"file", "a.md", "application/octet-stream", "# A"}}, 201, "", "", `"media_type":"text/markdown"`},
		{"text", [][4]string{{"file", "a.txt", "text/plain", "A"}}, 201, "", "", `"media_type":"text/plain"`},
		{"own name and metadata", [][4]string{{"name", "", "", "Guide"}, {"metadata", "", "", `{"url":"https://a.b/c"}`}, {"file", "a.md", "", "# A"}}, 201, "", "", `"name":"Guide"`},
		{"name after the file", [][4]string{{"file", "a.md", "", "# A"}, {"name", "", "", "Guide.md"}}, 201, "", "", `"name":"Guide.md"`},
		{"folders in the name", [][4]string{{"file", `..\..\etc/x.md`, "", "# A"}}, 201, "", "", `"name":"x.md"`},
		{"turned name", [][4]string{{"file", "\u202efdp.md", "", "# A"}}, 201, "", "", `"name":"fdp.md"`},
		{"PDF", [][4]string{{"file", "a.pdf", "application/pdf", "%PDF-1.7"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"SVG", [][4]string{{"file", "a.svg", "image/svg+xml", "<svg/>"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"program", [][4]string{{"file", "a.exe", "application/octet-stream", "MZ"}}, 415, "UNSUPPORTED_MEDIA_TYPE", "", ""},
		{"empty file", [][4]string{{"file", "a.md", "", ""}}, 422, "VALIDATION_ERROR", "file", ""},
		{"no file", [][4]string{{"name", "", "", "x"}}, 422, "VALIDATION_ERROR", "file", ""},
		{"no name", [][4]string{{"file", "", "text/markdown", "# A"}}, 422, "VALIDATION_ERROR", "name", ""},
		{"long name", [][4]string{{"file", strings.Repeat("a", 998) + ".md", "", "# A"}}, 422, "VALIDATION_ERROR", "name", ""},
		{"two files", [][4]string{{"file", "a.md", "", "# A"}, {"file", "b.md", "", "# B"}}, 422, "VALIDATION_ERROR", "file", ""},
		{"unknown part", [][4]string{{"file", "a.md", "", "# A"}, {"tenant_id", "", "", "x"}}, 422, "VALIDATION_ERROR", "tenant_id", ""},
		{"broken metadata", [][4]string{{"file", "a.md", "", "# A"}, {"metadata", "", "", `{"a":`}}, 422, "VALIDATION_ERROR", "metadata", ""},
		{"large metadata", [][4]string{{"file", "a.md", "", "# A"}, {"metadata", "", "", `"` + strings.Repeat("a", 20<<10) + `"`}}, 422, "VALIDATION_ERROR", "metadata", ""},
	} {
		ct, body := form(c.parts...)
		a := s.do("POST", docs, s.mine.key, body, "Content-Type", ct)
		if a.status != c.status || c.code != "" && a.code() != c.code || !strings.Contains(a.body, c.has) {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		} else if c.field != "" {
			a.field(c.field)
		}
	}
	ct, body := form([4]string{"file", "a.md", "", "# A"})
	before := s.fingerprint()
	s.do("POST", docs, s.mine.key, body[:len(body)-8], "Content-Type", ct).want(422, "VALIDATION_ERROR")
	s.do("POST", docs, s.mine.key, body, "Content-Type", "multipart/form-data").want(422, "VALIDATION_ERROR")
	s.do("POST", docs, s.mine.key, "a", "Content-Type", "text/plain").want(415, "UNSUPPORTED_MEDIA_TYPE")
	s.do("POST", docs, s.mine.key, body, "Content-Type", ct, "Content-Encoding", "gzip").want(415, "UNSUPPORTED_MEDIA_TYPE")
	large, big := form([4]string{"file", "a.md", "", strings.Repeat("a", scaigrid.MaxDocumentBytes+1)})
	s.do("POST", docs, s.mine.key, big, "Content-Type", large).want(413, "PAYLOAD_TOO_LARGE")
	huge, bigger := form([4]string{"file", "a.md", "", strings.Repeat("a", maxUpload)})
	s.do("POST", docs, s.mine.key, bigger, "Content-Type", huge).want(413, "PAYLOAD_TOO_LARGE")
	if s.fingerprint() != before {
		t.Error("a refused upload left something behind")
	}
}

func TestSearch(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	path := bots + "/{bot}/search"
	const bad = "VALIDATION_ERROR"
	s.play(s.mine, s.mine.key, []step{
		{name: "nothing indexed", method: "POST", path: path, body: `{"query":"returns"}`, status: 200, has: []string{`"passages":[]`, `"confidence":0`}},
		{name: "with all", method: "POST", path: path, body: `{"query":"returns","top_k":50,"history":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"}]}`, status: 200},
		{name: "operators are words", method: "POST", path: path, body: `{"query":"\"a* NEAR( :^ % _ '; DROP TABLE bots"}`, status: 200},
		{name: "no query", method: "POST", path: path, body: `{}`, status: 422, code: bad, field: "query"},
		{name: "long query", method: "POST", path: path, body: `{"query":"` + strings.Repeat("a", 8001) + `"}`, status: 422, code: bad, field: "query"},
		{name: "top_k 0", method: "POST", path: path, body: `{"query":"a","top_k":0}`, status: 422, code: bad, field: "top_k"},
		{name: "top_k 51", method: "POST", path: path, body: `{"query":"a","top_k":51}`, status: 422, code: bad, field: "top_k"},
		{name: "no such role", method: "POST", path: path, body: `{"query":"a","history":[{"role":"system","content":"x"}]}`, status: 422, code: bad, field: "history[0].role"},
		{name: "unknown field within", method: "POST", path: path, body: `{"query":"a","history":[{"role":"user","content":"x","name":"y"}]}`, status: 422, code: bad, field: "history[0].name"},
	})
}

// So many large bodies and no more are in memory at once.
func TestLargeUploadsAreFew(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	docs := s.mine.fill(bots + "/{bot}/documents")
	for range maxUploads {
		s.server.uploads <- struct{}{}
	}
	large := `{"name":"x","text":"` + strings.Repeat("a", largeUpload) + `"}`
	if a := s.do("POST", docs, s.mine.key, large).want(429, "RATE_LIMITED"); a.header.Get("Retry-After") != "5" {
		t.Errorf("the wait is %q", a.header.Get("Retry-After"))
	}
	s.do("POST", docs, s.mine.key, `{"name":"x","text":"a"}`).want(201, "")
	<-s.server.uploads
	s.do("POST", docs, s.mine.key, large).want(201, "")
	s.do("POST", docs, s.mine.key, large).want(201, "")
}
