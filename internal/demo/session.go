package demo

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Visitor is somebody who signed in to the sample site.
type Visitor struct {
	ID    any // a text or a number: both are what real sites have
	Email string
	Name  string
	Plan  string
}

// visitorOf are those who may sign in; the sample site asks for no password.
func visitorOf(name string) *Visitor {
	switch name {
	case "alice":
		return &Visitor{ID: "usr_42", Email: "alice@example.com", Name: "Alice", Plan: "pro"}
	case "bob":
		return &Visitor{ID: 1043, Email: "bob@example.com", Name: "Bob", Plan: "free"}
	}
	return nil
}

const (
	cookieName  = "demo_session"
	maxSessions = 1000
)

// sessions remembers who signed in, as long as the process runs.
type sessions struct {
	mu   sync.Mutex
	who  map[string]*Visitor
	keys []string // oldest first
}

func newSessions() *sessions { return &sessions{who: map[string]*Visitor{}} }

func (s *sessions) begin(v *Visitor) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) >= maxSessions {
		delete(s.who, s.keys[0])
		s.keys = s.keys[1:]
	}
	key := rand.Text()
	s.who[key] = v
	s.keys = append(s.keys, key)
	return key
}

func (s *sessions) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.who, key)
}

// current is the visitor of a request, nil for an anonymous one.
func (s *sessions) current(r *http.Request) *Visitor {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who[c.Value]
}

// signIn takes the form field "as", alice or bob; anything else signs out.
func (s *shop) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form can't be read.", http.StatusBadRequest)
		return
	}
	s.forget(w, r)
	if v := visitorOf(r.PostForm.Get("as")); v != nil {
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: s.sessions.begin(v), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	http.Redirect(w, r, back(r), http.StatusSeeOther)
}

func (s *shop) signOut(w http.ResponseWriter, r *http.Request) {
	s.forget(w, r)
	w.WriteHeader(http.StatusNoContent)
}

func (s *shop) forget(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.sessions.end(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// back is the page of this site that the form stood on.
func back(r *http.Request) string {
	u, err := url.Parse(r.PostForm.Get("back"))
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return "/"
	}
	return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
}
