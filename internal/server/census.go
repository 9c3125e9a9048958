package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/connection"
)

// census tells, over all tenants together, how many connections there are by status and what ends within thirty days.
type census struct {
	bank *bank.Bank
	conn *prometheus.Desc
	ends *prometheus.Desc

	mu       sync.Mutex
	at       time.Time
	byStatus map[string]int
	byEnd    map[string]int
}

// fresh is how long one count serves: scrapes must not become a way to have everything read.
const fresh = 10 * time.Second

func newCensus(b *bank.Bank) *census {
	return &census{
		bank: b,
		conn: prometheus.NewDesc("bankd_connections", "Linked banks, by status.", []string{"status"}, nil),
		ends: prometheus.NewDesc("bankd_expiring", "What ends within thirty days, by kind.", []string{"kind"}, nil),
	}
}

// Describe and Collect are Prometheus'.
func (c *census) Describe(to chan<- *prometheus.Desc) {
	to <- c.conn
	to <- c.ends
}

// Collect counts anew where the last count is old.
func (c *census) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > fresh {
		byStatus, byEnd, err := c.bank.Census(context.Background())
		if err != nil {
			to <- prometheus.NewInvalidMetric(c.conn, err)
			return
		}
		c.at, c.byStatus, c.byEnd = time.Now(), byStatus, byEnd
	}
	for _, s := range connection.States {
		to <- prometheus.MustNewConstMetric(c.conn, prometheus.GaugeValue, float64(c.byStatus[s]), s)
	}
	for _, k := range connection.EndKinds {
		to <- prometheus.MustNewConstMetric(c.ends, prometheus.GaugeValue, float64(c.byEnd[k]), k)
	}
}
