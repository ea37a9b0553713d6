package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scailabs/scaigrid"
)

// readyWithin bounds each check of /health/ready.
const readyWithin = 2 * time.Second

// health says that the process answers. It is not in the envelope: load
// balancers read it.
type health struct {
	Status string `json:"status" doc:"ok, or unavailable where a check failed"`
}

// readiness says check by check whether this node can take traffic.
type readiness struct {
	Status string            `json:"status" doc:"ok, or unavailable where a check failed"`
	Checks map[string]string `json:"checks" doc:"ok, or one word on what is wrong; the log says more"`
}

func (s *Server) health(c *call) error { return c.plainJSON(http.StatusOK, health{Status: "ok"}) }

func (s *Server) readiness(c *call) error {
	out := readiness{Status: "ok", Checks: make(map[string]string, len(s.ready))}
	status := http.StatusOK
	for _, check := range s.ready {
		ctx, cancel := context.WithTimeout(c.ctx(), readyWithin)
		err := check.Do(ctx)
		cancel()
		if err == nil {
			out.Checks[check.Name] = "ok"
			continue
		}
		out.Status, status = "unavailable", http.StatusServiceUnavailable
		out.Checks[check.Name] = "failed"
		s.log.WarnContext(c.ctx(), "not ready", "check", check.Name, "err", err)
	}
	return c.plainJSON(status, out)
}

// plainJSON sends v without the envelope.
func (c *call) plainJSON(status int, v any) error {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return scaigrid.AsError(err)
	}
	c.w.Header()["Cache-Control"] = noStore
	c.send(status, c.srv.jsonType, b)
	return nil
}

func (s *Server) metricsPage(c *call) error {
	c.w.Header()["Cache-Control"] = noStore
	s.metrics.handler().ServeHTTP(c.w, c.r)
	return nil
}

func (s *Server) openAPIPage(c *call) error {
	return c.sendCached(s.jsonType, s.openAPI.body, s.openAPI.etag, []string{"no-cache"})
}

// docsPage hands over to the documentation.
func (s *Server) docsPage(c *call) error {
	if s.docs == nil {
		return scaigrid.Errorf(scaigrid.CodeNotFound, "This build holds no documentation.")
	}
	documentHeaders.apply(c.w.Header()) // the documentation may say otherwise
	s.docs.ServeHTTP(c.w, c.r)
	return nil
}
