package httpapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scailabs/scaigrid"
)

// document is /openapi.json as it is sent.
type document struct {
	body []byte
	etag []string
}

const schemaPrefix = "#/components/schemas/"

// describe writes the OpenAPI 3.1 document of a route table. Paths, methods,
// parameters, bodies, answers and errors all come from the rows that serve.
func describe(rows []route, version string) (doc document, err error) {
	defer func() {
		if p := recover(); p != nil { // the schema library panics on a tag that it cannot read
			err = fmt.Errorf("%v", p)
		}
	}()
	d := newDescriber()
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "ScaiGrid", Version: version,
			Description: "Chat bots that answer from your own documents. Every answer carries X-Request-Id. Clients branch on error.code alone; unknown fields are refused on management calls and ignored on chat calls.",
		},
		Paths: map[string]*huma.PathItem{},
	}
	for i := range rows {
		api.AddOperation(d.operation(&rows[i]))
	}
	api.Components = &huma.Components{
		Schemas: d.schemas(),
		SecuritySchemes: map[string]*huma.SecurityScheme{
			"apiKey":     {Type: "http", Scheme: "bearer", BearerFormat: "sgk_…", Description: "An API key. From servers only: together with an Origin header it is refused."},
			"embedToken": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "Minted by POST " + botPath + "/{bot}/embed-token; for one bot and one visitor."},
		},
	}
	body, err := json.Marshal(api)
	if err != nil {
		return document{}, err
	}
	return document{body: body, etag: etagOf(body)}, nil
}

// OpenAPI returns the document that a server of this version sends at
// /openapi.json, for whoever writes the reference page from it.
func OpenAPI(version string) ([]byte, error) {
	s := &Server{chat: &chatDoor{}} // the table is the same whatever stands behind it
	rows := s.table()
	if err := complete(rows); err != nil {
		return nil, err
	}
	d, err := describe(rows, version)
	return d.body, err
}

// describer gathers the schemas. What is read and what is written have books of
// their own: a field may be optional in the one and always there in the other.
type describer struct {
	in, out huma.Registry
}

func newDescriber() *describer {
	inName := func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		if strings.HasSuffix(name, "Body") {
			return name
		}
		return name + "Body"
	}
	d := &describer{in: huma.NewMapRegistry(schemaPrefix, inName), out: huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)}
	for _, book := range []huma.Registry{d.in, d.out} {
		book.RegisterTypeAlias(reflect.TypeFor[jsontext.Value](), reflect.TypeFor[json.RawMessage]()) // any JSON, not bytes
	}
	return d
}

func (d *describer) operation(r *route) *huma.Operation {
	op := &huma.Operation{
		OperationID: r.op, Method: r.method, Path: openPath(r.path), Tags: []string{r.tag},
		Summary: r.summary, Description: r.detail, Responses: map[string]*huma.Response{},
		Security: []map[string][]string{},
	}
	switch r.access.kind {
	case forStaff:
		op.Security = []map[string][]string{{"apiKey": {}}}
		op.Description = strings.TrimSpace("Needs the permission `" + string(r.access.perm) + "`. " + r.detail)
	case forVisitors:
		op.Security = []map[string][]string{{"embedToken": {}}}
	case forAnyone, undeclared:
	}
	op.Parameters = d.parameters(r)
	if r.serve.in != nil {
		op.RequestBody = d.requestBody(r)
	}
	op.Responses[strconv.Itoa(r.status)] = d.success(r)
	for status, codes := range byStatus(r.codes()) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: strings.Join(codes, ", "),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: d.schema(d.out, reflect.TypeFor[failure]())}},
		}
	}
	return op
}

// openPath writes a pattern of the mux as OpenAPI does.
func openPath(p string) string { return strings.ReplaceAll(p, "...}", "}") }

func (d *describer) schema(book huma.Registry, t reflect.Type) *huma.Schema {
	return book.Schema(t, true, "")
}

func (d *describer) parameters(r *route) []*huma.Param {
	var out []*huma.Param
	for seg := range strings.SplitSeq(openPath(r.path), "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			out = append(out, &huma.Param{Name: name, In: "path", Required: true, Description: pathWords(name), Schema: &huma.Schema{Type: "string"}})
		}
	}
	if q := r.serve.query; q != nil {
		for i := range q.NumField() {
			f := q.Field(i)
			name := f.Tag.Get("query")
			if name == "" {
				continue
			}
			s := huma.SchemaFromField(d.in, f, "")
			out = append(out, &huma.Param{Name: name, In: "query", Description: s.Description, Schema: notNullable(s)})
		}
	}
	if r.serve.list {
		lo, hi := 1.0, float64(maxPage)
		out = append(out,
			&huma.Param{Name: "limit", In: "query", Description: "Rows of a page", Schema: &huma.Schema{Type: "integer", Minimum: &lo, Maximum: &hi, Default: defaultPage}},
			&huma.Param{Name: "cursor", In: "query", Description: "meta.next_cursor of the page before", Schema: &huma.Schema{Type: "string"}})
	}
	if r.versions {
		out = append(out, &huma.Param{Name: "If-Match", In: "header", Description: "The ETag that you read: refuse the change where the object is another by now", Schema: &huma.Schema{Type: "string"}})
	}
	return out
}

func notNullable(s *huma.Schema) *huma.Schema {
	s.Nullable = false
	return s
}

func pathWords(name string) string {
	words := map[string]string{
		"bot": "Id of the bot", "doc": "Id of the document", "conv": "Id of the conversation", "turn": "Id of the turn",
		"apikey": "Id of the API key", "version": "Number of the version", "file": "Name of the file", "page": "Name of the page",
	}
	if w, ok := words[name]; ok {
		return w
	}
	panic("path parameter " + name + " has no words")
}

