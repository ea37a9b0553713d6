package docsite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// APIMarkdown writes the reference of an OpenAPI 3.1 document, as Markdown for
// the page "reference/api". It fails for a document that is not JSON or has no
// paths.
func APIMarkdown(openAPI []byte) (string, error) {
	var d apiDocument
	if err := json.Unmarshal(openAPI, &d); err != nil {
		return "", fmt.Errorf("OpenAPI document: %w", err)
	}
	if len(d.Paths) == 0 {
		return "", fmt.Errorf("OpenAPI document: it has no paths")
	}
	w := &apiWriter{doc: &d, wanted: map[string]bool{}}
	w.line("%s", d.Info.Description)
	w.line("For programs the same is at [`/openapi.json`](/openapi.json), OpenAPI 3.1. Error codes: [Errors](errors.md).")
	calls := d.calls()
	tag := ""
	for _, c := range calls {
		if c.tag() != tag {
			tag = c.tag()
			w.line("## %s", tag)
		}
		w.call(c)
	}
	w.objects()
	return w.text.String(), nil
}

type apiDocument struct {
	Info struct {
		Description string `json:"description"`
	} `json:"info"`
	Paths      map[string]map[string]apiCall `json:"paths"`
	Components struct {
		Schemas map[string]*apiSchema `json:"schemas"`
	} `json:"components"`
}

type apiCall struct {
	Method, Path string `json:"-"`

	Tags        []string                  `json:"tags"`
	Summary     string                    `json:"summary"`
	Description string                    `json:"description"`
	Security    []map[string]any          `json:"security"`
	Parameters  []apiParameter            `json:"parameters"`
	RequestBody *apiContent               `json:"requestBody"`
	Responses   map[string]apiDescription `json:"responses"`
}

type apiParameter struct {
	Name        string     `json:"name"`
	In          string     `json:"in"`
	Description string     `json:"description"`
	Required    bool       `json:"required"`
	Schema      *apiSchema `json:"schema"`
}

type apiContent struct {
	Content map[string]struct {
		Schema *apiSchema `json:"schema"`
	} `json:"content"`
}

type apiDescription struct {
	Description string `json:"description"`
	apiContent
}

type apiSchema struct {
	Ref         string                `json:"$ref"`
	Type        any                   `json:"type"` // a word or a list of them
	Description string                `json:"description"`
	Enum        []any                 `json:"enum"`
	Format      string                `json:"format"`
	Default     any                   `json:"default"`
	Minimum     *float64              `json:"minimum"`
	Maximum     *float64              `json:"maximum"`
	MaxLength   *int                  `json:"maxLength"`
	Items       *apiSchema            `json:"items"`
	Properties  map[string]*apiSchema `json:"properties"`
	Required    []string              `json:"required"`
}

func (c apiCall) tag() string {
	if len(c.Tags) == 0 {
		return "Other"
	}
	return c.Tags[0]
}

// calls lists the operations by tag, what is about the platform last; within a tag by path.
func (d *apiDocument) calls() []apiCall {
	methods := []string{"get", "post", "put", "patch", "delete"}
	var out []apiCall
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, m := range methods {
			if c, ok := d.Paths[path][m]; ok {
				c.Method, c.Path = strings.ToUpper(m), path
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b apiCall) int {
		if p := "Platform"; (a.tag() == p) != (b.tag() == p) {
			if a.tag() == p {
				return 1
			}
			return -1
		}
		return strings.Compare(a.tag(), b.tag())
	})
	return out
}

type apiWriter struct {
	doc    *apiDocument
	text   strings.Builder
	wanted map[string]bool // objects that answers consist of
}

func (w *apiWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.text, format+"\n\n", args...)
}

func (w *apiWriter) call(c apiCall) {
	title := c.Summary
	if title == "" {
		title = c.Method + " " + c.Path
	}
	w.line("### %s", inline(title))
	w.line("`%s %s`", c.Method, c.Path)
	who := []string{"Anyone may call it."}
	if len(c.Security) > 0 {
		who = nil
	}
	for _, s := range c.Security {
		for name := range s {
			switch name {
			case "apiKey":
				who = append(who, "With an [API key](../concepts/tokens.md#api-keys).")
			case "embedToken":
				who = append(who, "With an [embed token](../concepts/tokens.md#embed-tokens).")
			default:
				who = append(who, "With "+inline(name)+".")
			}
		}
	}
	slices.Sort(who)
	w.line("%s", strings.TrimSpace(strings.Join(who, " ")+" "+inline(c.Description)))
	w.parameters(c.Parameters)
	if c.RequestBody != nil {
		w.body(c.RequestBody)
	}
	w.answers(c.Responses)
}

func (w *apiWriter) parameters(list []apiParameter) {
	if len(list) == 0 {
		return
	}
	w.text.WriteString("| Parameter | In | Type | What it is |\n|---|---|---|---|\n")
	for _, p := range list {
		fmt.Fprintf(&w.text, "| `%s` | %s | %s | %s |\n", p.Name, p.In, cell(w.kind(p.Schema)), cell(said(p.Description, p.Schema)))
	}
	w.text.WriteString("\n")
}

