package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/scailabs/scaigrid"
)

// Limits of a page.
const (
	defaultPage = 20
	maxPage     = 100
)

// place is where a page begins: after the row with this time and id.
type place struct {
	at int64
	id string
}

// pageOf reads a request: how many rows, after which place.
func pageOf(p scaigrid.PageRequest) (limit int, after place, err error) {
	limit = p.Limit
	if limit == 0 {
		limit = defaultPage
	}
	if limit < 1 || limit > maxPage {
		return 0, place{}, scaigrid.Invalid("query.limit", "must be between 1 and %d", maxPage)
	}
	if p.After == "" {
		return limit, place{at: math.MaxInt64}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.After)
	at, id, ok := strings.Cut(string(raw), ".")
	us, numErr := strconv.ParseInt(at, 36, 64)
	if err != nil || !ok || numErr != nil || len(id) > 100 || !plainID(id) {
		return 0, place{}, scaigrid.Invalid("query.cursor", "is not a cursor of this list; leave it out to begin at the newest")
	}
	return limit, place{us, id}, nil
}

func plainID(id string) bool {
	for _, c := range id {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// cut takes the row that was read beyond the page and tells how to go on.
func cut[T any](list []T, limit int, at func(T) place) ([]T, scaigrid.PageResult) {
	if len(list) <= limit {
		return list, scaigrid.PageResult{}
	}
	list = list[:limit]
	p := at(list[limit-1])
	return list, scaigrid.PageResult{NextCursor: base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.at, 36) + "." + p.id))}
}

// where gathers the conditions of a query with their arguments.
type where struct {
	conds []string
	args  []any
}

// add takes a condition in which each ? stands for the next argument.
func (w *where) add(cond string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		cond = strings.Replace(cond, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.conds = append(w.conds, cond)
}

// in takes a condition for one of several values.
func (w *where) in(column string, values []string) {
	marks := make([]string, len(values))
	for i, v := range values {
		w.args = append(w.args, v)
		marks[i] = "$" + strconv.Itoa(len(w.args))
	}
	w.conds = append(w.conds, column+" IN ("+strings.Join(marks, ", ")+")")
}

func (w *where) String() string { return strings.Join(w.conds, " AND ") }

// newestFirst ends a query over a list with the columns created_at and id,
// for one row more than the page so that the end is known.
func (w *where) newestFirst(alias string, limit int) string {
	return fmt.Sprintf(" WHERE %s ORDER BY %screated_at DESC, %sid DESC LIMIT %d", w, alias, alias, limit+1)
}

// likeWords is a pattern for LIKE … ESCAPE '\' that finds the text anywhere.
func likeWords(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}

// jsonText is a value as a JSON column holds it: NULL for nothing.
func jsonText(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &scaigrid.Error{Code: scaigrid.CodeInternal, Message: "A value could not be written as JSON; this is a fault of ours.", Cause: err}
	}
	if string(b) == "null" {
		return nil, nil
	}
	return string(b), nil
}

// returning turns "SELECT columns FROM table", or a list of columns, into the
// end of a statement that gives back the row it wrote. The columns lose their
// alias, which SQLite does not know there.
func returning(columns string) string {
	columns, _, _ = strings.Cut(strings.TrimPrefix(columns, "SELECT "), " FROM ")
	return " RETURNING " + aliasForm.ReplaceAllString(columns, "$1")
}

var aliasForm = regexp.MustCompile(`\b[a-z]\.([a-z_]+)`)
