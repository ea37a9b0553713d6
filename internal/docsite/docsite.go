// Package docsite shows the documentation as web pages under /docs: Markdown
// in, plain HTML out.
//
// It has no script, asks no other host for anything, and never passes raw HTML
// of a page through. It promises that every page it was given is reachable
// with and without a trailing slash or ".md", and that a relative link between
// pages leads to the page that it means.
package docsite

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/scailabs/scaigrid/docs"
)

// Prefix is where the pages stand; the handler expects it in every path.
const Prefix = "/docs"

const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed assets/layout.html assets/style.css assets/icon.svg
var assets embed.FS

// file is something that can be sent as it is.
type file struct {
	media string
	etag  string
	body  []byte
}

func newFile(media string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{media: media, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
}

// Site is the pages, rendered. It is an http.Handler and safe for use by many at once.
type Site struct {
	files   map[string]file   // by path below Prefix, without the slash in front
	moved   map[string]string // other names of a page
	missing file
	broken  []string
}

// New renders the pages. It fails for a page that cannot be rendered and for a
// link between pages that leads nowhere.
func New(pages []docs.Page) (*Site, error) {
	s := &Site{files: map[string]file{}, moved: map[string]string{"index": Prefix}}
	layout, err := s.loadAssets()
	if err != nil {
		return nil, err
	}
	m := newMarkdown(pages)
	folders := map[string]bool{}
	for i := range pages {
		out, err := m.render(&pages[i])
		if err != nil {
			return nil, fmt.Errorf("docs page %s: %w", pages[i].Path, err)
		}
		for _, dest := range out.broken {
			s.broken = append(s.broken, fmt.Sprintf("%s links to %s, where there is no page", pages[i].Path, dest))
		}
		body, err := layout.page(pages, i, out)
		if err != nil {
			return nil, fmt.Errorf("docs page %s: %w", pages[i].Path, err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(pages[i].URL(), Prefix), "/")
		s.files[name] = newFile("text/html; charset=utf-8", body)
		if folder, _, ok := strings.Cut(pages[i].Path, "/"); ok {
			folders[folder] = true
		}
	}
	for folder := range folders {
		s.moved[folder] = Prefix
	}
	if s.missing, err = layout.missing(pages); err != nil {
		return nil, err
	}
	if len(s.broken) > 0 {
		return nil, errors.New(strings.Join(s.broken, "\n"))
	}
	return s, nil
}

func (s *Site) loadAssets() (*layout, error) {
	for name, media := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		body, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		s.files["-/"+name] = newFile(media, body)
	}
	t, err := template.ParseFS(assets, "assets/layout.html")
	if err != nil {
		return nil, err
	}
	return &layout{t, strings.Trim(s.files["-/style.css"].etag, `"`)}, nil
}

// ServeHTTP answers GET and HEAD below Prefix.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "The documentation can only be read.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	if f, ok := s.files[name]; ok && (name != "" || r.URL.Path == Prefix) {
		f.send(w, r)
		return
	}
	if to, ok := s.canonical(name); ok {
		http.Redirect(w, r, to, http.StatusMovedPermanently)
		return
	}
	h.Set("Content-Type", s.missing.media)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = w.Write(s.missing.body)
	}
}

// canonical finds the page that another form of its address means.
func (s *Site) canonical(name string) (string, bool) {
	name = strings.TrimSuffix(strings.TrimRight(name, "/"), ".md")
	if to, ok := s.moved[name]; ok {
		return to, true
	}
	if _, ok := s.files[name]; !ok {
		return "", false
	}
	if name == "" {
		return Prefix, true
	}
	return Prefix + "/" + name, true
}

func (f file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache") // kept, and asked for again with the ETag
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}
