package server_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
)

func TestLinkEndToEnd(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	if len(conn.Accounts) != 3 || conn.Institution.Name != "First Platypus Bank" || conn.Status != "active" {
		t.Fatalf("linked %+v", conn)
	}
	a, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{
		OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID,
	})
	if err != nil || a.Status != account.Verified || a.AccountLast4 != "0000" || a.BankAccountID != conn.Accounts[0].ID { // R31, A12
		t.Fatalf("%+v %v", a, err)
	}
}
