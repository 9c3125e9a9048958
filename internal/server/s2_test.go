package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/server"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// desk is a company whose employees verify through Plaid, and a client in their context.
type desk struct {
	*banktest.Bank
	t *testing.T
	c *client.Client
}

func newDesk(t *testing.T, opts ...banktest.Option) desk {
	b := banktest.Start(t, opts...)
	if _, err := b.Client.EnableCapability(t.Context(), "c1", employee.VerifyCapability, employee.CapabilityParams{}); err != nil {
		t.Fatal(err)
	}
	return desk{b, t, b.NewClient(tenant.ClientParams{Name: "hr", Role: tenant.Operator, Companies: tenant.Scope{IDs: []string{"c1"}}, ActAsEmployee: true})}
}

// typed are Plaid's published sandbox numbers of the account ending in 0000, unless other ones are given.
func (d desk) add(routing, number, kind string) employee.BankAccount {
	d.t.Helper()
	body := fmt.Sprintf(`{"accountHolderName":"Alberta Bobbeth Charleson","accountNumber":%q,"routingNumber":%q,"accountType":"checking","verificationType":%q}`, number, routing, kind)
	var p employee.AddParams
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		d.t.Fatal(err)
	}
	a, err := d.c.AddEmployeeAccount(d.t.Context(), "c1", "p1", p)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// open mints a hosted link and walks its page as the employee; it gives the ended session.
func (d desk) open(accountID string, how connection.CompleteParams) connection.Session {
	d.t.Helper()
	token, err := d.c.GetEmployeeToken(d.t.Context(), "c1", "p1", accountID, true)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.Walk(token.HostedLinkURL, how); err != nil {
		d.t.Fatal(err)
	}
	s, err := d.c.GetSession(d.t.Context(), token.SessionID, 20*time.Second)
	if err != nil || s.State == connection.Pending {
		d.t.Fatalf("%s %v", s.State, err)
	}
	return s
}

// claim is the request that a frontend makes of Link's onSuccess, for the account with a mask.
func claim(s connection.Session, mask string) employee.LinkParams {
	p := employee.LinkParams{PublicToken: s.PublicToken, AccountID: "none", AccountName: "n", AccountType: "depository", InstitutionID: "none", InstitutionName: "none"}
	for _, a := range s.Accounts {
		if a.Mask == mask {
			p.AccountID, p.AccountName, p.AccountMask, p.AccountType, p.AccountSubtype, p.VerificationStatus = a.ID, a.Name, a.Mask, a.Type, a.Subtype, a.Status()
		}
	}
	if s.Institution != nil {
		p.InstitutionID, p.InstitutionName = s.Institution.ID, s.Institution.Name
	}
	return p
}

