package server_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

func wantFault(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("got %v, want %s", err, code)
	}
	return fault.As(err)
}

// A16: the same public token again gives the first result, also under another Idempotency-Key, also all at once.
func TestExchangeIsReplaySafe(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	p := connection.ExchangeParams{PublicToken: b.PublicToken("ins_109508"), UserID: "u", EmployerID: "e1"}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			e, err := b.Client.Exchange(t.Context(), p)
			if err != nil {
				t.Error(err)
			}
			ids[i] = e.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("several results: %v", ids)
		}
	}
	if n := b.Daemon.Simulator().Counts()["/item/public_token/exchange"]; n != 1 {
		t.Errorf("Plaid was asked %d times", n)
	}
	// A token that Plaid does not know is the caller's mistake, and nothing is kept of it.
	p.PublicToken = "public-sandbox-00000000-0000-0000-0000-000000000000"
	for range 2 {
		_, err := b.Client.Exchange(t.Context(), p)
		if f := wantFault(t, err, fault.Invalid); f.Fields["public_token"] == "" || f.Plaid == nil {
			t.Errorf("got %+v", f)
		}
	}
	if _, info, _ := b.Client.ListConnections(t.Context(), connection.Query{}, page.Request{}); info.Total != 1 {
		t.Errorf("%d connections", info.Total)
	}
}

// The duplicate guard works before the exchange: nothing is made at Plaid.
func TestDuplicatesAreRefusedBeforeTheExchange(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	first := b.Link("e1")
	before := b.Daemon.Simulator().Counts()["/item/public_token/exchange"]
	link, err := b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e1", HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	if err != nil || s.PublicToken == "" {
		t.Fatalf("%+v %v", s, err)
	}
	p := connection.ExchangeParams{PublicToken: s.PublicToken, UserID: "u", EmployerID: "e1"}
	_, err = b.Client.Exchange(t.Context(), p)
	if f := wantFault(t, err, fault.Duplicate); f.ID != first.ID {
		t.Errorf("names %s, held by %s", f.ID, first.ID)
	}
	if n := b.Daemon.Simulator().Counts()["/item/public_token/exchange"]; n != before {
		t.Error("Plaid was asked")
	}
	// Another owner may link the same bank, and allow_duplicate overrides.
	other := b.Link("e2")
	p.AllowDuplicate = true
	again, err := b.Client.Exchange(t.Context(), p)
	if err != nil || again.ID == first.ID || other.ID == first.ID {
		t.Errorf("%v", err)
	}
	// A session that exchanges by itself passes the refusal on to its waiter.
	link, err = b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e2", HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	if s.Trouble == nil || s.Trouble.Code != fault.Duplicate || s.Trouble.ID != other.ID {
		t.Errorf("the waiter hears %+v", s.Trouble)
	}
}

