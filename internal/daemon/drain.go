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
	poisonedPatience = time.Second
)

// drain stops listening and waits for calls under way. It cuts off those that take too long, which is no error of the
// stop: their callers repeat them.
func (d *Daemon) drain() {
	patience := drainPatience
	if d.db != nil && d.Failure() != nil {
		patience = poisonedPatience
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var both sync.WaitGroup
	for name, s := range map[string]*http.Server{"api": d.http, "webhooks": d.webhookServer} {
		if s == nil {
			continue
		}
		both.Go(func() {
			if err := s.Shutdown(ctx); err != nil {
				d.log.Warn("cut off calls that did not end", "server", name, "after", patience.String(), "error", err.Error())
				_ = s.Close()
			}
		})
	}
	both.Wait()
}
