package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told finds a finding by a part of its text.
func told(f Findings, status, text string) bool {
	for _, one := range f {
		if one.Status == status && strings.Contains(one.Text+" "+one.Fix, text) {
			return true
		}
	}
	return false
}

func TestDoctorChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	f := Examine(t.Context(), settings(t, dir, nil), false)
	if f.Err() != nil || !told(f, "ok", "the first start makes it") {
		t.Errorf("%+v", f)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("the folder was made")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f = Examine(t.Context(), settings(t, dir, nil), false)
	if left, _ := os.ReadDir(dir); f.Err() != nil || len(left) != 0 {
		t.Errorf("%+v, left behind: %v", f, left)
	}
}

func TestDoctorSaysWhatIsWrong(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer refuses.Close()
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	}))
	defer late.Close()
	old, oldKey, _ := certificate(t, t.TempDir(), 1, time.Now().Add(-time.Minute))
	soon, soonKey, _ := certificate(t, t.TempDir(), 1, time.Now().Add(time.Hour))
	file := filepath.Join(t.TempDir(), "file")
	plant(t, filepath.Dir(file), map[string]string{"file": ""})
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil { //nolint:gosec // what is looked for
		t.Fatal(err)
	}
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	for _, c := range []struct {
		name         string
		dir          string
		set          map[string]string
		status, text string
	}{
		{"key refused", "", map[string]string{"openai_base_url": refuses.URL, "openai_api_key": "k"}, "fail", "refuses the key"},
		{"nobody there", "", map[string]string{"openai_base_url": "http://127.0.0.1:1"}, "fail", "can't be reached: dial tcp"},
		{"clock", "", map[string]string{"openai_base_url": late.URL}, "warn", "clock differs"},
		{"certificate over", "", map[string]string{"tls_cert": old, "tls_key": oldKey}, "fail", "ended on"},
		{"certificate soon over", "", map[string]string{"tls_cert": soon, "tls_key": soonKey}, "warn", "ends on"},
		{"wrong pair", "", map[string]string{"tls_cert": soon, "tls_key": oldKey}, "fail", "do not work together"},
		{"folder is a file", file, nil, "fail", "is a file"},
		{"folder open to all", open, nil, "warn", "chmod 700"},
		{"no limits", "", map[string]string{"limits": "off"}, "warn", "no request limits"},
		{"open to the network", "", map[string]string{"addr": ":0"}, "warn", "without TLS and without a trusted proxy"},
		{"port of another program", "", map[string]string{"addr": strings.TrimPrefix(taken.URL, "http://")}, "fail", "not as ScaiGrid does"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.dir == "" {
				c.dir = t.TempDir()
			}
			f := Examine(t.Context(), settings(t, c.dir, c.set), false)
			if !told(f, c.status, c.text) {
				t.Errorf("%q is missing in %+v", c.text, f)
			}
			if (f.Err() != nil) != (c.status == "fail") {
				t.Errorf("Err() = %v", f.Err())
			}
			for _, one := range f {
				if one.Status != "ok" && one.Fix == "" {
					t.Errorf("nothing says what to do about %q", one.Text)
				}
			}
		})
	}
}

func TestDoctorLooksAtARunningServer(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	if f := Examine(t.Context(), p.cfg, true); f.Err() != nil || !told(f, "ok", "is running and ready") || !told(f, "ok", "sound") {
		t.Errorf("%+v", f)
	}
}
