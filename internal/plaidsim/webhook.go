package plaidsim

import (
	"encoding/json"
	"net"
	"net/url"
	"strings"
)

// sendItem queues a webhook about an Item and adds the fields common to all. Callers hold s.mu.
func (s *Server) sendItem(it *item, typ, code string, fields obj) {
	if it.Webhook == "" {
		return
	}
	body := obj{"webhook_type": typ, "webhook_code": code, "item_id": it.ID, "environment": "sandbox", "error": nil}
	for k, v := range fields {
		body[k] = v
	}
	it.LastHook, it.LastHookAt = code, s.now()
	s.markChanged()
	s.queue(it.Webhook, body)
}

// queue stores a webhook in the state; hookSender delivers it, also after a restart. Callers hold s.mu.
func (s *Server) queue(target string, body obj) {
	if target == "" {
		return
	}
	if !s.opt.WebhookAny && !isLoopback(target) {
		s.log.Warn("webhook not sent: target is not loopback")
		return
	}
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		s.log.Error("encode webhook", "error", err)
		return
	}
	for range 1 + max(s.opt.WebhookDuplicate, 0) {
		s.enqueue(target, string(raw))
	}
}

func isLoopback(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}
