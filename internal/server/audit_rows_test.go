package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// The tests of this file are named after the rows of the audit of 2026-11-25: what a caller reached, proved or linked
// that was not theirs, and where the two documents did not hold to the letter.

func only(ids ...string) tenant.Scope { return tenant.Scope{IDs: ids} }

// finished opens a hosted session and signs in, without exchanging its token.
func finished(t *testing.T, c *client.Client, p connection.LinkParams, how connection.CompleteParams) connection.Session {
	t.Helper()
	p.HostedLink = true
	if p.UserID == "" {
		p.UserID = "u"
	}
	link, err := c.StartLink(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.CompleteSession(t.Context(), link.SessionID, how)
	if err != nil || s.State != connection.Succeeded {
		t.Fatalf("%s %v", s.State, err)
	}
	return s
}

var platypus = connection.CompleteParams{InstitutionID: "ins_109508"}

// A1: whoever may not mint a link sees neither its page nor its token, and does not finish it.
func TestRowA1(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	link, err := b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e1", CarrierID: "c1", HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client.Client{
		"viewer":       b.NewClient(tenant.ClientParams{Name: "v", Role: tenant.Viewer, Employers: only("e1"), Carriers: only("c1")}),
		"half_in":      b.NewClient(tenant.ClientParams{Name: "h", Role: tenant.Operator, Employers: only("e1")}),
		"support_desk": b.NewClient(tenant.ClientParams{Name: "s", Role: tenant.Support, Employers: only("e1"), Carriers: only("c1")}),
	} {
		s, err := c.GetSession(t.Context(), link.SessionID, 0)
		if err != nil || s.HostedLinkURL != "" || s.PublicToken != "" {
			t.Errorf("%s reads %q, %v", name, s.HostedLinkURL, err)
		}
		if _, err := c.CompleteSession(t.Context(), link.SessionID, platypus); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s finishes the session: %v", name, err)
		}
	}
	whole := b.NewClient(tenant.ClientParams{Name: "o", Role: tenant.Operator, Employers: only("e1"), Carriers: only("c1")})
	if s, err := whole.GetSession(t.Context(), link.SessionID, 0); err != nil || s.HostedLinkURL == "" {
		t.Errorf("an operator of both owners does not see the page: %v", err)
	}
}