func (d desk) link(accountID string, p employee.LinkParams) employee.BankAccount {
	d.t.Helper()
	a, err := d.c.LinkEmployeeAccount(d.t.Context(), "c1", "p1", accountID, p)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d desk) reload(accountID string) employee.BankAccount {
	d.t.Helper()
	a, err := d.c.GetEmployeeAccount(d.t.Context(), "c1", "p1", accountID)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// await reloads an account until a background check has made a condition true; ok is false if none does.
func (d desk) await(accountID string, holds func(employee.BankAccount) bool) (a employee.BankAccount, ok bool) {
	d.t.Helper()
	ok = banktest.Eventually(func() bool {
		a = d.reload(accountID)
		return holds(a)
	})
	return a, ok
}

var first = connection.CompleteParams{InstitutionID: "ins_109508"}

// R152, R118-R151: a new account, verified through Plaid.
func TestScenarioA(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("0114-01533", "1111 2222 3333 0000", "plaid")
	if a.IsVerified || a.VerificationReason != employee.NotStarted || a.VerificationType != employee.ByPlaid || a.AccountLast4 != "0000" {
		t.Fatalf("%+v", a)
	}
	s := d.open(a.AccountID, first)
	if d.reload(a.AccountID).IsVerified { // R165: Link's success is not yet a verified account
		t.Error("verified before the connection was saved")
	}
	d.link(a.AccountID, claim(s, "0000"))
	got := d.reload(a.AccountID)
	if !got.IsVerified || got.VerificationReason != "" || got.Evidence.Comparison != "numbers" || got.Evidence.Strength != "strong" || got.InstitutionName != "First Platypus Bank" {
		t.Errorf("%+v %+v", got, got.Evidence)
	}
	if got.Evidence.NameScore == nil || *got.Evidence.NameScore != 100 {
		t.Error("the name's score is not recorded")
	}
	conns, _, err := d.Client.ListConnections(t.Context(), connection.Query{}, page.Request{})
	if err != nil || len(conns) != 0 {
		t.Errorf("an employee's connection shows on S1's list: %v", err)
	}
}

// R153, R154, R159-R161: the employee leaves, and retries later with the same accountId; picks the wrong account, and
// retries again.
func TestScenarioB(t *testing.T) {
	t.Parallel()
	d := newDesk(t, banktest.Tempo(banktest.Quick))
	a := d.add("011401533", "1111222233331111", "Plaid")
	s := d.open(a.AccountID, connection.CompleteParams{Exit: true})
	if got := d.reload(a.AccountID); s.State != connection.Exited || got.IsVerified || got.VerificationReason != employee.Exited || got.LastSession.Outcome != "exited" {
		t.Fatalf("%s %+v", s.State, got)
	}
	again := d.open(a.AccountID, first) // the same page: an unexpired session of the account
	d.link(a.AccountID, claim(again, "0000"))
	if got := d.reload(a.AccountID); got.IsVerified || got.VerificationReason != employee.NumberMismatch { // A40
		t.Fatalf("the wrong account counts: %+v", got)
	}
	asked := d.Daemon.Simulator().Counts()["/auth/get"]
	update := d.open(a.AccountID, first) // R129
	if update.Mode != "update" {
		t.Errorf("mode %s", update.Mode)
	}
	p := claim(update, "1111") // the session tells the accounts that the Item shares now
	if p.PublicToken != "" || p.AccountID != plaidAccount(again, "1111") {
		t.Errorf("the update session claims %+v", p)
	}
	until(t, func() bool { return d.Daemon.Simulator().Counts()["/auth/get"] >= asked+3 }) // the background looks again and again
	if got := d.reload(a.AccountID); got.IsVerified || got.VerificationReason != employee.NumberMismatch {
		t.Errorf("a verdict without a link call: %+v", got) // A11 of the audit
	}
	d.link(a.AccountID, p) // A36
	if got := d.reload(a.AccountID); !got.IsVerified || got.AccountID != a.AccountID {
		t.Errorf("%+v %+v", got, got.Evidence)
	}
	all, info, err := d.c.ListEmployeeAccounts(t.Context(), employee.Query{CompanyID: "c1", EmployeeID: "p1"}, page.Request{})
	if err != nil || info.Total != 1 || len(all) != 1 {
		t.Errorf("%d accounts %v", info.Total, err)
	}
}

func plaidAccount(s connection.Session, mask string) string { return claim(s, mask).AccountID }

// R155: no Plaid.
func TestScenarioC(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "MANUAL")
	got := d.reload(a.AccountID)
	if got.IsVerified || got.VerificationType != employee.Manual {
		t.Errorf("%+v", got)
	}
	_, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, false)
	wantFault(t, err, fault.Conflict)
	for _, route := range []string{"/link/token/create", "/item/public_token/exchange", "/auth/get"} {
		if d.Daemon.Simulator().Counts()[route] > 0 {
			t.Errorf("Plaid was asked: %s", route)
		}
	}
}

// R156-R158: no token, no Link; retry works.
func TestTokenFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "Plaid")
	faults, _ := plaidsim.ParseFaults("/link/token/create:500:9")
	d.Daemon.Simulator().SetFaults(faults)
	_, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, true)
	if f := wantFault(t, err, fault.PlaidError); !f.Retryable {
		t.Error("not retryable")
	}
	d.Daemon.Simulator().SetFaults(nil)
	if _, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, true); err != nil {
		t.Error(err)
	}
}

