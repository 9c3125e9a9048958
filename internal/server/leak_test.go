package server_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/secret"
)

// planted holds the values that must be nowhere on disk, by their kind.
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
	plantLife(t, b, conn)
	for _, token := range b.Tokens() {
		if strings.HasPrefix(token, "processor-") { // shown once, and never stored at all
			secrets = append(secrets, token)
		} else {
			stored["token"] = append(stored["token"], token)
		}
	}
	if len(stored["token"]) < 3 {
		t.Fatalf("only %d tokens were seen", len(stored["token"]))
	}
	b.Stop()
	return b, stored, append(secrets, b.Client.Secret)
}

// plantLife brings in the secrets of a connection's life: swapped and imported tokens, a processor's, a webhook's link
// token, numbers typed into Plaid's page.
func plantLife(t *testing.T, b *banktest.Bank, conn connection.Connection) {
	t.Helper()
	ctx := t.Context()
	all, _, err := b.Client.ListACH(ctx, account.ACHQuery{ConnectionType: account.Plaid}, page.Request{})
	if err != nil || len(all) == 0 {
		t.Fatal(err)
	}
	for range 2 { // the second time it is replayed, without the token
		if status, _ := b.Call(b.Client, "POST", "/api/v1/bank-accounts/ach/"+all[0].ID+"/processor-token", `{"processor":"dwolla"}`, "Idempotency-Key", "once"); status != 201 {
			t.Fatalf("processor token: %d", status)
		}
	}
	if _, err := b.Client.RotateToken(ctx, conn.ID); err != nil {
		t.Fatal(err)
	}
	reply := b.AskPlaid("/item/public_token/exchange", fmt.Sprintf(`{"public_token":%q}`, b.PublicToken("ins_109508")))
	token, _ := reply["access_token"].(string)
	if _, err := b.Client.ImportConnection(ctx, connection.ImportParams{AccessToken: secret.New(token), UserID: "u", EmployerID: "e1"}); err != nil {
		t.Fatal(err)
	}
	b.Call(b.Client, "POST", "/api/v1/plaid/import", fmt.Sprintf(`{"access_token":%q,"user_id":7}`, token)) // refused, with a token in it
	manual, _, err := b.Client.ListACH(ctx, account.ACHQuery{ConnectionType: account.Manual}, page.Request{})
	if err != nil || len(manual) == 0 {
		t.Fatal(err)
	}
	v, err := b.Client.VerifyACH(ctx, manual[0].ID, account.VerifyACHParams{Method: account.MicroDeposit})
	if err == nil {
		_, err = b.Client.CompleteSession(ctx, v.Page.SessionID, connection.CompleteParams{})
	}
	if err != nil {
		t.Fatal(err)
	}
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
	t.Parallel()
	b, stored, secrets := plant(t)
	stored["secret that is not stored"] = secrets
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
	t.Parallel()
	if os.Getenv("BANKD_CONTROLS") == "" {
		t.Skip("compiles an unsealed bankd: make controls")
	}
	out, err := exec.Command("go", "test", "-count=1", "-tags", "bankd_unsealed", "-run", "^TestUnsealedIsReadable$", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
