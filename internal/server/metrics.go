package server

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bankctl/bankctl/internal/bank"
)

// metrics counts calls by route: never by client, owner or anything else of a tenant.
type metrics struct {
	calls   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
	serve   http.Handler
}

func newMetrics(b *bank.Bank) *metrics {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bankd_calls_total", Help: "Calls answered, by route, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bankd_call_seconds", Help: "Time to answer a call.", Buckets: []float64{.0005, .001, .005, .01, .05, .1, .5, 1, 5, 30, 90},
		}, []string{"route"}),
	}
	count := func(name, help string, value func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	stats := b.Stats()
	r := prometheus.NewRegistry()
	r.MustRegister(m.calls, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		count("bankd_exchanges_total", "Public tokens exchanged.", stats.Exchanges.Load),
		count("bankd_exchanges_lost_total", "Items made at Plaid whose token was lost with the process.", stats.LostExchanges.Load),
		count("bankd_number_fetches_total", "Calls to Plaid that brought account numbers.", stats.NumberFetches.Load),
		count("bankd_tokens_lost_total", "Access tokens lost while they were being swapped.", stats.LostTokens.Load),
		count("bankd_webhooks_total", "Webhooks of Plaid's that were taken in.", stats.Webhooks.Load),
		count("bankd_webhooks_refused_total", "Webhooks that were not Plaid's.", stats.ForgedHooks.Load),
		newConnectionGauges(b),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "bankd_transactions_set_aside", Help: "Rows of Plaid's that could not be read or stored, and wait to be sent again."},
			func() float64 { return float64(b.CountSetAside()) }),
		count("bankd_refusals_total", "Calls refused for role or scope.", stats.Refusals.Load),
	)
	m.serve = promhttp.HandlerFor(r, promhttp.HandlerOpts{DisableCompression: true})
	return m
}

// observe counts a call.
func (m *metrics) observe(to *endpoint, method string, status int, took time.Duration) {
	name := cmp.Or(to.Path, "refused")
	to.once.Do(func() {
		to.seconds = m.seconds.WithLabelValues(name)
		if to.Method != "" {
			to.successes = m.calls.WithLabelValues(name, to.Method, strconv.Itoa(to.Status))
		}
	})
	to.seconds.Observe(took.Seconds())
	if to.successes != nil && status == to.Status {
		to.successes.Inc()
		return
	}
	m.calls.WithLabelValues(name, knownMethod(method), strconv.Itoa(status)).Inc()
}

// knownMethod is a method as metrics and logs name it: one that we do not know is the caller's own text.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE":
		return method
	}
	return "other"
}

func (s *Server) serveMetrics(c *call) {
	c.status = http.StatusOK
	s.metrics.serve.ServeHTTP(c.w, c.r)
}
