// Package demo is the sample of "serve --demo": a small shop on another site
// than the server, which embeds the widget as the tutorial says, with a token
// endpoint of its own and the tutorial's content-security policy as a header.
//
// It knows the server by its address and an API key alone, as any customer's
// site does: nothing here reaches into the other rooms. It is for trying things
// on one machine and never for a public address: anybody may sign in as Alice.
package demo

import (
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scailabs/scaigrid/docs"
)

//go:embed site
var site embed.FS

// Options are what the sample site needs to know. All are required but APIURL.
type Options struct {
	ScaiGridURL string // the server's address as browsers reach it
	APIURL      string // the server's address as this site reaches it; "": the same
	APIKey      string // with the permission to issue embed tokens
	BotID       string
}

// shop is the sample site.
type shop struct {
	Options
	host     *url.URL
	client   *http.Client
	sessions *sessions
	policies map[string]policy
	pages    *template.Template
	assets   map[string][]byte
}

// New builds the sample site. It fails for an address that is not one of http or https.
func New(o Options) (http.Handler, error) {
	host, err := url.Parse(o.ScaiGridURL)
	if err != nil || host.Host == "" || host.Scheme != "http" && host.Scheme != "https" {
		return nil, fmt.Errorf("demo: %q is not the address of a server", o.ScaiGridURL)
	}
	if o.APIURL == "" {
		o.APIURL = o.ScaiGridURL
	}
	o.ScaiGridURL, o.APIURL = strings.TrimRight(o.ScaiGridURL, "/"), strings.TrimRight(o.APIURL, "/")
	policies, err := readPolicies(docs.FS, host.Scheme+"://"+host.Host)
	if err != nil {
		return nil, err
	}
	s := &shop{
		Options: o, host: host, policies: policies, sessions: newSessions(),
		// The server is on this machine; whatever a proxy variable says is not meant for it.
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute}},
	}
	if s.pages, err = template.ParseFS(site, "site/*.html"); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if err := s.loadAssets("shop.css", "app.js", "your-scaibot.css"); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return http.NewCrossOriginProtection().Handler(s.routes()), nil
}

func (s *shop) loadAssets(names ...string) error {
	s.assets = map[string][]byte{}
	for _, name := range names {
		body, err := site.ReadFile("site/" + name)
		if err != nil {
			return err
		}
		s.assets[name] = body
	}
	return nil
}

func (s *shop) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page("home"))
	mux.HandleFunc("GET /floating", s.page("floating"))
	mux.HandleFunc("GET /inline", s.page("inline"))
	mux.HandleFunc("GET /styled", s.page("styled"))
	mux.HandleFunc("GET /app", s.page("app"))
	mux.HandleFunc("GET /app/{view}", s.page("app"))
	mux.HandleFunc("GET /chat-token", s.chatToken)
	mux.HandleFunc("POST /session", s.signIn)
	mux.HandleFunc("DELETE /session", s.signOut)
	for name, media := range map[string]string{
		"shop.css": "text/css; charset=utf-8", "your-scaibot.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8",
	} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
			_, _ = w.Write(s.assets[name])
		})
	}
	return mux
}
