package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/scailabs/scaigrid"
)

func TestLimits(t *testing.T) {
	s := open(t, LimitSettings{KeyMinute: 60, UserMinute: 120, TenantMinute: 1000, MintMinute: 70, AnonymousMinute: 10, TokenMinute: 5, VisitorMinute: 2})
	second, third := s.key(s.mine, scaigrid.AllPermissions()), s.key(s.mine, scaigrid.AllPermissions())
	for i := range 60 {
		a := s.do("GET", bots, s.mine.key, "").want(200, "")
		if a.header.Get("X-Scaigrid-Ratelimit-Limit") != "60" || a.header.Get("X-Scaigrid-Ratelimit-Remaining") != fmt.Sprint(59-i) {
			t.Fatalf("call %d: %v", i, a.header)
		}
	}
	a := s.do("GET", bots, s.mine.key, "").want(429, "RATE_LIMITED")
	wait, _ := a.get("error.retry_after").(float64)
	if a.header.Get("Retry-After") != fmt.Sprint(int(wait)) || wait < 1 || wait > 62 || a.header.Get("X-Scaigrid-Ratelimit-Reset") == "" {
		t.Errorf("a refusal says %v %s", a.header, a.body)
	}
	mint := s.mine.fill(bots + "/{bot}/embed-token")
	for range 70 {
		s.do("POST", mint, s.mine.key, `{}`).want(200, "") // a busy site and its administration do not starve each other
	}
	s.do("POST", mint, s.mine.key, `{}`).want(429, "RATE_LIMITED")
	for range 60 {
		s.do("GET", bots, second, "").want(200, "")
	}
	if a := s.do("GET", bots, third, "").want(429, "RATE_LIMITED"); a.header.Get("X-Scaigrid-Ratelimit-Limit") != "120" {
		t.Errorf("the user's limit is %s", a.header.Get("X-Scaigrid-Ratelimit-Limit"))
	}
	s.do("GET", bots, s.theirs.key, "").want(200, "")
	s.clock.move(time.Duration(wait) * time.Second)
	s.do("GET", bots, s.mine.key, "").want(200, "")

	token := s.token(s.mine, `{"visitor_id":"alice"}`)
	for range 2 {
		s.do("POST", chatPath, token, `{"message":"hello"}`).want(200, "")
	}
	over := s.do("POST", chatPath, token, `{"message":"hello"}`).want(429, "RATE_LIMITED")
	if over.header.Get("Access-Control-Allow-Origin") != "*" || over.header.Get("Retry-After") == "" {
		t.Errorf("a page cannot read why: %v", over.header)
	}
	for range 2 {
		s.do("GET", chatPath+"/conversation", token, "").want(200, "")
	}
	s.do("GET", chatPath+"/conversation", token, "").want(429, "RATE_LIMITED")

	for range 10 {
		s.do("GET", bots, "nonsense", "").want(401, "AUTH_TOKEN_INVALID")
	}
	s.do("GET", bots, "nonsense", "").want(429, "RATE_LIMITED")
	s.do("GET", bots, "", "").want(429, "RATE_LIMITED")
	s.do("GET", bots, s.theirs.key, "").want(200, "")
}
