package client_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
)

// An empty id is refused before it can name another route.
func TestEmptyID(t *testing.T) {
	c := client.New("/nowhere")
	for name, call := range map[string]func() error{
		"account":    func() error { _, err := c.GetAccount(t.Context(), ""); return err },
		"connection": func() error { _, err := c.RotateToken(t.Context(), ""); return err },
		"client":     func() error { _, err := c.RevokeClient(t.Context(), ""); return err },
	} {
		if err := call(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
