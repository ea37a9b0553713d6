package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid"
)

// A row that does not say who may call it must not be served.
func TestUndeclaredRowIsRefused(t *testing.T) {
	good := route{
		op: "x", method: "GET", path: "/x", access: anyone(), limit: limitNone, cors: corsNone,
		serve: raw("text/plain", func(*call) error { return nil }), tag: "T", summary: "S",
	}
	if err := complete([]route{good}); err != nil {
		t.Fatalf("a whole row is refused: %v", err)
	}
	for name, spoil := range map[string]func(*route){
		"access":     func(r *route) { r.access = access{} },
		"permission": func(r *route) { r.access = staff("made:up") },
		"limit":      func(r *route) { r.limit = limitUnsaid },
		"cors":       func(r *route) { r.cors = corsUnsaid },
		"handler":    func(r *route) { r.serve = served{} },
		"name":       func(r *route) { r.op = "" },
	} {
		r := good
		spoil(&r)
		if complete([]route{r}) == nil {
			t.Errorf("a row without %s is served", name)
		}
	}
	if complete([]route{good, good}) == nil {
		t.Error("two rows of one name are served")
	}
}

// What anyone may call, by name: a new row here is a decision.
func TestPublicRows(t *testing.T) {
	want := map[string]bool{
		"GET /health": true, "GET /health/ready": true, "GET /metrics": true, "GET /openapi.json": true, "GET /docs": true, "GET /docs/{page...}": true,
		"GET /v1/modules/scaibot/bots/{bot}/embed-info": true, "GET /static/modules/scaibot/{file...}": true,
	}
	s := open(t, LimitSettings{Off: true})
	for i := range s.server.rows {
		r := &s.server.rows[i]
		name := r.method + " " + r.path
		if (r.access.kind == forAnyone) != want[name] {
			t.Errorf("%s: public is %v, want %v", name, r.access.kind == forAnyone, want[name])
		}
		if r.access.kind == forVisitors != strings.HasPrefix(r.path, chatPath) {
			t.Errorf("%s: embed tokens open the chat and nothing else", name)
		}
	}
}

func TestOpenAPIDocument(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	a := s.do("GET", "/openapi.json", "", "").want(200, "")
	if v := a.text("openapi"); v != "3.1.0" {
		t.Errorf("openapi is %q", v)
	}
	var doc struct {
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	s.must(json.Unmarshal([]byte(a.body), &doc))
	rows := 0
	for i := range s.server.rows {
		r := &s.server.rows[i]
		op := doc.Paths[openPath(r.path)][strings.ToLower(r.method)]
		if op == nil {
			t.Errorf("%s %s is served and not described", r.method, r.path)
			continue
		}
		if op["operationId"] != r.op {
			t.Errorf("%s is described as %v", r.op, op["operationId"])
		}
		rows++
	}
	described := 0
	for _, ops := range doc.Paths {
		described += len(ops)
	}
	if described != rows {
		t.Errorf("%d calls are described, %d are served", described, rows)
	}
	checkRefs(t, doc.Components.Schemas, mustDecode(t, a.body))
	own, err := OpenAPI("test")
	s.must(err)
	if string(own) != a.body {
		t.Error("OpenAPI() is not what is served")
	}
}

func mustDecode(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// checkRefs finds references that lead nowhere, and types that are none of JSON Schema's.
func checkRefs(t *testing.T, schemas map[string]any, v any) {
	t.Helper()
	types := map[string]bool{"string": true, "integer": true, "number": true, "boolean": true, "array": true, "object": true, "null": true}
	switch x := v.(type) {
	case map[string]any:
		if ref, ok := x["$ref"].(string); ok && schemas[strings.TrimPrefix(ref, schemaPrefix)] == nil {
			t.Errorf("%s leads nowhere", ref)
		}
		if s, ok := x["type"].(string); ok && x["in"] == nil && x["scheme"] == nil && !types[s] {
			t.Errorf("type %q", s)
		}
		for _, y := range x {
			checkRefs(t, schemas, y)
		}
	case []any:
		for _, y := range x {
			checkRefs(t, schemas, y)
		}
	}
}

// Every status that a call can answer with its own codes stands in the document.
func TestCodesAreDescribed(t *testing.T) {
	for c, status := range scaigrid.Codes() {
		if http.StatusText(status) == "" {
			t.Errorf("%s has the status %d", c, status)
		}
	}
}
