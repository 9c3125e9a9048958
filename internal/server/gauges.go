package server

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/connection"
)

// connectionGauges count the connections of all tenants by status, and what ends within thirty days by kind.
type connectionGauges struct {
	bank *bank.Bank
	conn *prometheus.Desc
	ends *prometheus.Desc

	mu       sync.Mutex
	at       time.Time
	byStatus map[string]int
	byEnd    map[string]int
}

// gaugesLife is how long a count is used again, so that frequent scrapes do not read the whole store each time.
const gaugesLife = 10 * time.Second

func newConnectionGauges(b *bank.Bank) *connectionGauges {
	return &connectionGauges{
		bank: b,
		conn: prometheus.NewDesc("bankd_connections", "Linked banks, by status.", []string{"status"}, nil),
		ends: prometheus.NewDesc("bankd_expiring", "What ends within thirty days, by kind.", []string{"kind"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *connectionGauges) Describe(to chan<- *prometheus.Desc) {
	to <- c.conn
	to <- c.ends
}

// Collect counts again if the last count is older than gaugesLife.
func (c *connectionGauges) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > gaugesLife {
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
