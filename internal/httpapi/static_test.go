package httpapi

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func TestWidgetFiles(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	files := widgetFiles()
	for _, c := range []struct {
		name, file string // file whose content is wanted; "": 404
		cache      string
	}{
		{"widget.js", "widget.js", "public, max-age=300, stale-while-revalidate=86400"},
		{"panel-1a2b3c4d.js", "panel-1a2b3c4d.js", "public, max-age=31536000, immutable"},
		{"panel-00000000.js", "panel-1a2b3c4d.js", "no-store"},
		{"panel.js", "panel-1a2b3c4d.js", "no-store"},
		{"messages-ffffffff.js", "messages-5e6f7081.js", "no-store"},
		{"nothing-00000000.js", "", ""},
		{"nothing.js", "", ""},
	} {
		a := s.do("GET", staticPath+c.name, "", "", "Accept-Encoding", "identity")
		if c.file == "" {
			a.want(404, "NOT_FOUND")
			continue
		}
		if a.status != 200 || a.body != string(files[c.file].Data) || a.header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %q %.20s", c.name, a.status, a.header.Get("Cache-Control"), a.body)
		}
		for h, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Content-Type": "text/javascript; charset=utf-8",
			"Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff", "Content-Encoding": "",
		} {
			if a.header.Get(h) != want {
				t.Errorf("%s: %s is %q", c.name, h, a.header.Get(h))
			}
		}
		again := s.do("GET", staticPath+c.name, "", "", "If-None-Match", a.header.Get("Etag"))
		if want := map[bool]int{true: 200, false: 304}[c.cache == "no-store"]; again.status != want {
			t.Errorf("%s again: %d, want %d", c.name, again.status, want)
		}
	}
	want := string(files["widget.js"].Data)
	for accept, read := range map[string]func(io.Reader) (io.Reader, error){
		"br":             func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"gzip":           func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"br;q=0, gzip":   func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"gzip, br;q=0.5": func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"deflate":        func(r io.Reader) (io.Reader, error) { return r, nil },
		"abracadabra":    func(r io.Reader) (io.Reader, error) { return r, nil },
	} {
		a := s.do("GET", staticPath+"widget.js", "", "", "Accept-Encoding", accept)
		r, err := read(strings.NewReader(a.body))
		s.must(err)
		got, err := io.ReadAll(r)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v, %d bytes of %d", accept, err, len(got), len(want))
		}
		if strings.HasPrefix(accept, "br") && len(a.body) >= len(want) {
			t.Errorf("%s: not smaller", accept)
		}
	}
	head := s.do("HEAD", staticPath+"widget.js", "", "", "Accept-Encoding", "identity")
	if head.status != http.StatusOK || head.body != "" || head.header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", head.status, head.header)
	}
}

func TestStaticWithoutABuild(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{"nothing": {}, "only a placeholder": {".gitkeep": {}}} {
		s, err := newStaticFiles(files)
		if err != nil || len(s.files) != 0 {
			t.Errorf("%s: %v %v", name, err, s)
		}
	}
	if _, err := newStaticFiles(fstest.MapFS{"manifest.json": {Data: []byte("nonsense")}}); err == nil {
		t.Error("a manifest that is none is taken")
	}
}
