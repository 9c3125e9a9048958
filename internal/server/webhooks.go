package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/fault"
)

// Webhooks answers Plaid alone, on an address of its own. It checks a webhook, stores it and answers at once; the work follows later.
type Webhooks struct {
	Bank *bank.Bank
	Log  *slog.Logger
}

const (
	largestHook   = 256 << 10
	longestSigned = 8 << 10
	hookDeadline  = 8 * time.Second // Plaid waits ten seconds, then sends the webhook again
)

// HTTP returns the server, with limits for a server that faces a network.
func (h Webhooks) HTTP() *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP answers 200 to a stored webhook, 401 to a forged one, and 503 to have Plaid send it again. The replies have no
// body.
func (h Webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), hookDeadline)
	defer cancel()
	status := h.take(ctx, w, r)
	w.WriteHeader(status)
}

func (h Webhooks) take(ctx context.Context, w http.ResponseWriter, r *http.Request) int {
	if r.Method == http.MethodGet && r.URL.Path == "/healthz" {
		return http.StatusOK
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed
	}
	signed := r.Header.Get("Plaid-Verification")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestHook))
	switch {
	case err != nil:
		return http.StatusRequestEntityTooLarge
	case signed == "" || len(signed) > longestSigned:
		return http.StatusUnauthorized
	}
	hook, err := h.Bank.ReadWebhook(ctx, signed, body)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return http.StatusUnauthorized
	case err != nil:
		return http.StatusServiceUnavailable // the bank logs these, once a minute
	}
	if err := h.Bank.TakeWebhook(ctx, hook); err != nil {
		h.Log.Warn("cannot store a webhook; Plaid sends it again", "code", fault.As(err).Code)
		return http.StatusServiceUnavailable
	}
	h.Log.Info("webhook", "type", hook.Type, "webhook_code", hook.Code)
	return http.StatusOK
}
