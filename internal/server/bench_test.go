package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/server"
	"github.com/bankctl/bankctl/internal/status"
)

// nowhere takes a reply as net/http does, and keeps nothing of it.
type nowhere struct {
	header http.Header
	status int
	bytes  int
}

func (n *nowhere) Header() http.Header { return n.header }

func (n *nowhere) WriteHeader(status int) { n.status = status }

func (n *nowhere) Write(b []byte) (int, error) {
	n.bytes += len(b)
	return len(b), nil
}

// BenchmarkCall is whole calls, with log and metrics, but without net/http.
func BenchmarkCall(b *testing.B) {
	bank := banktest.Start(b, banktest.OnDisk)
	conn := bank.Link("EMP1")
	if _, err := bank.Client.SyncTransactions(b.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}}); err != nil {
		b.Fatal(err)
	}
	s, err := server.New(server.Config{
		Bank: bank.Daemon.Bank(), Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Status: func() status.Status { return status.Status{} }, Owner: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"status": "/api/v1/status", "connection": "/api/v1/plaid/connections/" + conn.ID, "page": "/api/v1/plaid/transactions?limit=50",
		"summary": "/api/v1/plaid/transactions/summary?date_from=2020-01-01",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, http.NoBody)
			r.Host = "bankd"
			r.Header.Set("X-Client-ID", bank.Client.ClientID)
			r.Header.Set("X-Client-Secret", bank.Client.Secret)
			w := &nowhere{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				if s.ServeHTTP(w, r); w.status != http.StatusOK {
					b.Fatal(w.status)
				}
			}
			b.ReportMetric(float64(w.bytes)/float64(b.N), "B/reply")
		})
	}
}
