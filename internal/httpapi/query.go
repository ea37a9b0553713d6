package httpapi

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/scailabs/scaigrid"
)

const (
	defaultPage = 20
	maxPage     = 100
	maxCursor   = 512
	maxQuery    = 512 // bytes of one query value
)

// takeQuery reads the query string into the fields of v that carry a query
// tag, and limit and cursor into page. A parameter that the call does not know,
// or one given twice, is refused: a filter with a typing error must not answer
// with everything.
func (c *call) takeQuery(v any, page *scaigrid.PageRequest) error {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return scaigrid.Invalid("query", "is not written as name=value&name=value with percent-encoding")
	}
	known := map[string]reflect.Value{}
	rv := reflect.ValueOf(v).Elem()
	for i := range rv.NumField() {
		if name := rv.Type().Field(i).Tag.Get("query"); name != "" {
			known[name] = rv.Field(i)
		}
	}
	var bad []scaigrid.FieldError
	for name, vals := range values {
		field := "query." + printableName(name)
		target, ok := known[name]
		isPage := page != nil && (name == "limit" || name == "cursor")
		switch {
		case !ok && !isPage:
			bad = append(bad, scaigrid.FieldError{Field: field, Message: "is not a parameter of this call"})
		case len(vals) > 1:
			bad = append(bad, scaigrid.FieldError{Field: field, Message: "is given twice"})
		case len(vals[0]) > maxQuery:
			bad = append(bad, scaigrid.FieldError{Field: field, Message: fmt.Sprintf("must be at most %d bytes", maxQuery)})
		case isPage:
		default:
			if msg := setParam(target, vals[0]); msg != "" {
				bad = append(bad, scaigrid.FieldError{Field: field, Message: msg})
			}
		}
	}
	if page != nil {
		var msgs []scaigrid.FieldError
		*page, msgs = readPage(values)
		bad = append(bad, msgs...)
	}
	return scaigrid.InvalidFields(bad)
}

// readPage reads limit and cursor.
func readPage(values url.Values) (scaigrid.PageRequest, []scaigrid.FieldError) {
	var bad []scaigrid.FieldError
	p := scaigrid.PageRequest{Limit: defaultPage, After: values.Get("cursor")}
	if l := values.Get("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > maxPage {
			bad = append(bad, scaigrid.FieldError{Field: "query.limit", Message: fmt.Sprintf("must be a whole number from 1 to %d", maxPage)})
		} else {
			p.Limit = n
		}
	}
	if len(p.After) > maxCursor {
		bad = append(bad, scaigrid.FieldError{Field: "query.cursor", Message: "is not a cursor of this list"})
	}
	return p, bad
}

// setParam reads one parameter into its field and says what is wrong with it.
func setParam(v reflect.Value, s string) string {
	if s == "" {
		return "must not be empty"
	}
	switch p := v.Addr().Interface().(type) {
	case *string:
		for i := range len(s) {
			if s[i] == 0 {
				return "must not hold a null character"
			}
		}
		*p = s
	case **bool:
		switch s {
		case "true", "false":
			b := s == "true"
			*p = &b
		default:
			return "must be true or false"
		}
	case *time.Time:
		t, err := parseTime(s)
		if err != nil {
			return "must be a time such as 2026-01-31T12:00:00Z or a day such as 2026-01-31"
		}
		*p = t
	default:
		panic(fmt.Sprintf("query parameters of type %s are not known", v.Type()))
	}
	return ""
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), checkYear(t)
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return t, err
	}
	return t, checkYear(t)
}

// checkYear keeps to the years that both databases can compare.
func checkYear(t time.Time) error {
	if y := t.Year(); y < 1970 || y > 9998 {
		return fmt.Errorf("year %d", y)
	}
	return nil
}
