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

// Webhooks answers Plaid alone, on an address of its own: what comes in is checked, noted and answered at once.
type Webhooks struct {
	Bank *bank.Bank
	Log  *slog.Logger
}

const (
	largestHook   = 256 << 10
	longestSigned = 8 << 10
	hookDeadline  = 8 * time.Second // Plaid waits ten, then sends it again
)

// HTTP gives the server with the limits of one that faces a network.
func (h Webhooks) HTTP() *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP answers 200 to what was noted, 401 to what is not Plaid's, 503 where Plaid shall send it again. It says no
// more to anybody.
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
	if fault.Is(err, fault.Unauthenticated) {
		h.Log.Warn("a webhook was refused", "reason", fault.As(err).Message)
		return http.StatusUnauthorized
	}
	if err == nil {
		err = h.Bank.TakeWebhook(ctx, hook)
	}
	if err != nil {
		h.Log.Warn("a webhook could not be taken in; Plaid sends it again", "code", fault.As(err).Code)
		return http.StatusServiceUnavailable
	}
	h.Log.Info("webhook", "type", hook.Type, "webhook_code", hook.Code)
	return http.StatusOK
}