func TestSessionsEndAsTheUserDoes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	b := banktest.Start(t, banktest.Clock(clock))
	ctx := t.Context()
	link, err := b.Client.StartLink(ctx, connection.LinkParams{UserID: "u", EmployerID: "e1", HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	// Nobody opened the page yet: wait returns after its time, still pending.
	s, err := b.Client.GetSession(ctx, link.SessionID, 50*time.Millisecond)
	if err != nil || s.State != connection.Pending {
		t.Fatalf("%s %v", s.State, err)
	}
	s, err = b.Client.CompleteSession(ctx, link.SessionID, connection.CompleteParams{Exit: true})
	if err != nil || s.State != connection.Exited || s.Exit == nil {
		t.Fatalf("%s %v", s.State, err)
	}
	// A user who left may come back through the same page, until it expires.
	if err := b.Walk(link.HostedLinkURL, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		s, err = b.Client.GetSession(ctx, link.SessionID, time.Second)
		return err == nil && s.ConnectionID != ""
	})
	// An unused link expires.
	link, err = b.Client.StartLink(ctx, connection.LinkParams{UserID: "u", EmployerID: "e1", HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(31 * time.Minute)
	mu.Unlock()
	s, err = b.Client.GetSession(ctx, link.SessionID, 10*time.Second)
	if err != nil || s.State != connection.Expired {
		t.Errorf("%s %v", s.State, err)
	}
	_, err = b.Client.CompleteSession(ctx, link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	wantFault(t, err, fault.Conflict)
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	if !banktest.Eventually(ok) {
		t.Fatal("it does not come about")
	}
}

// Micro-deposits, OAuth, aliased numbers and MFA through the same flow; only what Plaid proves is verified (A6, R31).
func TestEveryKindOfBank(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for _, c := range []struct {
		name, institution, password, status, evidence string
		tokenized                                     bool
	}{
		{"instant", "ins_109508", "", account.Verified, "instant", false},
		{"oauth_with_aliases", "ins_127287", "", account.Verified, "instant", true},
		{"mfa_device", "ins_109509", "mfa_device", account.Verified, "instant", false},
		{"mfa_questions", "ins_109510", "mfa_questions_2_2", account.Verified, "instant", false},
		{"mfa_selections", "ins_109511", "mfa_selections", account.Verified, "instant", false},
		{"chase_aliases", "ins_56", "", account.Verified, "instant", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: c.name}, connection.CompleteParams{InstitutionID: c.institution, Password: c.password})
			a, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{
				OwnerType: "employer", OwnerID: c.name, PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID,
			})
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != c.status || a.Evidence == nil || a.Evidence.Method != c.evidence || a.Tokenized != c.tokenized || a.Mask != conn.Accounts[0].Mask {
				t.Errorf("%+v %+v", a, a.Evidence)
			}
		})
	}
	t.Run("wrong_password", func(t *testing.T) {
		link, err := b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", HostedLink: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508", Password: "wrong"})
		wantFault(t, err, fault.Invalid)
	})
	t.Run("automated_micro_deposit", func(t *testing.T) {
		conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "md"}, connection.CompleteParams{InstitutionID: "ins_109512", Password: "microdeposits_good", Masks: []string{"0000"}})
		a, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{
			OwnerType: "employer", OwnerID: "md", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID,
		})
		if err != nil || a.Status != account.PendingVerification || a.AccountLast4 != "0000" || a.RoutingLast4 != "" { // A6
			t.Errorf("%+v %v", a, err)
		}
	})
}

func TestFromPlaidRefuses(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn, other := b.Link("e1"), b.Link("e2")
	ctx := t.Context()
	exchanged := func(employer string) string {
		e, err := b.Client.Exchange(ctx, connection.ExchangeParams{PublicToken: b.PublicToken("ins_109509"), UserID: "u", EmployerID: employer})
		if err != nil {
			t.Fatal(err)
		}
		return e.AccessToken
	}
	good := account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID}
	for name, c := range map[string]struct {
		change func(*account.FromPlaidParams)
		field  string
	}{
		"foreign_handle":  {func(p *account.FromPlaidParams) { p.AccessToken = exchanged("e3") }, "access_token"},
		"made_up_token":   {func(p *account.FromPlaidParams) { p.AccessToken = "access-sandbox-abc123..." }, "access_token"},
		"unknown_item":    {func(p *account.FromPlaidParams) { p.PlaidItemID = "item_456..." }, "plaid_item_id"},
		"unknown_account": {func(p *account.FromPlaidParams) { p.PlaidAccountID = "acct_123..." }, "plaid_account_id"},
		"foreign_account": {func(p *account.FromPlaidParams) { p.PlaidAccountID = other.Accounts[0].PlaidAccountID }, "plaid_account_id"},
		"another_owner":   {func(p *account.FromPlaidParams) { p.OwnerID = "e2" }, "owner_id"},
		"another_kind":    {func(p *account.FromPlaidParams) { p.OwnerType = "carrier" }, "owner_id"},
	} {
		t.Run(name, func(t *testing.T) {
			p := good
			c.change(&p)
			_, err := b.Client.AddACHFromPlaid(ctx, p)
			if f := wantFault(t, err, fault.Invalid); f.Fields[c.field] == "" {
				t.Errorf("names %v", f.Fields)
			}
		})
	}
	a, err := b.Client.AddACHFromPlaid(ctx, good)
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Client.AddACHFromPlaid(ctx, good)
	if f := wantFault(t, err, fault.Duplicate); f.ID != a.ID {
		t.Errorf("names %s", f.ID)
	}
	// Every fetch of numbers leaves an audit line, also one that came to nothing.
	fetched, err := b.Client.ListAudit(ctx, trail.Query{Action: "numbers.fetch"})
	if err != nil || len(fetched) < 3 {
		t.Errorf("%d lines %v", len(fetched), err)
	}
}

