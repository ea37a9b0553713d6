package httpapi

import (
	"net/http"
	"strconv"
	"strings"
)

// send writes a whole answer.
func (c *call) send(status int, contentType []string, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = contentType
	c.header(h, "Content-Length", slotLength, strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // the caller has gone; nobody is left to be told
	}
}

// sendCached writes a whole answer that a cache may keep as it is told, or 304
// where the caller has it already.
func (c *call) sendCached(contentType []string, body []byte, etag, cacheControl []string) error {
	h := c.w.Header()
	h["Etag"] = etag
	h["Cache-Control"] = cacheControl
	if matchesETag(c.r.Header["If-None-Match"], etag[0]) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	c.send(http.StatusOK, contentType, body)
	return nil
}

// matchesETag tells whether one of the caller's tags is the given one; strong
// and weak forms are the same thing here.
func matchesETag(have []string, etag string) bool {
	etag = strings.TrimPrefix(etag, "W/")
	for _, line := range have {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
