package auth

import (
	"strings"
	"testing"
)

// RELIABILITY §4.C 52–58.
func TestOriginAllowed(t *testing.T) {
	shop := []string{"https://shop.example"}
	below := []string{"https://*.shop.example"}
	for _, tc := range []struct {
		name     string
		origin   string
		patterns []string
		want     bool
	}{
		{"52 another site", "https://evil.example", shop, false},
		{"53 ours as a part of theirs", "https://shop.example.evil.com", shop, false},
		{"53 ours as an end of theirs", "https://evilshop.example", shop, false},
		{"53 another port", "https://shop.example:444", shop, false},
		{"53 another scheme", "http://shop.example", shop, false},
		{"53 below", "https://a.shop.example", shop, false},
		{"54 null", "null", shop, false},
		{"54 null, listed", "null", []string{"https://shop.example", "null"}, true},
		{"54 NULL", "NULL", []string{"null"}, false},
		{"54 null is no wildcard", "https://shop.example", []string{"null"}, false},
		{"55 two below", "https://a.b.shop.example", below, true},
		{"55 one below", "https://a.shop.example", below, true},
		{"55 itself", "https://shop.example", below, false},
		{"55 below, as a part of theirs", "https://a.shop.example.evil.com", below, false},
		{"55 end without a dot", "https://evilshop.example", below, false},
		{"55 another scheme", "http://a.shop.example", below, false},
		{"55 another port", "https://a.shop.example:8443", below, false},
		{"55 port", "https://a.shop.example:8443", []string{"https://*.shop.example:8443"}, true},
		{"55 an empty label", "https://.shop.example", below, false},
		{"56 upper case", "HTTPS://SHOP.Example", shop, true},
		{"56 trailing dot", "https://shop.example.", shop, true},
		{"56 default port", "https://shop.example:443", shop, true},
		{"56 default port of the pattern", "https://shop.example", []string{"https://shop.example:443/"}, true},
		{"56 default port of http", "http://shop.example:80", []string{"http://shop.example"}, true},
		{"56 443 is not http's own", "http://shop.example:443", []string{"http://shop.example"}, false},
		{"56 Punycode against Unicode", "https://xn--bcher-kva.example", []string{"https://bücher.example"}, true},
		{"56 Unicode against Punycode", "https://Bücher.example", []string{"https://xn--bcher-kva.example"}, true},
		{"56 full-width", "https://ｓhop.example", shop, true},
		{"56 IPv6", "http://[0:0::1]:8001", []string{"http://[::1]:8001"}, true},
		{"57 path", "https://shop.example/", shop, false},
		{"57 user", "https://a@shop.example", shop, false},
		{"57 two values", "https://shop.example https://shop.example", shop, false},
		{"57 a list", "https://shop.example,https://shop.example", shop, false},
		{"57 long", "https://" + strings.Repeat("a.", 5000) + "example", shop, false},
		{"57 NUL", "https://shop.example\x00", shop, false},
		{"57 query", "https://shop.example?x", shop, false},
		{"57 fragment", "https://shop.example#x", shop, false},
		{"57 backslash", `https://shop.example\.evil.com`, shop, false},
		{"57 percent", "https://shop%2eexample", shop, false},
		{"57 star", "https://*.shop.example", below, false},
		{"57 port 0", "https://shop.example:0", shop, false},
		{"57 port 65536", "https://shop.example:65979", shop, false},
		{"57 no port", "https://shop.example:", shop, false},
		{"57 IPv6 zone", "http://[::1%25eth0]", []string{"http://[::1]"}, false},
		{"57 no scheme", "shop.example", shop, false},
		{"58 no origin", "", shop, false},
		{"58 no origin, nothing listed", "", nil, true},
		{"nothing listed", "https://anywhere.example", nil, true},
		{"a pattern that is none", "https://shop.example", []string{"*", "https://", "shop.example", "https://*"}, false},
	} {
		if got := OriginAllowed(tc.origin, tc.patterns); got != tc.want {
			t.Errorf("%s: %.60q on %q: %v", tc.name, tc.origin, tc.patterns, got)
		}
	}
}

func TestParseOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"https://Shop.Example:443": "https://shop.example", "http://localhost:8001": "http://localhost:8001",
		"null": "null", "file://": "file://", "capacitor://localhost": "capacitor://localhost", "https://1.2.3.4:00080": "https://1.2.3.4:80",
	} {
		if o, err := ParseOrigin(in); err != nil || o.String() != want {
			t.Errorf("%s: %s %v, want %s", in, o, err, want)
		}
	}
	for _, in := range []string{"", "://", "http://", "1http://a", "null://a", "http://a..b", "http://-/", "http://" + strings.Repeat("a", 64) + ".example", "http://[1.2.3.4]", "https://a b", "data:text/html,x"} {
		if o, err := ParseOrigin(in); err == nil {
			t.Errorf("%q was read as %s", in, o)
		}
	}
}

func TestCanonicalOriginPattern(t *testing.T) {
	for in, want := range map[string]string{
		"https://*.Shop.example:443/": "https://*.shop.example", "https://bücher.example/": "https://xn--bcher-kva.example", "null": "null",
		"http://localhost:8001": "http://localhost:8001",
	} {
		if got, err := CanonicalOriginPattern(in); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "*", "https://*", "https://*.*.example", "https://a.*.example", "ftp://a.example", "https://*.[::1]", "https://a.example/path", "https://a.example?", "javascript:alert(1)", "file://"} {
		if got, err := CanonicalOriginPattern(in); err == nil {
			t.Errorf("%q was read as %s", in, got)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	for _, s := range []string{"https://shop.example", "https://*.shop.example:8443", "null", "http://[::1]:80", "https://bücher.example.", "https://a@b", "file://"} {
		f.Add(s, "https://*.shop.example")
	}
	f.Fuzz(func(t *testing.T, origin, pattern string) {
		o, err := ParseOrigin(origin)
		if err == nil {
			again, err := ParseOrigin(o.String())
			if err != nil || again != o {
				t.Errorf("%q is %q, which is %q: %v", origin, o, again, err)
			}
			if o.Scheme != "null" && strings.ContainsAny(o.Host, "/@?#\\ *%,\x00") {
				t.Errorf("%q has the host %q", origin, o.Host)
			}
		}
		if p, err := CanonicalOriginPattern(pattern); err == nil {
			if again, err := CanonicalOriginPattern(p); err != nil || again != p {
				t.Errorf("%q is %q, which is %q: %v", pattern, p, again, err)
			}
			if OriginAllowed(origin, []string{pattern}) != OriginAllowed(origin, []string{p}) {
				t.Errorf("%q on %q and on %q differ", origin, pattern, p)
			}
		} else if OriginAllowed(origin, []string{pattern}) {
			t.Errorf("%q is allowed by %q, which is no pattern", origin, pattern)
		}
	})
}

func BenchmarkOriginAllowed(b *testing.B) {
	patterns := []string{"https://a.example", "https://*.b.example", "https://shop.example"}
	b.ReportAllocs()
	for b.Loop() {
		if !OriginAllowed("https://shop.example", patterns) {
			b.Fatal("refused")
		}
	}
}
