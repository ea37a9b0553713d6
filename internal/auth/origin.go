package auth

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// MaxOriginBytes is the longest origin that is looked at.
const MaxOriginBytes = 300

// Origin is where a page comes from: scheme, host and port. Two spellings of
// one origin parse to equal values. The zero value is no origin.
type Origin struct {
	Scheme string // lower case; "null" alone for an opaque origin
	Host   string // lower case, Punycode, no dot at the end; IPv6 in brackets
	Port   string // "" where it is the scheme's own
}

var errOrigin = errors.New("must be an origin such as https://shop.example or https://shop.example:8443")

// ParseOrigin reads the value of an Origin header. It refuses what no browser
// sends: a path, a user, several values, control characters, more than 300 bytes.
func ParseOrigin(s string) (Origin, error) {
	if len(s) > MaxOriginBytes {
		return Origin{}, errOrigin
	}
	if s == "null" {
		return Origin{Scheme: "null"}, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || !validScheme(scheme) {
		return Origin{}, errOrigin
	}
	if rest == "" && scheme == "file" {
		return Origin{Scheme: scheme}, nil // pages in some apps
	}
	host, port, err := splitHostPort(rest)
	if err != nil {
		return Origin{}, err
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	return Origin{Scheme: scheme, Host: host, Port: port}, nil
}

// String gives the one spelling of o, the form that browsers send.
func (o Origin) String() string {
	switch {
	case o.Scheme == "null" || o.Scheme == "":
		return o.Scheme
	case o.Port == "":
		return o.Scheme + "://" + o.Host
	}
	return o.Scheme + "://" + o.Host + ":" + o.Port
}

// OriginAllowed tells whether a page of this origin may use what lists these
// patterns: https://host[:port], https://*.host for every host below, null for
// opaque origins. An empty list allows every origin, and also none at all; any
// other list refuses a request without an origin.
func OriginAllowed(origin string, patterns []string) bool {
	if len(patterns) == 0 {
		return true
	}
	o, err := ParseOrigin(origin)
	if err != nil {
		return false
	}
	for _, p := range patterns {
		if pattern, err := parseOriginPattern(p); err == nil && pattern.matches(o) {
			return true
		}
	}
	return false
}

// CanonicalOriginPattern gives the one spelling of an entry of allowed_origins,
// or says what is wrong with it.
func CanonicalOriginPattern(p string) (string, error) {
	pattern, err := parseOriginPattern(p)
	if err != nil {
		return "", err
	}
	if !pattern.below {
		return pattern.String(), nil
	}
	scheme, rest, _ := strings.Cut(pattern.String(), "://")
	return scheme + "://*." + rest, nil
}

// originPattern is one origin, or every origin whose host lies below it.
type originPattern struct {
	Origin
	below bool
}

func parseOriginPattern(p string) (originPattern, error) {
	const form = "must be https://host[:port], https://*.host or null"
	p = strings.TrimRight(p, "/")
	scheme, rest, _ := strings.Cut(p, "://")
	rest, below := strings.CutPrefix(rest, "*.")
	if below {
		p = scheme + "://" + rest
	}
	o, err := ParseOrigin(p)
	if err != nil || o.Scheme != "https" && o.Scheme != "http" && o.Scheme != "null" || below && strings.HasPrefix(o.Host, "[") {
		return originPattern{}, errors.New(form)
	}
	return originPattern{o, below}, nil
}

func (p originPattern) matches(o Origin) bool {
	if !p.below {
		return p.Origin == o
	}
	above, found := strings.CutSuffix(o.Host, p.Host)
	return found && len(above) > 1 && above[len(above)-1] == '.' && p.Scheme == o.Scheme && p.Port == o.Port
}

func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != "" && s != "null"
}

func splitHostPort(s string) (host, port string, err error) {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", "", errOrigin
		}
		addr, err := netip.ParseAddr(s[1:end])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", "", errOrigin
		}
		host, s = "["+addr.String()+"]", s[end+1:]
	} else {
		name := s
		if colon := strings.IndexByte(s, ':'); colon >= 0 {
			name = s[:colon]
		}
		s = s[len(name):]
		if host, err = canonicalHost(name); err != nil {
			return "", "", err
		}
	}
	if s == "" {
		return host, "", nil
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	if err != nil || s[0] != ':' || n == 0 {
		return "", "", errOrigin
	}
	return host, strconv.FormatUint(n, 10), nil
}

// canonicalHost is the lower-case Punycode form of a host name.
func canonicalHost(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	if !isASCII(s) {
		ascii, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", errOrigin
		}
		s = strings.TrimSuffix(ascii, ".")
	}
	s = strings.ToLower(s)
	if s == "" || len(s) > 253 {
		return "", errOrigin
	}
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return "", errOrigin
			}
			label = 0
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			if label++; label > 63 {
				return "", errOrigin
			}
		default:
			return "", errOrigin
		}
	}
	if label == 0 {
		return "", errOrigin
	}
	return s, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
