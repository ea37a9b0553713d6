package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

type sampleBody struct {
	Text   string     `json:"text"`
	Opt    *string    `json:"opt"`
	Count  *int       `json:"count"`
	Share  *float64   `json:"share"`
	Flag   *bool      `json:"flag"`
	List   *[]string  `json:"list"`
	At     *time.Time `json:"at"`
	Nested *struct {
		Deep []struct {
			N int `json:"n"`
		} `json:"deep"`
	} `json:"nested"`
	Visitor *visitorID `json:"visitor"`
}

func TestDecodeStrict(t *testing.T) {
	for _, c := range []struct {
		name, body string
		field      string // "" : taken
	}{
		{"whole", `{"text":"a","opt":null,"count":3,"share":0.5,"flag":true,"list":["x"],"nested":{"deep":[{"n":1}]}}`, ""},
		{"white space around", " \r\n\t{\"text\":\"a\"} \n", ""},
		{"empty object", `{}`, ""},
		{"nothing", ``, "body"},
		{"only space", "  \n", "body"},
		{"null", `null`, "body"},
		{"list", `[]`, "body"},
		{"number", `1`, "body"},
		{"string", `"x"`, "body"},
		{"truncated", `{"text":"a"`, "body"},
		{"truncated in a text", `{"text":"a`, "text"},
		{"trailing comma", `{"text":"a",}`, "body"},
		{"trailing garbage", `{"text":"a"} x`, "body"},
		{"two objects", `{"text":"a"}{"text":"b"}`, "body"},
		{"comment", `{"text":"a"/* */}`, "body"},
		{"single quotes", `{'text':'a'}`, "body"},
		{"NaN", `{"share":NaN}`, "share"},
		{"byte order mark", "\xef\xbb\xbf{}", "body"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "body"},
		{"Latin-1", "{\"text\":\"caf\xe9\"}", "text"},
		{"lone surrogate", `{"text":"\ud800"}`, "text"},
		{"null byte", "{\"text\":\"a\x00\"}", "text"},
		{"escaped null", `{"text":"a\u0000b"}`, "text"},
		{"escaped null, nested", `{"list":["a","\u0000"]}`, "list[1]"},
		{"escaped backslash before u0000", `{"text":"\\u0000"}`, ""},
		{"unknown", `{"text":"a","nope":1}`, "nope"},
		{"other case", `{"Text":"a"}`, "Text"},
		{"unknown, nested", `{"nested":{"deep":[{"n":1},{"m":2}]}}`, "nested.deep[1].m"},
		{"twice", `{"text":"a","text":"b"}`, "text"},
		{"twice, escaped", `{"text":"a","te\u0078t":"b"}`, "text"},
		{"text as number", `{"text":1}`, "text"},
		{"text as bool", `{"text":true}`, "text"},
		{"text as list", `{"text":["a"]}`, "text"},
		{"text as object", `{"text":{"not":"a"}}`, "text"},
		{"count as text", `{"count":"3"}`, "count"},
		{"count as fraction", `{"count":3.5}`, "count"},
		{"count beyond", `{"count":1e99}`, "count"},
		{"count as exponent", `{"count":1e2}`, "count"},
		{"flag as text", `{"flag":"true"}`, "flag"},
		{"flag as number", `{"flag":1}`, "flag"},
		{"list as text", `{"list":"x"}`, "list"},
		{"list of numbers", `{"list":["x",1]}`, "list[1]"},
		{"time", `{"at":"2026-01-01T00:00:00Z"}`, ""},
		{"no time", `{"at":"tomorrow"}`, "at"},
		{"share beyond", `{"share":1e999}`, "share"},
		{"deep", strings.Repeat(`{"nested":`, 20_000), "nested.nested"},
		{"visitor as number", `{"visitor":42}`, ""},
		{"visitor as text", `{"visitor":"42"}`, ""},
		{"visitor as null", `{"visitor":null}`, ""},
		{"visitor as fraction", `{"visitor":4.2}`, "visitor"},
		{"visitor as exponent", `{"visitor":4e2}`, "visitor"},
		{"visitor as bool", `{"visitor":true}`, "visitor"},
		{"visitor as object", `{"visitor":{"$ne":1}}`, "visitor"},
		{"hostile name", `{"<script>alert(1)</script>":1}`, "?script?alert?1???script?"},
	} {
		var v sampleBody
		err := decodeStrict([]byte(c.body), &v)
		if (err == nil) != (c.field == "") {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if err == nil {
			continue
		}
		e := scaigrid.AsError(err)
		if e.Code != scaigrid.CodeValidation || len(e.Details) != 1 || !strings.HasPrefix(e.Details[0].Field, c.field) {
			t.Errorf("%s: %v %v, want field %s", c.name, e, e.Details, c.field)
		}
	}
}

func TestDecodeLenient(t *testing.T) {
	var v sampleBody
	if err := decodeLenient([]byte(`{"text":"a\ud800","future":{"x":[1]}}`), &v); err != nil || v.Text != "a\ufffd" {
		t.Errorf("%v, %q", err, v.Text)
	}
	for _, body := range []string{`{"text":1}`, `[]`, `{"text":"a","text":"b"}`, `{"text":`, ``} {
		if decodeLenient([]byte(body), &v) == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, s := range []string{`{"text":"a"}`, `{"nested":{"deep":[{"n":1}]}}`, `{"visitor":-0}`, "{\"a\":\"\\u0000\"}", `{"a~1b/c":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v sampleBody
		err := decodeStrict(body, &v)
		if err == nil {
			return
		}
		e := scaigrid.AsError(err)
		if e.Code != scaigrid.CodeValidation || len(e.Details) == 0 {
			t.Fatalf("%q: %v", body, err)
		}
		if strings.ContainsAny(e.Details[0].Field, "<>\"'\n\x00") || len(e.Details[0].Field) > 400 {
			t.Fatalf("%q: field %q", body, e.Details[0].Field)
		}
	})
}