// A3: of several sessions of one bank and owner exchanged at once, one makes an Item.
func TestRowA3(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	var sessions []connection.Session
	for range 6 {
		sessions = append(sessions, finished(t, b.Client, connection.LinkParams{EmployerID: "e1"}, platypus))
	}
	var made, duplicates atomic.Int64
	var wg sync.WaitGroup
	for _, s := range sessions {
		wg.Go(func() {
			_, err := b.Client.Exchange(t.Context(), connection.ExchangeParams{PublicToken: s.PublicToken, UserID: "u", EmployerID: "e1"})
			switch {
			case err == nil:
				made.Add(1)
			case fault.Is(err, fault.Duplicate) && fault.As(err).ID != "":
				duplicates.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 || duplicates.Load() != 5 {
		t.Errorf("%d made, %d refused as duplicates; want 1 and 5", made.Load(), duplicates.Load())
	}
}

// A4: a session's owner and tenant are its exchange's. An exchange that makes a connection is 201, its replay 200.
func TestRowA4(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	s := finished(t, b.Client, connection.LinkParams{EmployerID: "e1"}, platypus)
	body := func(owner string) string {
		return fmt.Sprintf(`{"public_token":%q,"user_id":"u"%s}`, s.PublicToken, owner)
	}
	theirs := b.NewClientOf("theirs", tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	narrow := b.NewClient(tenant.ClientParams{Name: "n", Role: tenant.Operator, Employers: only("e2")})
	for _, c := range []struct {
		name string
		who  *client.Client
		body string
		want int
	}{
		{"another_owner", b.Client, body(`,"employer_id":"e2"`), 409},
		{"a_carrier_beside", b.Client, body(`,"employer_id":"e1","carrier_id":"c1"`), 409},
		{"another_tenant", theirs, body(`,"employer_id":"e1"`), 422},
		{"a_client_that_does_not_see_it", narrow, body(`,"employer_id":"e2"`), 422},
		{"its_owner", b.Client, body(`,"employer_id":"e1"`), 201},
		{"again", b.Client, body(`,"employer_id":"e1"`), 200},
		{"again_without_owner", b.Client, body(""), 200},
		{"again_for_another_owner", b.Client, body(`,"employer_id":"e2"`), 409},
		{"again_by_another_tenant", theirs, body(`,"employer_id":"e1"`), 422},
		{"again_unseen", narrow, body(`,"employer_id":"e2"`), 422},
	} {
		if status, reply := b.Call(c.who, "POST", "/api/v1/plaid/exchange", c.body); status != c.want {
			t.Errorf("%s: %d, want %d: %v", c.name, status, c.want, reply["error"])
		}
	}
}

// A5: nobody grants or ends more than they are; an import names no id out of scope.
func TestRowA5(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	narrow := b.NewClient(tenant.ClientParams{Name: "n", Role: tenant.Admin, Employers: only("e2")})
	for name, p := range map[string]tenant.ClientParams{
		"everything":   {Name: "x", Role: tenant.Admin, Employers: tenant.Everything},
		"another":      {Name: "x", Role: tenant.Viewer, Employers: only("e1")},
		"company":      {Name: "x", Role: tenant.Viewer, Companies: only("c")},
		"acting":       {Name: "x", Role: tenant.Operator, Employers: only("e2"), ActAsEmployee: true},
		"one_employee": {Name: "x", Role: tenant.Operator, BindCompany: "c", BindEmployee: "p"},
	} {
		if _, err := narrow.AddClient(t.Context(), p); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s was granted: %v", name, err)
		}
	}
	if _, err := narrow.AddClient(t.Context(), tenant.ClientParams{Name: "x", Role: tenant.Operator, Employers: only("e2")}); err != nil {
		t.Errorf("its own scope was not granted: %v", err)
	}
	if _, err := narrow.RevokeClient(t.Context(), b.Client.ClientID); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a wider client was revoked: %v", err)
	}
	if _, err := narrow.RotateClient(t.Context(), b.Client.ClientID, tenant.RotateParams{}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a wider client's secret was minted: %v", err)
	}
}

// A6: the making of a tenant stands in a chain that its owner reads and verifies.
func TestRowA6(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	made, err := b.Owner().AddTenant(t.Context(), tenant.AddParams{Name: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	owner := b.Owner()
	owner.Tenant = "acme"
	rows, err := owner.ListAudit(t.Context(), trail.Query{Action: "tenant.add"})
	if err != nil || len(rows) != 1 || rows[0].Object != "tenant:"+made.ID {
		t.Errorf("%+v %v", rows, err)
	}
	if r, err := owner.VerifyAudit(t.Context()); err != nil || !r.Intact || r.Records < 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// A9: a linked bank account that was deleted stays deleted, through syncs; choosing it anew in Link brings it back.
func TestRowA9(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	gone := conn.Accounts[0]
	if _, err := b.Client.DeleteAccount(t.Context(), gone.ID, false); err != nil {
		t.Fatal(err)
	}
	shown := func() bool {
		t.Helper()
		if _, err := b.Client.SyncAccounts(t.Context(), connection.ItemParams{ItemID: conn.ItemID}); err != nil {
			t.Fatal(err)
		}
		all, _, err := b.Client.ListAccounts(t.Context(), account.Query{ConnectionID: conn.ID}, page.Request{Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.PlaidAccountID == gone.PlaidAccountID {
				return true
			}
		}
		return false
	}
	for range 2 {
		if shown() {
			t.Fatal("a sync brought it back")
		}
	}
	for _, choose := range []bool{false, true} {
		link, err := b.Client.UpdateLink(t.Context(), connection.UpdateLinkParams{UserID: "u", ItemID: conn.ItemID, HostedLink: true, Accounts: choose})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client.CompleteSession(t.Context(), link.SessionID, platypus); err != nil {
			t.Fatal(err)
		}
		if choose {
			until(t, shown)
		} else if shown() {
			t.Error("signing in again brought it back")
		}
	}
}

// A10, A12: a wrong accountId uses nothing up, and the same token with another one is judged.
func TestRowA10(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "Plaid")
	s := d.open(a.AccountID, first)
	save := func(plaidID string) (employee.BankAccount, error) {
		p := claim(s, "0000")
		p.AccountID = plaidID
		return d.c.LinkEmployeeAccount(t.Context(), "c1", "p1", a.AccountID, p)
	}
	for _, wrong := range []string{a.AccountID, "nope"} {
		if _, err := save(wrong); !fault.Is(err, fault.Invalid) || fault.As(err).Fields["accountId"] == "" {
			t.Errorf("%v", err)
		}
	}
	if got := d.reload(a.AccountID); got.VerificationReason != employee.LinkNotSaved || got.IsVerified { // A17
		t.Errorf("before it is saved: %s", got.VerificationReason)
	}
	if got, err := save(plaidAccount(s, "1111")); err != nil || got.IsVerified || got.VerificationReason != employee.NumberMismatch {
		t.Errorf("another account: %s %v", got.VerificationReason, err)
	}
	if got, err := save(plaidAccount(s, "0000")); err != nil || !got.IsVerified {
		t.Errorf("the right one with the same token: %s %v", got.VerificationReason, err)
	}
}

// A13: an account whose deposit is on its way becomes a pending ACH account; its numbers come when the deposit is proven.
func TestRowA13(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "md"}, connection.CompleteParams{InstitutionID: "ins_109512", Password: "microdeposits_good", Masks: []string{"0000"}})
	p := account.FromPlaidParams{OwnerType: "employer", OwnerID: "md", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID}
	a, err := b.Client.AddACHFromPlaid(t.Context(), p)
	if err != nil || a.Status != account.PendingVerification || a.AccountLast4 != "0000" {
		t.Fatalf("%+v %v", a, err)
	}
	if _, err := b.Client.AddACHFromPlaid(t.Context(), p); !fault.Is(err, fault.Duplicate) {
		t.Errorf("a second one: %v", err)
	}
	body := fmt.Sprintf(`{"client_id":"simulated","secret":"simulated","access_token":%q,"account_id":%q,"verification_status":"automatically_verified"}`,
		b.Tokens()[0], p.PlaidAccountID)
	for _, token := range b.Tokens() {
		if strings.HasPrefix(token, "access-") {
			body = fmt.Sprintf(`{"client_id":"simulated","secret":"simulated","access_token":%q,"account_id":%q,"verification_status":"automatically_verified"}`, token, p.PlaidAccountID)
		}
	}
	b.AskPlaid("/sandbox/item/set_verification_status", body)
	until(t, func() bool {
		got, err := b.Client.GetACH(t.Context(), a.ID)
		return err == nil && got.Status == account.Verified && got.RoutingLast4 != ""
	})
}

// A14: no account number passes as a name; blanks and nulls are refused.
func TestRowA14(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	p := account.AddACHParams{OwnerType: "employer", OwnerID: "e1", BankName: "b", AccountType: "checking"}
	p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("0210-0002 1"), ach.NewAccountNumber("1111 2222-3333 0000") // as people type
	h, err := b.Client.AddACH(t.Context(), p)
	if err != nil || h.AccountLast4 != "0000" {
		t.Fatal(h, err)
	}
	a, err := b.Client.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e1"})
	if err != nil {
		t.Fatal(err)
	}
	numbers := `"routing_number":"021000021","account_number":"1111222233331111"`
	for _, c := range []struct{ method, path, body, field string }{
		{"PATCH", "/bank-accounts/ach/" + h.ID, `{"nickname":"pay 1111-2222 3333.0000"}`, "nickname"},
		{"PATCH", "/bank-accounts/ach/" + h.ID, `{"nickname":null}`, "nickname"},
		{"PATCH", "/bank-accounts/ach/" + h.ID, `{"nickname":"  "}`, "nickname"},
		{"POST", "/bank-accounts/ach", `{"owner_type":"employer","owner_id":"e1",` + numbers + `,"bank_name":"b 1111222233331111","account_type":"checking"}`, "bank_name"},
		{"POST", "/bank-accounts/ach", `{"owner_type":"employer","owner_id":"e1",` + numbers + `,"bank_name":"\t ","account_type":"checking"}`, "bank_name"},
		{"PATCH", "/bank-accounts/" + a.ID, `{"name":null}`, "name"},
		{"PATCH", "/bank-accounts/" + a.ID, `{"name":"   "}`, "name"},
		{"POST", "/bank-accounts", `{"user_id":" ","name":"n","bank_name":"b","employer_id":"e1"}`, "user_id"},
		{"POST", "/plaid/exchange", `{"public_token":"  ","user_id":"u"}`, "public_token"},
	} {
		status, reply := b.Call(b.Client, c.method, "/api/v1"+c.path, c.body)
		if fields, _ := dig(reply, "error.fields").(map[string]any); status != 422 || fields[c.field] == nil {
			t.Errorf("%s %s: %d %v", c.path, c.field, status, reply["error"])
		}
	}
}

// A15: an account of employer and carrier is primary for each by itself, and an inactive one never is.
func TestRowA15(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	yes := true
	add := func(employer, carrier string) account.Account {
		t.Helper()
		a, err := b.Client.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: employer, CarrierID: carrier, Primary: &yes})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	primary := func(q account.Query) string {
		t.Helper()
		q.Primary = &yes
		all, _, err := b.Client.ListAccounts(t.Context(), q, page.Request{})
		if err != nil || len(all) > 1 {
			t.Fatalf("%d primaries %v", len(all), err)
		}
		if len(all) == 0 {
			return ""
		}
		return all[0].ID
	}
	both := add("e1", "c1")
	single := add("e1", "")
	if got := primary(account.Query{EmployerID: "e1"}); got != single.ID {
		t.Errorf("the employer's primary is %s", got)
	}
	if got := primary(account.Query{CarrierID: "c1"}); got != both.ID {
		t.Errorf("the carrier was left with %q", got)
	}
	if _, err := b.Client.SetDefaultAccount(t.Context(), both.ID); err != nil {
		t.Fatal(err)
	}
	if e, c := primary(account.Query{EmployerID: "e1"}), primary(account.Query{CarrierID: "c1"}); e != both.ID || c != both.ID {
		t.Errorf("made primary again: %s and %s", e, c)
	}
	conn := b.Link("e9")
	if _, err := b.Client.SetDefaultAccount(t.Context(), conn.Accounts[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Client.RemoveConnection(t.Context(), conn.ID, connection.RemoveParams{}); err != nil {
		t.Fatal(err)
	}
	if got := primary(account.Query{EmployerID: "e9"}); got != "" {
		t.Errorf("an account of a removed connection is primary")
	}
}

// A16: the same account sent again with verificationType Plaid turns a Manual one, which keeps its id.
func TestRowA16(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233330000", "Manual")
	if _, err := d.c.GetEmployeeToken(t.Context(), "c1", "p1", a.AccountID, false); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.As(err).Hint, "again") {
		t.Errorf("%v", err)
	}
	turned := d.add("011401533", "1111222233330000", "Plaid")
	if turned.AccountID != a.AccountID || turned.VerificationType != employee.ByPlaid {
		t.Errorf("%+v", turned)
	}
	s := d.open(a.AccountID, first)
	d.link(a.AccountID, claim(s, "0000"))
	if !d.reload(a.AccountID).IsVerified {
		t.Error("it is not verified")
	}
}

// A19: wrong secrets are slowed down after ten in a minute and counted once a minute; another client goes on.
func TestRowA19(t *testing.T) {
	t.Parallel()
	var passed atomic.Int64
	b := banktest.Start(t, banktest.Clock(func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }))
	wrong := client.New(b.Config.Socket)
	t.Cleanup(wrong.Close)
	wrong.ClientID, wrong.Secret = b.Client.ClientID, "bankd_test_sec_"+strings.Repeat("a", 32)
	counts := map[int]int{}
	for range 50 {
		resp, err := wrong.Raw(t.Context(), "GET", "/api/v1/bank-accounts", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		counts[resp.StatusCode]++
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if counts[401] != 10 || counts[429] != 40 {
		t.Errorf("%v, want ten 401 and the rest 429", counts)
	}
	passed.Add(int64(61 * time.Second))
	rows, err := b.Client.ListAudit(t.Context(), trail.Query{Action: "client.refuse"})
	if err != nil || len(rows) != 1 {
		t.Errorf("%d records %v, want one of the minute", len(rows), err)
	}
	if err := b.Daemon.Bank().KeepRefusals(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	rows, _ = b.Client.ListAudit(t.Context(), trail.Query{Action: "client.refuse"})
	if len(rows) != 2 || rows[0].Details["calls"] != "49" {
		t.Errorf("%+v", rows)
	}
}

// A20: one operator's junk uses up its own quota, not the installation's.
func TestRowA20(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	operator := b.NewClient(tenant.ClientParams{Name: "junk", Role: tenant.Operator, Employers: only("e1")})
	refused := 0
	for i := range 400 {
		_, err := operator.Exchange(t.Context(), connection.ExchangeParams{PublicToken: fmt.Sprintf("public-sandbox-junk-%d", i), UserID: "u", EmployerID: "e1"})
		if fault.Is(err, fault.RateLimited) && fault.As(err).RetryAfter > 0 {
			refused++
		}
	}
	if refused < 200 {
		t.Errorf("%d of 400 were refused", refused)
	}
	b.Link("e2") // others go on
}

// A21: a flood of refusals costs one audit record a minute.
func TestRowA21(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	viewer := b.NewClient(tenant.ClientParams{Name: "v", Role: tenant.Viewer, Employers: only("e1")})
	for range 500 {
		if _, err := viewer.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e1"}); !fault.Is(err, fault.Forbidden) {
			t.Fatal(err)
		}
	}
	if err := b.Daemon.Bank().KeepRefusals(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	rows, err := b.Client.ListAudit(t.Context(), trail.Query{Action: "call.refuse", Limit: 1000})
	if err != nil || len(rows) > 3 || rows[0].Details["calls"] == "" {
		t.Errorf("%d records %v", len(rows), err)
	}
}

// An administrator's attestation stands while the background goes on looking: it brings nothing that was not known.
func TestAttestationStands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	a := d.add("011401533", "1111222233331111", "Plaid")
	s := d.open(a.AccountID, first)
	if got := d.link(a.AccountID, claim(s, "0000")); got.VerificationReason != employee.NumberMismatch {
		t.Fatal(got.VerificationReason)
	}
	if _, err := d.Client.AttestEmployeeAccount(t.Context(), "c1", "p1", a.AccountID, employee.AttestParams{Reason: "voided check"}); err != nil {
		t.Fatal(err)
	}
	asked := d.Daemon.Simulator().Counts()["/auth/get"]
	until(t, func() bool { return d.Daemon.Simulator().Counts()["/auth/get"] >= asked+2 })
	if got := d.reload(a.AccountID); !got.IsVerified {
		t.Errorf("the background took it back: %s", got.VerificationReason)
	}
}

// Holes that a hostile reading of the rule of authority found.
func TestAuthorityHoles(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	yes := true
	conn := b.LinkAt(connection.LinkParams{UserID: "u"}, platypus) // of nobody
	p := account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID, IsPrimary: &yes}
	a, err := b.Client.AddACHFromPlaid(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("deleting_unseen_accounts", func(t *testing.T) {
		carriers := b.NewClient(tenant.ClientParams{Name: "c", Role: tenant.Operator, Carriers: tenant.Everything})
		if _, err := carriers.RemoveConnection(t.Context(), conn.ID, connection.RemoveParams{ACH: connection.DeleteACH}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%v", err)
		}
		if _, err := b.Client.GetACH(t.Context(), a.ID); err != nil {
			t.Errorf("it is gone: %v", err)
		}
	})
	t.Run("a_deposit_page_of_an_unseen_connection", func(t *testing.T) {
		md := b.LinkAt(connection.LinkParams{UserID: "md"}, connection.CompleteParams{InstitutionID: "ins_109512", Password: "microdeposits_good", Masks: []string{"0000"}})
		h, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{OwnerType: "employer", OwnerID: "e7", PlaidAccountID: md.Accounts[0].PlaidAccountID, PlaidItemID: md.ItemID})
		if err != nil {
			t.Fatal(err)
		}
		narrow := b.NewClient(tenant.ClientParams{Name: "e7", Role: tenant.Admin, Employers: only("e7")})
		if r, err := narrow.VerifyACH(t.Context(), h.ID, account.VerifyACHParams{Method: account.MicroDeposit}); err == nil {
			t.Errorf("it got a page: %v", r.Page != nil)
		}
		if _, err := narrow.VerifyACH(t.Context(), h.ID, account.VerifyACHParams{Method: "attest", Reason: "r"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an account without numbers was attested: %v", err)
		}
	})
	t.Run("a_verdict_for_another_holder", func(t *testing.T) {
		d := newDesk(t)
		m := d.add("011401533", "1111222233330000", "Manual")
		if _, err := d.Client.AttestEmployeeAccount(t.Context(), "c1", "p1", m.AccountID, employee.AttestParams{Reason: "letter"}); err != nil {
			t.Fatal(err)
		}
		status, _ := d.Call(d.c, "POST", "/companies/c1/employees/p1/bankaccounts",
			`{"accountHolderName":"Mallory Other","accountNumber":"1111222233330000","routingNumber":"011401533","accountType":"checking","verificationType":"Plaid"}`)
		if got := d.reload(m.AccountID); status != 409 || got.AccountHolderName != "Alberta Bobbeth Charleson" {
			t.Errorf("%d %s", status, got.AccountHolderName)
		}
	})
	t.Run("null_is_no_body", func(t *testing.T) {
		if status, _ := b.Call(b.Client, "POST", "/api/v1/plaid/link-token", "null"); status != 400 {
			t.Errorf("%d", status)
		}
	})
	t.Run("a_removed_connection_blocks_nothing", func(t *testing.T) {
		faults, err := plaidsim.ParseFaults("/accounts/get:500:3")
		if err != nil {
			t.Fatal(err)
		}
		s := finished(t, b.Client, connection.LinkParams{EmployerID: "e8"}, platypus)
		b.Daemon.Simulator().SetFaults(faults)
		_, _ = b.Client.Exchange(t.Context(), connection.ExchangeParams{PublicToken: s.PublicToken, UserID: "u", EmployerID: "e8"})
		all, _, err := b.Client.ListConnections(t.Context(), connection.Query{EmployerID: "e8"}, page.Request{})
		if err != nil || len(all) != 1 {
			t.Fatal(len(all), err)
		}
		if _, err := b.Client.RemoveConnection(t.Context(), all[0].ID, connection.RemoveParams{}); err != nil {
			t.Fatal(err)
		}
		b.Daemon.Simulator().SetFaults(nil)
		again := finished(t, b.Client, connection.LinkParams{EmployerID: "e8"}, platypus)
		if _, err := b.Client.Exchange(t.Context(), connection.ExchangeParams{PublicToken: again.PublicToken, UserID: "u", EmployerID: "e8"}); err != nil {
			t.Errorf("linking again: %v", err)
		}
	})
}

// A18: numbers that Plaid gives again heal the connection that had none, so that each use of them is served.
func TestRowA18(t *testing.T) {
	t.Parallel()
	tempo := banktest.Quick
	tempo.Look, tempo.SessionIdle = time.Hour, time.Hour // the background does not find out by itself
	b := banktest.Start(t, banktest.Tempo(tempo))
	conn := b.Link("e1")
	if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "no_auth_accounts", Item: conn.ItemID}); err != nil {
		t.Fatal(err)
	}
	p := account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID}
	if _, err := b.Client.AddACHFromPlaid(t.Context(), p); err == nil {
		t.Fatal("numbers were given")
	}
	status := func() string {
		got, err := b.Client.GetConnection(t.Context(), conn.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Status
	}
	if got := status(); got != connection.Failed {
		t.Fatalf("status %s", got)
	}
	link, err := b.Client.UpdateLink(t.Context(), connection.UpdateLinkParams{UserID: "u", ItemID: conn.ItemID, HostedLink: true, Accounts: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Walk(link.HostedLinkURL, platypus); err != nil {
		t.Fatal(err)
	}
	a, err := b.Client.AddACHFromPlaid(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(); got != connection.Active {
		t.Errorf("from-plaid was served, and the connection is %s", got)
	}
	if r, err := b.Client.VerifyACH(t.Context(), a.ID, account.VerifyACHParams{}); err != nil || r.ACH.Status != account.Verified {
		t.Errorf("%+v %v", r.ACH, err)
	}
}
