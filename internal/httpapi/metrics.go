package httpapi

import (
	"log/slog"
	"net/http"
	"net/url"
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/scailabs/scaigrid"
)

// Metrics are the counts that /metrics shows of requests and turns.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	open     prometheus.Gauge
	turns    *prometheus.CounterVec
	first    prometheus.Histogram
	whole    prometheus.Histogram
	tokens   *prometheus.CounterVec
}

// NewMetrics registers the counts with the registry that /metrics shows.
func NewMetrics(reg *prometheus.Registry) *Metrics {
	m := &Metrics{
		registry: reg,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scaigrid_http_requests_total", Help: "Requests answered, by route and class of status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scaigrid_http_request_seconds", Help: "Time from a request's headers to the end of its answer.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2, 10, 60},
		}, []string{"route"}),
		open:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "scaigrid_http_requests_open", Help: "Requests that are being answered, streams included."}),
		turns: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scaibot_turns_total", Help: "Turns that ended, by how they ended."}, []string{"outcome"}),
		first: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "scaibot_first_token_seconds", Help: "Time from an accepted message to the first text of its answer.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2, 5, 15},
		}),
		whole: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "scaibot_turn_seconds", Help: "Time from an accepted message to its stored end.",
			Buckets: []float64{.05, .25, 1, 2.5, 5, 10, 30, 60, 300},
		}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "scaibot_tokens_total", Help: "Model tokens that turns used, as far as providers said."}, []string{"kind"}),
	}
	reg.MustRegister(m.requests, m.seconds, m.open, m.turns, m.first, m.whole, m.tokens)
	return m
}

// Turn counts a turn that ended.
func (m *Metrics) Turn(o scaigrid.Outcome) {
	outcome := o.FinishReason
	if o.Error != nil {
		outcome = string(o.Error.Code)
	}
	m.turns.WithLabelValues(outcome).Inc()
	if o.FirstToken != nil {
		m.first.Observe(o.FirstToken.Seconds())
	}
	m.whole.Observe(o.Latency.Seconds())
	if u := o.Usage; u != nil {
		m.tokens.WithLabelValues("prompt").Add(float64(u.PromptTokens))
		m.tokens.WithLabelValues("completion").Add(float64(u.CompletionTokens))
	}
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// metricRoute holds the counters of one route, looked up once.
type metricRoute struct {
	class   [6]prometheus.Counter // by hundreds of the status
	seconds prometheus.Observer
}

func (m *Metrics) route(name string) metricRoute {
	r := metricRoute{seconds: m.seconds.WithLabelValues(name)}
	for i, class := range []string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		r.class[i] = m.requests.WithLabelValues(name, class)
	}
	return r
}

// note counts a request that is over and writes its line in the access log: no
// value that a caller chose is in it but ids of objects.
func (s *Server) note(c *call) {
	spent := s.clock().Sub(c.began)
	m := s.lost
	if c.route != nil {
		m = c.route.metric
	}
	class := c.w.status / 100
	if class < 0 || class > 5 {
		class = 0
	}
	m.class[class].Inc()
	m.seconds.Observe(spent.Seconds())
	level := slog.LevelInfo
	if c.route != nil && c.route.quiet && class < 4 {
		level = slog.LevelDebug
	}
	if !s.log.Enabled(c.ctx(), level) {
		return
	}
	s.log.LogAttrs(c.ctx(), level, "request", c.attrs(spent)...)
}

func (c *call) pattern() string {
	if c.route == nil {
		return "unmatched"
	}
	return c.route.method + " " + c.route.path
}

func (c *call) attrs(spent time.Duration) []slog.Attr {
	a := []slog.Attr{
		slog.String("request_id", c.id),
		slog.String("route", c.pattern()),
		slog.Int("status", c.w.status),
		slog.Float64("ms", float64(spent.Microseconds())/1000),
		slog.Int64("bytes", c.w.bytes),
		slog.String("address", c.address.String()),
	}
	for _, id := range []struct{ name, value string }{
		{"key", c.caller.KeyID},
		{"tenant", c.caller.TenantID},
		{"token", c.pass.TokenID},
		{"bot", c.loggedID(scaigrid.KindBot)},
		{"document", c.loggedID(scaigrid.KindDocument)},
		{"conversation", c.loggedID(scaigrid.KindConversation)},
		{"turn", c.loggedID(scaigrid.KindTurn)},
	} {
		if id.value != "" {
			a = append(a, slog.String(id.name, id.value))
		}
	}
	if names := queryNames(c.r.URL.RawQuery); len(names) > 0 {
		a = append(a, slog.Any("query", names))
	}
	return a
}

// loggedID returns the id of the kind in the path, if it looks like one of ours.
func (c *call) loggedID(k scaigrid.Kind) string {
	if v := c.r.PathValue(string(k)); scaigrid.IsID(k, v) {
		return v
	}
	return ""
}

// queryNames lists the parameters of a request without their values.
func queryNames(raw string) []string {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return []string{"?"}
	}
	var names []string
	for n := range values {
		if len(names) == 20 {
			break
		}
		names = append(names, printableName(n))
	}
	sort.Strings(names)
	return names
}
