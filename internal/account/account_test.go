package account_test

import (
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"pgregory.net/rapid"
)

func TestFromPlaidStatus(t *testing.T) { // A6, R31
	for status, want := range map[string]string{
		"": "verified", "automatically_verified": "verified", "manually_verified": "verified",
		"database_matched": "verified", "database_insights_pass": "verified",
		"pending_automatic_verification": "pending_verification", "pending_manual_verification": "pending_verification",
		"unsent": "pending_verification", "database_insights_pending": "pending_verification",
		"database_insights_pass_with_caution": "pending_verification",
		"verification_expired":                "verification_failed", "verification_failed": "verification_failed",
		"database_insights_fail": "verification_failed",
	} {
		if got, _ := account.FromPlaidStatus(status); got != want {
			t.Errorf("%q: %s, want %s", status, got, want)
		}
	}
	proven := map[string]bool{"": true, "automatically_verified": true, "manually_verified": true, "database_matched": true, "database_insights_pass": true}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "status")
		if got, _ := account.FromPlaidStatus(s); got == account.Verified && !proven[s] {
			t.Fatalf("%q counts as proven", s)
		}
	})
}

func TestAddACHNamesEveryBadField(t *testing.T) { // R39-R44
	err := account.AddACHParams{OwnerType: "bank", OwnerID: "a b", AccountType: "loan"}.Check()
	e := fault.As(err)
	for _, f := range []string{"owner_type", "owner_id", "routing_number", "account_number", "bank_name", "account_type"} {
		if e.Fields[f] == "" {
			t.Errorf("%s is not named: %v", f, e.Fields)
		}
	}
	bad := account.AddACHParams{OwnerType: "employer", OwnerID: "681xyz789abc123456789012", BankName: "Chase", AccountType: "checking"}
	bad.RoutingNumber, bad.AccountNumber = ach.NewRoutingNumber("021000012"), ach.NewAccountNumber("1234")
	e = fault.As(bad.Check())
	if len(e.Fields) != 2 || strings.Contains(e.Error()+e.Fields["routing_number"]+e.Fields["account_number"], "1234") {
		t.Errorf("got %v", e.Fields)
	}
}

func TestPrimaryIsOnlyEverReplaced(t *testing.T) { // A9
	no, yes := false, true
	if fault.As(account.DefaultParams{Primary: &no}.Check()).Fields["primary"] == "" {
		t.Error("false was taken")
	}
	if (account.DefaultParams{Primary: &yes}).Check() != nil || (account.DefaultParams{}).Check() == nil {
		t.Error("true is refused, or nothing is taken")
	}
}

func TestSharesOwner(t *testing.T) {
	e1, e1c1, c1 := account.Account{EmployerID: "e1"}, account.Account{EmployerID: "e1", CarrierID: "c1"}, account.Account{CarrierID: "c1"}
	u1, u2 := account.Account{UserID: "u1"}, account.Account{UserID: "u2"}
	if !e1.SharesOwner(e1c1) || !e1c1.SharesOwner(c1) || e1.SharesOwner(c1) || u1.SharesOwner(u2) || !u1.SharesOwner(u1) || e1.SharesOwner(u1) {
		t.Error("the wrong accounts compete for one primary")
	}
}
