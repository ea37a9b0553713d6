package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"maps"
	"mime"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// manifestName is the file of the widget's build that maps the logical name of
// each hashed file to the name that it has in this build.
const manifestName = "manifest.json"

const (
	cacheLoader = "public, max-age=300, stale-while-revalidate=86400"
	cacheHashed = "public, max-age=31536000, immutable"
	cacheShort  = "public, max-age=300"
	cacheNever  = "no-store"
)

// staticFiles are the widget's files in memory, each in every encoding that a
// browser may ask for.
type staticFiles struct {
	files   map[string]*staticFile // by path below staticPath
	current map[string]*staticFile // by logical name: the hashed file of this build
}

type staticFile struct {
	cache []string
	etag  []string
	kind  []string
	plain encoded
	once  sync.Once // brotli and gzip are made when first asked for: the start must not wait for them
	br    encoded
	gz    encoded
}

type encoded struct {
	body   []byte
	length []string
}

func newStaticFiles(files fs.FS) (*staticFiles, error) {
	s := &staticFiles{files: map[string]*staticFile{}, current: map[string]*staticFile{}}
	if files == nil {
		return s, nil
	}
	hashed, err := readManifest(files)
	if err != nil {
		return nil, err
	}
	isHashed := map[string]bool{}
	for _, name := range hashed {
		isHashed[name] = true
	}
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") || name == manifestName {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		s.files[name] = newStaticFile(name, body, isHashed[name])
		return nil
	})
	if err != nil {
		return nil, err
	}
	for logical, name := range hashed {
		if f := s.files[name]; f != nil {
			s.current[logical] = f
		}
	}
	return s, nil
}

// readManifest reads logical name → file name; a build without hashed files
// has no manifest.
func readManifest(files fs.FS) (map[string]string, error) {
	raw, err := fs.ReadFile(files, manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no widget was built, or one of a single file
	}
	if err != nil {
		return nil, err
	}
	var m struct {
		Files map[string]string `json:"files"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, scaigrid.Errorf(scaigrid.CodeInternal, "The widget's %s is not what its build writes. Build the widget again.", manifestName).Because(err)
	}
	maps.DeleteFunc(m.Files, func(logical, name string) bool { return logical == name }) // not hashed: changes under its name
	return m.Files, nil
}

func newStaticFile(name string, body []byte, hashed bool) *staticFile {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // the same on every machine, whatever its own table says
	case ".js", ".mjs":
		kind = "text/javascript; charset=utf-8"
	case ".json", ".map":
		kind = "application/json"
	case ".svg":
		kind = "image/svg+xml"
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	cache := cacheShort
	switch {
	case hashed:
		cache = cacheHashed
	case name == "widget.js":
		cache = cacheLoader
	}
	return &staticFile{cache: []string{cache}, etag: etagOf(body), kind: []string{kind}, plain: newEncoded(body)}
}

func newEncoded(body []byte) encoded {
	return encoded{body: body, length: []string{strconv.Itoa(len(body))}}
}

// pick returns the smallest form that the caller takes.
func (f *staticFile) pick(accept string) (encoded, string) {
	if !strings.Contains(accept, "br") && !strings.Contains(accept, "gzip") {
		return f.plain, ""
	}
	f.once.Do(f.compress)
	switch {
	case f.br.body != nil && accepts(accept, "br"):
		return f.br, "br"
	case f.gz.body != nil && accepts(accept, "gzip"):
		return f.gz, "gzip"
	}
	return f.plain, ""
}

// accepts reads one name out of Accept-Encoding; q=0 means no.
func accepts(header, name string) bool {
	for part := range strings.SplitSeq(header, ",") {
		enc, q, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(enc), name) {
			q = strings.ReplaceAll(strings.TrimSpace(q), " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// compress makes the forms that are smaller than the file itself.
func (f *staticFile) compress() {
	if len(f.plain.body) < 256 {
		return
	}
	var b bytes.Buffer
	bw := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 18})
	_, err := bw.Write(f.plain.body)
	if err == nil && bw.Close() == nil && b.Len() < len(f.plain.body) {
		f.br = newEncoded(bytes.Clone(b.Bytes()))
	}
	b.Reset()
	gw, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return
	}
	_, err = gw.Write(f.plain.body)
	if err == nil && gw.Close() == nil && b.Len() < len(f.plain.body) {
		f.gz = newEncoded(bytes.Clone(b.Bytes()))
	}
}

// find returns the file at a path, and whether a cache may keep it there. The
// path of another build leads to the file that has its place in this one.
func (s *staticFiles) find(name string) (f *staticFile, fresh bool) {
	if f := s.files[name]; f != nil {
		return f, true
	}
	return s.current[logicalName(name)], false
}

// logicalName takes the hash out of a name: panel-1f2e3d4c.js is panel.js.
func logicalName(name string) string {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	const shortest = 6 // letters of a hash
	if i := strings.LastIndexByte(stem, '-'); i > 0 && len(stem)-i-1 >= shortest {
		return stem[:i] + ext
	}
	return name
}

func (s *Server) staticFile(c *call) error {
	f, fresh := s.static.find(c.r.PathValue("file"))
	if f == nil {
		return scaigrid.Errorf(scaigrid.CodeNotFound, "There is no such file.")
	}
	h := c.w.Header()
	h["Cache-Control"] = f.cache
	if !fresh {
		h["Cache-Control"] = []string{cacheNever}
	}
	h["Etag"] = f.etag
	h["Vary"] = varyEncoding
	if fresh && matchesETag(c.r.Header["If-None-Match"], f.etag[0]) {
		c.w.WriteHeader(304)
		return nil
	}
	body, encoding := f.pick(c.r.Header.Get("Accept-Encoding"))
	if encoding != "" {
		h["Content-Encoding"] = []string{encoding}
	}
	h["Content-Type"] = f.kind
	h["Content-Length"] = body.length
	c.w.WriteHeader(200)
	if c.r.Method != "HEAD" {
		_, _ = c.w.Write(body.body) // the caller has gone; nobody is left to be told
	}
	return nil
}

var varyEncoding = []string{"Accept-Encoding"}

// staticRows are the widget's files.
func (s *Server) staticRows() []route {
	return []route{{
		op: "widgetFile", method: "GET", path: staticPath + "{file...}", access: anyone(), limit: limitNone, cors: corsPublic,
		serve: raw("text/javascript", s.staticFile), tag: "Embedding", summary: "The widget's files; widget.js is the one that a page loads", quiet: true,
		errors: []scaigrid.Code{scaigrid.CodeNotFound},
	}}
}
