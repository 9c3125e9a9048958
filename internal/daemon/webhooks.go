package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/bankctl/bankctl/internal/server"
)

// openWebhooks listens for webhooks, before anybody is told the address.
func (d *Daemon) openWebhooks() (net.Listener, string, error) {
	if d.config.WebhookListen == "" {
		return nil, "", nil
	}
	l, err := net.Listen("tcp", d.config.WebhookListen)
	if err != nil {
		return nil, "", fmt.Errorf("listen for webhooks: %w", err)
	}
	return l, cmp.Or(d.config.WebhookURL, "http://"+l.Addr().String()), nil
}

func (d *Daemon) serveWebhooks(l net.Listener) {
	if l == nil {
		return
	}
	d.webhookAddress = l.Addr().String()
	d.webhookServer = server.Webhooks{Bank: d.bank, Log: d.log}.HTTP()
	d.work.Go(func() {
		if err := d.webhookServer.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fmt.Errorf("serve webhooks: %w", err)
		}
	})
}
