package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scailabs/scaigrid/internal/store"
	"github.com/scailabs/scaigrid/internal/store/storetest"
)

// small are tables that do not grow with use; reading all of one is fine.
var small = []string{"installation", "counters", "tenants", "signing_keys", "goose_db_version"}

// statements are all that the conformance suite made a store prepare.
func statements(t *testing.T) []string {
	t.Helper()
	seen := map[string]bool{}
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) *store.Store {
			s := storetest.SQLite(t)
			t.Cleanup(func() {
				for _, query := range store.Statements(s) {
					seen[query] = true
				}
			})
			return s
		})
	})
	var out []string
	for query := range seen {
		switch word, _, _ := strings.Cut(query, " "); word {
		case "SELECT", "UPDATE", "DELETE", "INSERT":
			out = append(out, query)
		}
	}
	if len(out) < 90 {
		t.Fatalf("only %d statements were seen", len(out))
	}
	slices.Sort(out)
	return out
}

var (
	scanned    = regexp.MustCompile(`^SCAN ([a-z_]+)\b`)
	seqScanned = regexp.MustCompile(`Seq Scan on (\w+)`)
	aliased    = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE)\s+(\w+)(?:\s+AS)?\s+([a-z])\b`)
	param      = regexp.MustCompile(`\$\d+`)
)

func TestEveryStatementHasItsIndex(t *testing.T) {
	queries := statements(t)
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		openIn(t, dir)
		db, err := sql.Open("sqlite", dir+"/scaigrid.db")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		for _, query := range queries {
			for _, line := range sqlitePlan(t, db, query) {
				m := scanned.FindStringSubmatch(line)
				// The partial index holds the running turns alone, which are few.
				if m != nil && !slices.Contains(small, tableOf(query, m[1])) && !strings.Contains(line, "INDEX turns_running") {
					t.Errorf("%s\n\tin %s", line, query)
				}
			}
		}
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.PostgresURL(t)
		s, err := store.Open(t.Context(), store.Options{DatabaseURL: url})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		db.SetMaxOpenConns(1)
		for _, set := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"} {
			if _, err := db.Exec(set); err != nil {
				t.Fatal(err)
			}
		}
		for i, query := range queries {
			for _, line := range postgresPlan(t, db, fmt.Sprint("q", i), query) {
				m := seqScanned.FindStringSubmatch(line)
				if m != nil && !slices.Contains(small, m[1]) {
					t.Errorf("%s\n\tin %s", line, query)
				}
			}
		}
	})
	t.Logf("%d statements", len(queries))
}

// tableOf gives the table that a query means by a name or alias.
func tableOf(query, name string) string {
	for _, m := range aliased.FindAllStringSubmatch(query, -1) {
		if m[2] == name {
			return m[1]
		}
	}
	return name
}

func params(query string) int {
	seen := map[string]bool{}
	for _, p := range param.FindAllString(query, -1) {
		seen[p] = true
	}
	return len(seen)
}

func sqlitePlan(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, make([]any, params(query))...)
	if err != nil {
		t.Fatalf("%v\n\tin %s", err, query)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	return out
}

func postgresPlan(t *testing.T, db *sql.DB, name, query string) []string {
	t.Helper()
	if _, err := db.Exec("PREPARE " + name + " AS " + query); err != nil {
		t.Fatalf("%v\n\tin %s", err, query)
	}
	call := name
	if n := params(query); n > 0 {
		call += "(" + strings.TrimSuffix(strings.Repeat("NULL, ", n), ", ") + ")"
	}
	rows, err := db.Query("EXPLAIN EXECUTE " + call)
	if err != nil {
		t.Fatalf("%v\n\tin %s", err, query)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}
