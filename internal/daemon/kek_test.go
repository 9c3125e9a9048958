package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/vault/vaulttest"
)

// An outage of Vault lets running reads and writes go on; making a tenant and starting fail within two seconds, with the
// cause and what to do.
func TestVaultOutage(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	token := filepath.Join(h.dir, "token")
	if err := os.WriteFile(token, []byte(vaulttest.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--kek-provider", "vault-transit", "--vault-address", server.HTTP.URL, "--vault-token-file", token}
	h.start(args...).stop()
	p := h.start(args...) // opens what the first start made
	if _, err := os.Stat(h.key()); err == nil {
		t.Error("a key file was made")
	}
	c := h.client()
	made, err := c.AddAccount(t.Context(), account.AddParams{Name: "Main", BankName: "Chase", UserID: "u", EmployerID: "e1"})
	if err != nil {
		t.Fatal(err)
	}
	server.Hang.Store(true)
	if _, err := c.GetAccount(t.Context(), made.ID); err != nil {
		t.Errorf("a read in an outage: %v", err)
	}
	if _, err := c.AddAccount(t.Context(), account.AddParams{Name: "Second", BankName: "Chase", UserID: "u", EmployerID: "e1"}); err != nil {
		t.Errorf("a write in an outage: %v", err)
	}
	owner := *c
	owner.ClientID, owner.Secret = "", ""
	began := time.Now()
	if _, err := owner.AddTenant(t.Context(), tenant.AddParams{Name: "acme"}); !fault.Is(err, fault.Unavailable) || time.Since(began) > 2*time.Second {
		t.Errorf("a tenant in an outage, after %s: %v", time.Since(began), err)
	}
	if rows, _, err := owner.ListTenants(t.Context(), page.Request{}); err != nil || len(rows) != 1 {
		t.Errorf("%d tenants, %v", len(rows), err)
	}
	p.stop()
	began = time.Now()
	if said := h.refused(args...); !strings.Contains(said, "check that Vault is up") {
		t.Errorf("a start in an outage is told: %s", said)
	}
	if took := time.Since(began); took > 3*time.Second { // 2 s and the process itself, on a loaded machine
		t.Errorf("a start in an outage is refused after %s", took)
	} else {
		t.Logf("refused after %s", took)
	}
	server.Hang.Store(false)
	h.start(args...).stop()
}
