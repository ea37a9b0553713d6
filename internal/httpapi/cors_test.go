package httpapi

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	s := open(t, LimitSettings{Off: true})
	page := []string{"Origin", "https://shop.example"}
	for i := range s.server.rows {
		r := &s.server.rows[i]
		path := s.mine.fill(r.path)
		a := s.do("OPTIONS", path, "", "", append(page, "Access-Control-Request-Method", r.method)...)
		chat := strings.HasPrefix(r.path, chatPath)
		if a.status != 204 || a.body != "" {
			t.Errorf("OPTIONS %s: %d %s", r.path, a.status, a.body)
		}
		if chat && (a.header.Get("Access-Control-Allow-Headers") != "authorization, content-type, idempotency-key, last-event-id, x-scaibot-visitor" || a.header.Get("Access-Control-Max-Age") != "7200" || a.header.Get("Access-Control-Allow-Origin") != "*") {
			t.Errorf("OPTIONS %s: %v", r.path, a.header)
		}
		got := s.do(r.method, path, "", "", page...)
		origin := got.header.Get("Access-Control-Allow-Origin")
		if want := map[bool]string{true: "*"}[chat || r.cors == corsPublic]; origin != want {
			t.Errorf("%s allows %q, want %q", r.op, origin, want)
		}
		if r.access.kind == forStaff {
			leak := s.do(r.method, path, s.mine.key, "", page...).want(403, "KEY_IN_BROWSER")
			if leak.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: the page cannot read why its key was refused", r.op)
			}
		}
		for _, x := range []answer{a, got} {
			if x.header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s allows credentials", r.op)
			}
		}
	}
	token := s.token(s.mine, `{}`)
	for name, a := range map[string]answer{
		"unknown path":  s.do("GET", chatPath+"/nope", token, ""),
		"odd path":      s.do("GET", chatPath+"//x", token, ""),
		"method":        s.do("PUT", chatPath, token, "{}"),
		"too large":     s.do("POST", chatPath, token, strings.Repeat("x", 200<<10)),
		"wrong type":    s.do("POST", chatPath, token, "x", "Content-Type", "text/plain"),
		"not JSON":      s.do("POST", chatPath, token, "x"),
		"no token":      s.do("POST", chatPath, "", "{}"),
		"no such turn":  s.do("GET", chatPath+"/turns/turn_1", token, ""),
		"preflight":     s.do("OPTIONS", chatPath+"/nope/nope", "", ""),
		"good":          s.do("GET", chatPath+"/conversation", token, ""),
		"good and live": s.do("POST", chatPath, token, `{"message":"hello"}`),
	} {
		if a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d without Access-Control-Allow-Origin", name, a.status)
		}
		if !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "x-request-id, retry-after") && a.status != 204 {
			t.Errorf("%s: exposes %q", name, a.header.Get("Access-Control-Expose-Headers"))
		}
	}
	names := slices.Sorted(maps.Keys(s.server.allow))
	if len(names) < 30 {
		t.Errorf("only %d paths", len(names))
	}
}
