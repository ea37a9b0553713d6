package llm

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

const maxRedirects = 3

// newTransport makes the connection pool that all providers share.
func newTransport(l Limits, proxy *url.URL) *http.Transport {
	dialer := &net.Dialer{Timeout: l.Dial, KeepAlive: 15 * time.Second}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    l.Dial + 2*time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // a compressed stream arrives in lumps
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t
}

// newClient makes a client that follows a redirect only to the same place, and
// only where the question goes along.
func newClient(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: t,
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0].URL
			same := next.URL.Scheme == first.Scheme && next.URL.Host == first.Host
			if !same || len(via) > maxRedirects || next.Method != via[0].Method {
				return errRedirect
			}
			return nil
		},
	}
}
