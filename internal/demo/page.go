package demo

import (
	"bytes"
	"crypto/rand"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// view is what a page of the site is made from.
type view struct {
	Page     string
	Policies []policy
	Policy   policy
	CSP      string // as sent, for reading
	Visitor  *Visitor
	Back     string // this page, for the sign-in form
	Query    template.URL
	BotID    string
	Host     string
	Nonce    string
	Extra    template.HTMLAttr // attributes from the address, for trying them
}

// attributeForm is what may be set on the script tag from the address. The
// bot and the host are ours to say.
var attributeForm = regexp.MustCompile(`^data-[a-z][a-z-]{0,40}$`)

// page shows one of the templates. "?policy=" chooses the policy that the page
// is shown under; "?data-theme=dark" and the like set attributes on the tag.
func (s *shop) page(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		chosen, ok := s.policies[query.Get("policy")]
		if !ok {
			chosen = s.policies["tutorial"]
		}
		v := view{
			Page: name, Policy: chosen, Visitor: s.sessions.current(r), Back: r.URL.RequestURI(),
			BotID: s.BotID, Host: s.ScaiGridURL, Nonce: rand.Text(), Extra: attributes(query),
		}
		v.CSP = chosen.header(name == "app", v.Nonce)
		for _, n := range policyNames {
			v.Policies = append(v.Policies, s.policies[n])
		}
		if chosen.Name != "tutorial" {
			v.Query = template.URL("?policy=" + chosen.Name) //nolint:gosec // one of our own names
		}
		var b bytes.Buffer
		if err := s.pages.ExecuteTemplate(&b, name+".html", v); err != nil {
			http.Error(w, "This page can't be shown.", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		if v.CSP != "" {
			h.Set("Content-Security-Policy", v.CSP)
		}
		if chosen.embed {
			h.Set("Cross-Origin-Embedder-Policy", "require-corp")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		_, _ = w.Write(b.Bytes())
	}
}

// attributes writes the data attributes of the address as attributes of the tag.
func attributes(query url.Values) template.HTMLAttr {
	var b strings.Builder
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !attributeForm.MatchString(name) || name == "data-bot-id" || name == "data-host" || name == "data-token-url" && !local(query.Get(name)) {
			continue
		}
		b.WriteString(" " + name + `="` + html.EscapeString(query.Get(name)) + `"`)
	}
	return template.HTMLAttr(b.String()) //nolint:gosec // names match a form, values are escaped
}

// local tells whether an address stays on this site.
func local(address string) bool {
	return strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.Contains(address, "\\")
}
