package daemon

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Calls under way at the end have this long; with a store that takes nothing more there is nothing to wait for.
const (
	drainPatience    = 15 * time.Second
	hooksPatience    = 3 * time.Second // Plaid sends again what was cut off
	poisonedPatience = time.Second
)

// drain stops listening and waits for calls under way. It cuts off those that take too long, which is no error of the
// stop: their callers repeat them.
func (d *Daemon) drain() {
	var both sync.WaitGroup
	both.Go(func() { d.shutdown(d.http, "api", drainPatience) })
	both.Go(func() { d.shutdown(d.webhookServer, "webhooks", hooksPatience) })
	both.Wait()
}

func (d *Daemon) shutdown(s *http.Server, name string, patience time.Duration) {
	if s == nil {
		return
	}
	if d.Failure() != nil {
		patience = poisonedPatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		d.log.Warn("cut off calls that did not end", "server", name, "after", patience.String(), "error", err.Error())
		_ = s.Close()
	}
}