// R76-R78, A15: update mode mends a connection that asks for a new sign-in, and keeps its ids.
func TestUpdateModeMends(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	ctx := t.Context()
	for _, token := range b.Tokens() {
		b.AskPlaid("/sandbox/item/reset_login", fmt.Sprintf(`{"access_token":%q}`, token)) // of them, the Item's own does it
	}
	_, err := b.Client.SyncAccounts(ctx, connection.ItemParams{ItemID: conn.ItemID})
	wantFault(t, err, fault.RelinkRequired)
	broken, err := b.Client.GetConnection(ctx, conn.ItemID) // A28
	if err != nil || broken.Status != connection.NeedsReauth || broken.Error == nil || broken.Error.Code != "ITEM_LOGIN_REQUIRED" {
		t.Fatalf("%+v %v", broken, err)
	}
	link, err := b.Client.UpdateLink(ctx, connection.UpdateLinkParams{UserID: "u", ItemID: conn.ItemID, HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Client.CompleteSession(ctx, link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	if err != nil || s.State != connection.Succeeded || s.Mode != "update" {
		t.Fatalf("%+v %v", s, err)
	}
	until(t, func() bool {
		mended, err := b.Client.GetConnection(ctx, conn.ID)
		return err == nil && mended.Status == connection.Active && mended.Error == nil && mended.ItemID == conn.ItemID
	})
}

func TestRemoveConnection(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	ctx := t.Context()
	a, err := b.Client.AddACHFromPlaid(ctx, account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID})
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Client.RemoveConnection(ctx, conn.ID, connection.RemoveParams{})
	if err != nil || r.Disabled != 1 || !r.Deleted {
		t.Fatalf("%+v %v", r, err)
	}
	if a, err = b.Client.GetACH(ctx, a.ID); err != nil || a.Status != account.Disabled {
		t.Errorf("%+v %v", a, err)
	}
	if n := b.Daemon.Simulator().Counts()["/item/remove"]; n != 1 {
		t.Errorf("Plaid was asked %d times", n)
	}
	if _, info, _ := b.Client.ListConnections(ctx, connection.Query{}, page.Request{}); info.Total != 0 {
		t.Error("it is still listed")
	}
}

// A7, A9, A10, A11 over the socket.
func TestACHAccountsLive(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	ctx := t.Context()
	yes := true
	add := func(number string) account.ACH {
		t.Helper()
		p := account.AddACHParams{OwnerType: "employer", OwnerID: "e1", BankName: "b", AccountType: "checking", IsPrimary: &yes}
		p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("011401533"), ach.NewAccountNumber(number)
		a, err := b.Client.AddACH(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	one, two := add("1111222233330000"), add("1111222233331111")
	if one, _ = b.Client.GetACH(ctx, one.ID); one.IsPrimary || !two.IsPrimary {
		t.Error("two primaries, or none") // A9
	}
	conn := b.Link("e1")
	v, err := b.Client.VerifyACH(ctx, one.ID, account.VerifyACHParams{PlaidItemID: conn.ItemID})
	if err != nil || v.Status != account.Verified || v.Evidence.Method != "instant" {
		t.Errorf("%+v %v", v, err)
	}
	operator := b.NewClient(tenant.ClientParams{Name: "op", Role: tenant.Operator, Employers: tenant.Everything})
	_, err = operator.VerifyACH(ctx, two.ID, account.VerifyACHParams{Method: "attest", Reason: "seen a voided check"})
	wantFault(t, err, fault.Forbidden)
	if v, err = b.Client.VerifyACH(ctx, two.ID, account.VerifyACHParams{Method: "attest", Reason: "seen a voided check"}); err != nil || v.Evidence.Method != "attested" {
		t.Errorf("%+v %v", v, err)
	}
	status, _ := b.Call(b.Client, "PATCH", "/api/v1/bank-accounts/ach/"+one.ID, `{"status":"verified"}`)
	if status != 422 {
		t.Errorf("a plain PATCH of the status: %d", status)
	}
	d, err := b.Client.DeleteACH(ctx, two.ID)
	if err != nil || !d.PrimaryRemoved || d.AccountLast4 != "1111" {
		t.Errorf("%+v %v", d, err)
	}
	_, err = b.Client.GetACH(ctx, two.ID)
	wantFault(t, err, fault.NotFound)
	add("1111222233331111") // its numbers are free again
}
