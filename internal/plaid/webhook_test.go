package plaid_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaid"
)

// Only a body that Plaid signed, with its signature, is accepted as a webhook.
func FuzzReadWebhook(f *testing.F) {
	b := newBench(f)
	body := []byte(`{"webhook_type":"ITEM","webhook_code":"ERROR","item_id":"x","environment":"sandbox"}`)
	signed, err := b.sim.SignWebhook(body)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Now()
	if w, err := b.ReadWebhook(f.Context(), signed, body, now, nobody); err != nil || w.Code != "ERROR" {
		f.Fatalf("a real one: %+v, %v", w, err)
	}
	f.Add(signed, body)
	f.Add(signed+"=", body)
	f.Add(" "+signed, body)
	f.Add("eyJhbGciOiJub25lIn0..", body)
	f.Add(signed, append(bytes.Clone(body), '\n'))
	f.Fuzz(func(t *testing.T, s string, raw []byte) {
		w, err := b.ReadWebhook(t.Context(), s, raw, now, nobody)
		if err == nil && (s != signed || !bytes.Equal(raw, body)) {
			t.Fatalf("taken for Plaid's: %+v", w)
		}
	})
}

func nobody(plaid.Webhook) string { return "" }