// R162-R164, A44: the save fails at each call to Plaid, in each way; the same save again finishes, with one Item.
func TestSaveFails(t *testing.T) {
	t.Parallel()
	for _, route := range []string{"/item/public_token/exchange", "/auth/get", "/accounts/get", "/institutions/get_by_id", "/identity/match"} {
		for _, kind := range []string{"500", "429", "html502", "reset"} {
			t.Run(strings.ReplaceAll(route[1:], "/", "_")+"_"+kind, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				a := d.add("011401533", "1111222233330000", "Plaid")
				p := claim(d.open(a.AccountID, first), "0000")
				faults, err := plaidsim.ParseFaults(route + ":" + kind + ":20")
				if err != nil {
					t.Fatal(err)
				}
				d.Daemon.Simulator().SetFaults(faults)
				saved, err := d.c.LinkEmployeeAccount(t.Context(), "c1", "p1", a.AccountID, p)
				if got := d.reload(a.AccountID); err != nil && got.IsVerified || got.IsVerified != (err == nil && saved.IsVerified) {
					t.Fatalf("a failed save counts as verified: %+v", got)
				}
				d.Daemon.Simulator().SetFaults(nil)
				d.link(a.AccountID, p)
				if got, ok := d.await(a.AccountID, func(a employee.BankAccount) bool { return a.IsVerified }); !ok {
					t.Errorf("%s: %s", got.VerificationReason, got.VerificationMessage)
				}
				if n := d.Daemon.Simulator().Counts()["items"]; n != 1 {
					t.Errorf("%d Items", n)
				}
			})
		}
	}
}

// A39: a bank that hands out aliases, under each policy; never verified without one that says so.
func TestAliases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy   employee.Policy
		number   string
		verified bool
		reason   employee.Reason
		compared string
	}{
		{employee.PolicyMask, "1111222233330000", true, "", "mask"},
		{employee.PolicyMask, "1111222233330001", false, employee.TokenizedMaskMismatch, ""},
		{employee.PolicyStrict, "1111222233330000", false, employee.TokenizedStrict, ""},
		{employee.PolicyAdopt, "1111222233330000", true, "", "adopted"},
	} {
		t.Run(string(c.policy)+"_"+c.number[12:], func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			if _, err := d.Client.EnableCapability(t.Context(), "c1", employee.VerifyCapability, employee.CapabilityParams{TokenizedPolicy: c.policy}); err != nil {
				t.Fatal(err)
			}
			a := d.add("021000021", c.number, "Plaid")
			s := d.open(a.AccountID, connection.CompleteParams{InstitutionID: "ins_56"})
			got := d.link(a.AccountID, claim(s, "0000"))
			if got.IsVerified != c.verified || got.VerificationReason != c.reason || c.compared != "" && got.Evidence.Comparison != c.compared {
				t.Errorf("%v %s %+v", got.IsVerified, got.VerificationReason, got.Evidence)
			}
			if c.verified && (got.Evidence.Strength == "strong" || !got.Evidence.Tokenized) {
				t.Errorf("an alias counts as strong evidence: %+v", got.Evidence)
			}
		})
	}
}

// A41, R116: without the capability no verification begins, and verified accounts stay so.
func TestCapability(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "Plaid")
	d.link(a.AccountID, claim(d.open(a.AccountID, first), "0000"))
	if _, err := d.Client.DisableCapability(t.Context(), "c1", employee.VerifyCapability); err != nil {
		t.Fatal(err)
	}
	_, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, false)
	wantFault(t, err, fault.CapabilityDisabled)
	status, reply := d.Call(d.c, "POST", "/companies/c1/employees/p1/bankaccounts",
		`{"accountHolderName":"A B","accountNumber":"1111222233331111","routingNumber":"011401533","accountType":"Savings","verificationType":3}`)
	if status != 403 || dig(reply, "error.code") != "capability_disabled" {
		t.Errorf("%d %v", status, reply)
	}
	if !d.reload(a.AccountID).IsVerified {
		t.Error("a verified account is not any more")
	}
}

// A35: an unexpired session of the same account and kind is handed out again; another kind is not.
func TestTokensAreReused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "Plaid")
	get := func(hosted bool) employee.TokenReply {
		t.Helper()
		tok, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, hosted)
		if err != nil || tok.LinkToken == "" || (tok.HostedLinkURL != "") != hosted {
			t.Fatalf("%+v %v", tok, err)
		}
		return tok
	}
	if one, two := get(true), get(true); one.SessionID != two.SessionID {
		t.Error("two hosted pages")
	}
	if one, two := get(false), get(true); one.SessionID == two.SessionID {
		t.Error("another kind's session")
	}
	if n := d.Daemon.Simulator().Counts()["/link/token/create"]; n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// Later events move the state by asking, with an audit line: revocation, a deposit that comes through or lapses.
