package httpapi

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "192.0.2.7:1000", nil, "192.0.2.7"},
		{"a stranger's word", "192.0.2.7:1000", []string{"198.51.100.1"}, "192.0.2.7"},
		{"a proxy's word", "10.0.0.1:1000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client wrote before", "10.0.0.1:1000", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1000", []string{"1.2.3.4, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two header lines", "10.0.0.1:1000", []string{"1.2.3.4", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		{"nonsense ends the walk", "10.0.0.1:1000", []string{"198.51.100.1, x"}, "10.0.0.1"},
		{"nonsense behind a proxy", "10.0.0.1:1000", []string{"198.51.100.1, x, 10.0.0.2"}, "10.0.0.2"},
		{"with a port", "[::1]:1000", []string{"[2001:db8::5]:443"}, "2001:db8::5"},
		{"mapped", "[::ffff:10.0.0.1]:1000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"all proxies", "10.0.0.1:1000", []string{"10.0.0.3"}, "10.0.0.3"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := clientAddress(r, proxies).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if household(netip.MustParseAddr("2001:db8::1")) != household(netip.MustParseAddr("2001:db8::ffff:1")) {
		t.Error("one IPv6 customer counts as many")
	}
}