func (d *describer) requestBody(r *route) *huma.RequestBody {
	b := &huma.RequestBody{Required: !r.serve.empty, Content: map[string]*huma.MediaType{"application/json": {Schema: d.schema(d.in, r.serve.in)}}}
	if r.serve.form != nil {
		b.Content["multipart/form-data"] = &huma.MediaType{Schema: d.schema(d.in, r.serve.form)}
	}
	return b
}

// success describes the answer that a row gives when all goes well.
func (d *describer) success(r *route) *huma.Response {
	out := &huma.Response{Description: "Success", Content: map[string]*huma.MediaType{}}
	sv := r.serve
	if sv.media != "" {
		m := &huma.MediaType{}
		if sv.media == "application/json" && sv.out != nil {
			m.Schema = d.schema(d.out, sv.out)
		}
		if sv.media == mediaSSE {
			m.Schema = &huma.Schema{Type: "string", Description: "Server-sent events. Unnamed ones are OpenAI chat.completion.chunk objects; the last is [DONE]."}
		}
		out.Content[sv.media] = m
	}
	if sv.out != nil && sv.media != "application/json" {
		data, info := d.schema(d.out, sv.out), reflect.TypeFor[meta]()
		if sv.list {
			data, info = &huma.Schema{Type: "array", Items: data}, reflect.TypeFor[listMeta]()
		}
		out.Content["application/json"] = &huma.MediaType{Schema: &huma.Schema{
			Type: "object", Required: []string{"status", "data", "meta"},
			Properties: map[string]*huma.Schema{
				"status": {Type: "string", Enum: []any{"ok"}}, "data": data, "meta": d.schema(d.out, info),
			},
		}}
	}
	return out
}

// codes lists the errors that a row may answer: its own and those that follow
// from who may call it and what it reads.
func (r *route) codes() []scaigrid.Code {
	out := slices.Clone(r.errors)
	switch r.access.kind {
	case forStaff:
		out = append(out, scaigrid.CodeTokenMissing, scaigrid.CodeTokenInvalid, scaigrid.CodePermissionDenied, scaigrid.CodeInsufficientScope, scaigrid.CodeKeyInBrowser)
	case forVisitors:
		out = append(out, scaigrid.CodeTokenMissing, scaigrid.CodeTokenInvalid, scaigrid.CodeEmbedTokenExpired, scaigrid.CodeEmbedTokenRevoked, scaigrid.CodeOriginNotAllowed, scaigrid.CodeKeyInBrowser)
	case forAnyone, undeclared:
	}
	if r.limit != limitNone {
		out = append(out, scaigrid.CodeRateLimited)
	}
	if strings.Contains(r.path, "{") {
		out = append(out, scaigrid.CodeNotFound)
	}
	if r.serve.in != nil {
		out = append(out, scaigrid.CodeValidation, scaigrid.CodePayloadTooLarge, scaigrid.CodeUnsupportedMediaType)
	}
	if r.serve.query != nil {
		out = append(out, scaigrid.CodeValidation)
	}
	if r.versions {
		out = append(out, scaigrid.CodeConflict, scaigrid.CodeValidation)
	}
	if r.access.kind != forAnyone {
		out = append(out, scaigrid.CodeStorage, scaigrid.CodeInternal)
	}
	return out
}

func byStatus(codes []scaigrid.Code) map[int][]string {
	out := map[int][]string{}
	for _, c := range codes {
		if s := c.Status(); !slices.Contains(out[s], string(c)) {
			out[s] = append(out[s], string(c))
		}
	}
	return out
}

// schemas puts both books together and corrects what the schema library takes
// to be otherwise: fields of a body are optional unless they say that they are
// required, a pointer to an object may be null, and a list that we write never is.
func (d *describer) schemas() huma.Registry {
	all := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	for name, s := range d.in.Map() {
		t := d.in.TypeFromRef(schemaPrefix + name)
		s.Required = nil
		eachField(t, func(f reflect.StructField, field string) {
			if f.Tag.Get("required") == "true" {
				s.Required = append(s.Required, field)
			}
			p := s.Properties[field]
			if p == nil {
				return
			}
			orNullObject(s, f, field)
			p.Nullable = (p.Nullable || f.Type.Kind() == reflect.Pointer) && p.Ref == "" && f.Tag.Get("required") != "true"
		})
		all.Map()[name] = s
	}
	for name, s := range d.out.Map() {
		if all.Map()[name] != nil {
			panic("two schemas are called " + name)
		}
		eachField(d.out.TypeFromRef(schemaPrefix+name), func(f reflect.StructField, field string) {
			orNullObject(s, f, field)
			if p := s.Properties[field]; p != nil && p.Type == "array" {
				p.Nullable = false
			}
		})
		all.Map()[name] = s
	}
	sayAgain(all.Map()["BotBody"], all.Map()["BotView"])
	return all
}

// sayAgain copies the words on fields from one schema to another that has the same.
func sayAgain(from, to *huma.Schema) {
	for name, p := range to.Properties {
		if f := from.Properties[name]; f != nil && p.Description == "" && p.Ref == "" {
			p.Description = f.Description
		}
	}
}

func orNullObject(s *huma.Schema, f reflect.StructField, field string) {
	if p := s.Properties[field]; p != nil && p.Ref != "" && f.Type.Kind() == reflect.Pointer {
		s.Properties[field] = &huma.Schema{Description: p.Description, AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}}
	}
}

// eachField visits the JSON fields of a struct, those of embedded ones included.
func eachField(t reflect.Type, visit func(f reflect.StructField, name string)) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	seen := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || name == "-" || !f.IsExported() || seen[name] {
			continue
		}
		seen[name] = true
		visit(f, name)
	}
}