func TestLaterEvents(t *testing.T) {
	t.Parallel()
	t.Run("revoked", func(t *testing.T) {
		d := newDesk(t)
		a := d.add("011401533", "1111222233330000", "Plaid")
		d.link(a.AccountID, claim(d.open(a.AccountID, first), "0000"))
		for _, token := range d.Tokens() {
			d.AskPlaid("/sandbox/item/reset_login", fmt.Sprintf(`{"access_token":%q}`, token))
		}
		got, ok := d.await(a.AccountID, func(a employee.BankAccount) bool {
			return a.LastCheck != nil && a.LastCheck.Reason == employee.RelinkRequired
		})
		if !ok || !got.IsVerified { // A42
			t.Errorf("%+v", got)
		}
	})
	for status, want := range map[string]employee.Reason{"automatically_verified": "", "verification_expired": employee.DepositExpired} {
		t.Run(status, func(t *testing.T) {
			d := newDesk(t)
			a := d.add("021000021", "1111222233330000", "Plaid")
			s := d.open(a.AccountID, connection.CompleteParams{InstitutionID: "ins_109512", Password: "microdeposits_good", Masks: []string{"0000"}})
			d.link(a.AccountID, claim(s, "0000"))
			if got := d.reload(a.AccountID); got.IsVerified || got.VerificationReason != employee.DepositPending {
				t.Fatalf("%+v", got)
			}
			for _, token := range d.Tokens() {
				d.AskPlaid("/sandbox/item/set_verification_status", fmt.Sprintf(`{"access_token":%q,"account_id":%q,"verification_status":%q}`, token, plaidAccount(s, "0000"), status))
			}
			got, ok := d.await(a.AccountID, func(a employee.BankAccount) bool { return a.VerificationReason != employee.DepositPending })
			if !ok || got.IsVerified != (want == "") || got.VerificationReason != want {
				t.Errorf("%v %s", got.IsVerified, got.VerificationReason)
			}
		})
	}
}

// The API answers the calls of S2 as its table prints them, in the order of its scenarios (R112, A33).
func TestTheDocumentsRoutes(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, l := range server.Table() {
		have[l.Method+" "+l.Path] = true
	}
	text, err := os.ReadFile("../../../shared/reference/employee-verification.txt")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("LOUD: the second reference document is not beside this checkout, so the routes are not held against it")
	}
	if err != nil {
		t.Fatal(err)
	}
	// The document's lines run together, so a path ends where no further segment follows.
	printed := regexp.MustCompile(`(GET|POST) (/companies(?:/(?:\{\w+\}|[a-z]+))+)`).FindAllStringSubmatch(string(text), -1)
	seen := map[string]bool{}
	for _, m := range printed {
		call := m[1] + " " + m[2]
		seen[call] = true
		if !have[call] || !have[m[1]+" /api/v1"+m[2]] {
			t.Errorf("%s is printed and not served under both paths", call)
		}
	}
	if len(seen) < 4 {
		t.Errorf("found %d routes in the document: its form has changed", len(seen))
	}
}

// Two sessions of one account that are saved at once leave one link and one Item at Plaid, in either order.
func TestTwoSessionsAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 {
		d := newDesk(t)
		a := d.add("011401533", "1111222233330000", "Plaid")
		var wg sync.WaitGroup
		for _, mask := range []string{"0000", "1111"} {
			token := d.PublicToken("ins_109508")
			wg.Go(func() {
				// The widget would know the account's id; here it comes out of Plaid's answer, by its mask.
				p := employee.LinkParams{PublicToken: token, AccountID: "chosen-" + mask, AccountName: "n", AccountType: "depository", InstitutionID: "ins_109508", InstitutionName: "b"}
				if _, err := d.c.LinkEmployeeAccount(t.Context(), "c1", "p1", a.AccountID, p); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) { // the made-up id is no account of the Item
					t.Error(err)
				}
			})
		}
		wg.Wait()
		count := func(action string) int {
			lines, err := d.Client.ListAudit(t.Context(), trail.Query{Action: action, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			return len(lines)
		}
		until(t, func() bool { return count("connection.add")-count("connection.remove") == 1 })
		got := d.reload(a.AccountID)
		if got.IsVerified || got.PlaidItemID == "" {
			t.Errorf("%+v", got)
		}
	}
}