func (w *apiWriter) body(b *apiContent) {
	for _, media := range slices.Sorted(maps.Keys(b.Content)) {
		s := w.follow(b.Content[media].Schema)
		w.line("Body, `%s`:", media)
		if s == nil || len(s.Properties) == 0 {
			w.line("- %s", inline(w.kind(s)))
			continue
		}
		w.fields(s, true)
	}
}

func (w *apiWriter) answers(all map[string]apiDescription) {
	for _, status := range slices.Sorted(maps.Keys(all)) {
		r := all[status]
		if status >= "400" {
			fmt.Fprintf(&w.text, "- **%s**: %s\n", status, codes(r.Description))
			continue
		}
		media := slices.Sorted(maps.Keys(r.Content))
		if len(media) == 0 {
			fmt.Fprintf(&w.text, "- **%s**\n", status)
		}
		for _, m := range media {
			s := w.follow(r.Content[m].Schema)
			switch {
			case s != nil && s.Properties["data"] != nil:
				fmt.Fprintf(&w.text, "- **%s**, `%s`: `data` is %s\n", status, m, w.linked(s.Properties["data"]))
			case s != nil && s.Description != "":
				fmt.Fprintf(&w.text, "- **%s**, `%s`: %s\n", status, m, inline(s.Description))
			default:
				fmt.Fprintf(&w.text, "- **%s**, `%s`\n", status, m)
			}
		}
	}
	w.text.WriteString("\n")
}

// codes sets error codes as code; other words stay.
func codes(description string) string {
	parts := strings.Split(description, ", ")
	for i, p := range parts {
		if p != "" && strings.ToUpper(p) == p {
			parts[i] = "`" + p + "`"
		} else {
			parts[i] = inline(p)
		}
	}
	return strings.Join(parts, ", ")
}

func (w *apiWriter) fields(s *apiSchema, body bool) {
	w.text.WriteString("| Field | Type | What it is |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if name == "$schema" {
			continue
		}
		f := s.Properties[name]
		kind := w.linked(f)
		if body && slices.Contains(s.Required, name) {
			kind += ", required"
		}
		fmt.Fprintf(&w.text, "| `%s` | %s | %s |\n", name, cell(kind), cell(said(f.Description, f)))
	}
	w.text.WriteString("\n")
}

// objects explains what answers consist of, and what those consist of in turn.
func (w *apiWriter) objects() {
	done := map[string]bool{}
	head := false
	for len(done) < len(w.wanted) {
		for _, name := range slices.Sorted(maps.Keys(w.wanted)) {
			s := w.doc.Components.Schemas[name]
			if done[name] || s == nil {
				done[name] = true
				continue
			}
			done[name] = true
			if !head {
				w.line("## Objects")
				head = true
			}
			w.line("### Object: %s", name)
			if s.Description != "" {
				w.line("%s", inline(s.Description))
			}
			w.fields(s, false)
		}
	}
}

func (w *apiWriter) follow(s *apiSchema) *apiSchema {
	if s == nil || s.Ref == "" {
		return s
	}
	return w.doc.Components.Schemas[refName(s.Ref)]
}

func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// linked is the type of a schema, objects as links to where they are explained.
func (w *apiWriter) linked(s *apiSchema) string {
	switch {
	case s == nil:
		return "any"
	case s.Ref != "":
		name := refName(s.Ref)
		w.wanted[name] = true
		return "[" + name + "](#object-" + strings.ToLower(name) + ")"
	case s.Items != nil:
		return "list of " + w.linked(s.Items)
	}
	return w.kind(s)
}

// kind is the type of a schema in words.
func (w *apiWriter) kind(s *apiSchema) string {
	if s == nil {
		return "any"
	}
	if s.Ref != "" {
		return refName(s.Ref)
	}
	if s.Items != nil {
		return "list of " + w.kind(s.Items)
	}
	var words []string
	switch t := s.Type.(type) {
	case string:
		words = append(words, t)
	case []any:
		for _, v := range t {
			words = append(words, fmt.Sprint(v))
		}
	}
	if len(words) == 0 {
		return "any"
	}
	out := strings.Join(words, " or ")
	if s.Format == "date-time" {
		out = strings.Replace(out, "string", "time", 1)
	}
	return out
}

// said is a description with the values that may stand.
func said(description string, s *apiSchema) string {
	out := []string{strings.TrimRight(inline(description), ".")}
	if s != nil {
		if len(s.Enum) > 0 {
			var values []string
			for _, v := range s.Enum {
				values = append(values, fmt.Sprintf("`%v`", v))
			}
			out = append(out, strings.Join(values, ", "))
		}
		switch {
		case s.Minimum != nil && s.Maximum != nil:
			out = append(out, fmt.Sprintf("%v to %v", number(*s.Minimum), number(*s.Maximum)))
		case s.Minimum != nil:
			out = append(out, fmt.Sprintf("%v or more", number(*s.Minimum)))
		}
		if s.MaxLength != nil {
			out = append(out, fmt.Sprintf("at most %d characters", *s.MaxLength))
		}
		if s.Default != nil {
			out = append(out, fmt.Sprintf("default `%v`", s.Default))
		}
	}
	return strings.Join(slices.DeleteFunc(out, func(p string) bool { return p == "" }), ". ")
}

func number(f float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", f), ".00") }

// inline keeps text from being read as markup of a block or as HTML.
func inline(s string) string {
	return strings.NewReplacer("\n", " ", "<", "&lt;").Replace(strings.TrimSpace(s))
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
