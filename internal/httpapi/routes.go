package httpapi

import (
	"slices"

	"github.com/scailabs/scaigrid"
)

const (
	botPath    = "/v1/modules/scaibot/bots"
	staticPath = "/static/modules/scaibot/"
)

// table is every address that this server answers, and who may call it. What
// is not in it cannot be served.
func (s *Server) table() []route {
	return slices.Concat(
		s.platformRows(),
		s.botRows(),
		s.versionRows(),
		s.documentRows(),
		s.searchRows(),
		s.tokenRows(),
		s.embedRows(),
		s.staticRows(),
		s.chat.rows(),
		s.conversationRows(),
		s.modelRows(),
		s.keyRows(),
	)
}

// platformRows are what is open to anyone.
func (s *Server) platformRows() []route {
	open := func(path, op, summary string, k cors, limit limitClass, sv served) route {
		return route{
			op: op, method: "GET", path: path, access: anyone(), limit: limit, cors: k, serve: sv, quiet: true,
			tag: "Platform", summary: summary,
		}
	}
	return []route{
		open("/health", "health", "Whether the process answers", corsNone, limitNone, plain[health](s.health)),
		open("/health/ready", "readiness", "Whether this node can take traffic, check by check; 503 where one fails", corsNone, limitNone, plain[readiness](s.readiness)),
		open("/metrics", "metrics", "Counts for Prometheus", corsNone, limitNone, raw("text/plain", s.metricsPage)),
		open("/openapi.json", "openapi", "This document", corsPublic, limitAddress, raw("application/json", s.openAPIPage)),
		open("/docs", "docs", "The documentation", corsNone, limitAddress, raw("text/html", s.docsPage)),
		open("/docs/{page...}", "docsPage", "A page of the documentation", corsNone, limitAddress, raw("text/html", s.docsPage)),
	}
}

// staffRow makes rows of one noun for callers with a permission.
func staffRow(tag string) func(method, path, op, summary string, p scaigrid.Permission, sv served) route {
	return func(method, path, op, summary string, p scaigrid.Permission, sv served) route {
		return route{
			op: op, method: method, path: path, access: staff(p), limit: limitKey, cors: corsStaff, serve: sv,
			tag: tag, summary: summary,
		}
	}
}

// answers sets the status of success.
func (r route) answers(status int) route { r.status = status; return r }

// fails names codes beside those that follow from access and body.
func (r route) fails(codes ...scaigrid.Code) route { r.errors = codes; return r }

// versioned says that the object has a version and that If-Match is honoured.
func (r route) versioned() route { r.versions = true; return r }

// bounded sets the longest body that is taken, in bytes.
func (r route) bounded(n int64) route { r.maxBody = n; return r }

// counted sets the limit that counts the row.
func (r route) counted(l limitClass) route { r.limit = l; return r }

// quietly keeps success out of the access log at its ordinary level.
func (r route) quietly() route { r.quiet = true; return r }

// explained adds a description to the summary.
func (r route) explained(detail string) route { r.detail = detail; return r }
