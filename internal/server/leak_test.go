package server_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
)

// planted is what must be nowhere on disk, by what it is.
type planted map[string][]string

// plant does everything that brings a secret into the daemon, then stops it.
func plant(t *testing.T) (b *banktest.Bank, stored planted, secrets []string) {
	t.Helper()
	b = banktest.Start(t, banktest.OnDisk)
	ctx := t.Context()
	conn := b.Link("e1")
	stored = planted{
		"bank name":      {"First Platypus Bank", "Zyxquist Savings Bank"},
		"account name":   {"Payroll of Zebedee Quux", "Plaid Cash Management"},
		"routing number": {"011401533", "110000000"},
		"account number": {"1111222233330000", "1111222233331111", "1111222233339002", "1111222233330009"},
	}
	for _, a := range conn.Accounts {
		if _, err := b.Client.AddACHFromPlaid(ctx, account.FromPlaidParams{
			OwnerType: "employer", OwnerID: "e1", PlaidAccountID: a.PlaidAccountID, PlaidItemID: conn.ItemID,
		}); err != nil {
			t.Fatal(err)
		}
	}
	p := account.AddACHParams{OwnerType: "employer", OwnerID: "e1", BankName: "Zyxquist Savings Bank", AccountType: "checking"}
	p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("110000000"), ach.NewAccountNumber("1111222233330009")
	if _, err := b.Client.AddACH(ctx, p); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Client.AddAccount(ctx, account.AddParams{UserID: "u", Name: "Payroll of Zebedee Quux", BankName: "Zyxquist Savings Bank", EmployerID: "e1"}); err != nil {
		t.Fatal(err)
	}
	// A refused call carries numbers too.
	b.Call(b.Client, "POST", "/api/v1/bank-accounts/ach", `{"owner_type":"nobody","routing_number":"110000000","account_number":"1111222233330009"}`)
	b.Call(b.Client, "POST", "/api/v1/bank-accounts/ach", `{"1111222233330009":"110000000","account_number":1111222233330009}`)
	stored["token"] = b.Tokens()
	if len(stored["token"]) < 3 {
		t.Fatalf("only %d tokens were seen", len(stored["token"]))
	}
	b.Stop()
	return b, stored, []string{b.Client.Secret}
}

// search looks for a value in a directory and in the log, as it is and in hex and base64.
func search(t *testing.T, b *banktest.Bank, value string) (where string) {
	t.Helper()
	look := func(name string, text []byte) {
		for _, form := range banktest.Forms(value) {
			if bytes.Contains(text, []byte(form)) {
				where = name
			}
		}
	}
	look("the log", []byte(b.Log()))
	err := filepath.WalkDir(b.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		look(filepath.Base(path), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

// R49, R102-R106: with the daemon stopped, no number, token, secret or name is anywhere in its directories or its log.
func TestNothingIsReadableOnDisk(t *testing.T) {
	b, stored, secrets := plant(t)
	stored["client secret"] = secrets
	searched := 0
	for kind, values := range stored {
		for _, v := range values {
			searched++
			if where := search(t, b, v); where != "" {
				t.Errorf("a %s is readable in %s", kind, where)
			}
		}
	}
	t.Logf("%d values searched for", searched)
}

// The negative control: the same search finds every stored value where a test build leaves sealing out. A client's
// secret is not among them: only its keyed hash is ever stored.
func TestTheSearchFindsWhatIsNotSealed(t *testing.T) {
	out, err := exec.Command("go", "test", "-count=1", "-tags", "bankd_unsealed", "-run", "^TestUnsealedIsReadable$", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
