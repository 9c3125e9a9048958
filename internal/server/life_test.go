package server_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/trail"
)

func faulty(t *testing.T, b *banktest.Bank, text string) {
	t.Helper()
	faults, err := plaidsim.ParseFaults(text)
	if err != nil {
		t.Fatal(err)
	}
	b.Daemon.Simulator().SetFaults(faults)
}

func live(b *banktest.Bank) (n int) {
	for _, it := range b.Daemon.Simulator().Items() {
		if !it.Removed {
			n++
		}
	}
	return n
}

func withACH(t *testing.T, b *banktest.Bank, conn connection.Connection, owner, mask string) account.ACH {
	t.Helper()
	for _, a := range conn.Accounts {
		if a.Mask == mask {
			h, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{OwnerType: "employer", OwnerID: owner, PlaidAccountID: a.PlaidAccountID, PlaidItemID: conn.ItemID})
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
	}
	t.Fatalf("no account %s", mask)
	return account.ACH{}
}

// A removal that Plaid does not confirm is not forgotten: the connection stays until bankd itself has carried it out.
func TestRemovalGoesOn(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	conn := b.Link("e1")
	a := withACH(t, b, conn, "e1", "0000")
	faulty(t, b, "/item/remove:500")
	_, err := b.Client.RemoveConnection(t.Context(), conn.ID, connection.RemoveParams{ACH: connection.DeleteACH})
	if f := fault.As(err); f == nil || f.Code != fault.PlaidError || !strings.Contains(f.Hint, "keeps trying") {
		t.Fatalf("%v", err)
	}
	if now, err := b.Client.GetConnection(t.Context(), conn.ID); err != nil || now.Status == connection.Removed {
		t.Fatalf("%+v, %v: removed here and not there", now, err)
	}
	e, err := b.Owner().Examine(t.Context())
	if err != nil || e.OK || !slices.ContainsFunc(e.Checks, func(c status.Check) bool { return c.Name == "removals" && c.Result == status.Attention }) {
		t.Errorf("%+v, %v", e, err)
	}
	b.Restart() // faults end with the simulator that had them
	if !banktest.Eventually(func() bool {
		now, err := b.Client.GetConnection(t.Context(), conn.ID)
		return err == nil && now.Status == connection.Removed
	}) {
		t.Fatal("the removal was forgotten")
	}
	if _, err := b.Client.GetACH(t.Context(), a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("its ACH account: %v", err)
	}
	if live(b) != 0 {
		t.Error("the Item lives")
	}
}

// The caller chooses whether ACH accounts outlive their connection; an alias never does.
func TestRemovalAndACH(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for i, c := range []struct {
		bank, choice string
		want         string // status of the ACH account; empty = gone
	}{
		{"ins_109508", "", account.Disabled},
		{"ins_109508", connection.DisableACH, account.Disabled},
		{"ins_109508", connection.KeepACH, account.Verified},
		{"ins_13", connection.KeepACH, account.Disabled},
		{"ins_109508", connection.DeleteACH, ""},
	} {
		owner := fmt.Sprintf("e%d", i)
		conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: owner}, connection.CompleteParams{InstitutionID: c.bank})
		a := withACH(t, b, conn, owner, "0000")
		if _, err := b.Client.RemoveConnection(t.Context(), conn.ID, connection.RemoveParams{ACH: c.choice}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Client.GetACH(t.Context(), a.ID)
		if c.want == "" && !fault.Is(err, fault.NotFound) || c.want != "" && (err != nil || got.Status != c.want) {
			t.Errorf("%s at %s: %s, %v", c.choice, c.bank, got.Status, err)
		}
	}
	if status, _ := b.Call(b.Client, "DELETE", "/api/v1/plaid/connections/aaaaaaaaaaaaaaaaaaaaaaaa?ach=bogus", ""); status != 422 {
		t.Errorf("ach=bogus: %d", status)
	}
}

// A token is swapped while the connection is in use: nothing that had the old one in its hands takes it for broken.
func TestRotationInUse(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := synced(t, b, "e1")
	before := b.Daemon.Simulator().Items()[0].TokenHash
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for range 3 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = b.Client.SyncAccounts(t.Context(), connection.ItemParams{ItemID: conn.ItemID})
					_, _ = b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}})
				}
			}
		})
	}
	for range 10 {
		if _, err := b.Client.RotateToken(t.Context(), conn.ID); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	busy.Wait()
	now, err := b.Client.GetConnection(t.Context(), conn.ID)
	if err != nil || now.Status != connection.Active || now.Error != nil {
		t.Errorf("%s, %+v, %v", now.Status, now.Error, err)
	}
	if b.Daemon.Simulator().Items()[0].TokenHash == before {
		t.Error("the token is the old one")
	}
}

// A reply that is lost on the way leaves no doubt: the old token tells whether the swap was done.
func TestRotationLostReply(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for kind, lost := range map[string]bool{"reset": false, "500": false, "lost": true} {
		conn := b.Link("e-" + kind)
		faulty(t, b, "/item/access_token/invalidate:"+kind+":1")
		if _, err := b.Client.RotateToken(t.Context(), conn.ID); err == nil {
			t.Fatalf("%s: no error", kind)
		}
		b.Daemon.Simulator().SetFaults(nil)
		now, err := b.Client.CheckConnection(t.Context(), conn.ID)
		if err != nil {
			t.Fatal(err)
		}
		if lost != now.Has("TOKEN_LOST") || lost != (now.Status == "error") {
			t.Errorf("%s: %s, %+v", kind, now.Status, now.Error)
		}
		if lost && (now.Error.Step != connection.Relink || !strings.Contains(now.Error.Hint, "bankctl link")) {
			t.Errorf("%+v", now.Error)
		}
	}
	lines, err := b.Owner().ListAudit(t.Context(), trail.Query{Action: "connection.lose_token"})
	if err != nil || len(lines) != 1 {
		t.Errorf("%d audit lines, %v", len(lines), err)
	}
}

// An Item of another tool is taken over: checked, its webhooks left or pointed here, its token swapped, its accounts read.
func TestImport(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	token := func() string {
		reply := b.AskPlaid("/item/public_token/exchange", fmt.Sprintf(`{"public_token":%q}`, b.PublicToken("ins_109508")))
		return reply["access_token"].(string)
	}
	one := token()
	conn, err := b.Client.ImportConnection(t.Context(), connection.ImportParams{AccessToken: secret.New(one), UserID: "u", EmployerID: "e1"})
	if err != nil || conn.Status != connection.Active || len(conn.Accounts) != 12 || conn.Institution.ID != "ins_109508" {
		t.Fatalf("%+v, %v", conn, err)
	}
	if reply := b.AskPlaid("/item/get", fmt.Sprintf(`{"access_token":%q}`, one)); reply["error_code"] != "INVALID_ACCESS_TOKEN" {
		t.Errorf("the other tool's token still works: %v", reply["error_code"])
	}
	_, err = b.Client.ImportConnection(t.Context(), connection.ImportParams{AccessToken: secret.New(one), UserID: "u", EmployerID: "e1"})
	if f := fault.As(err); f == nil || f.Fields["access_token"] == "" {
		t.Errorf("a dead token: %v", err)
	}
	two := token()
	for i, want := range []fault.Code{"", fault.Duplicate} {
		_, err = b.Client.ImportConnection(t.Context(), connection.ImportParams{AccessToken: secret.New(two), UserID: "u", EmployerID: "e1", KeepToken: true})
		if want == "" && err != nil || want != "" && !fault.Is(err, want) {
			t.Errorf("try %d: %v", i, err)
		}
	}
	if reply := b.AskPlaid("/item/get", fmt.Sprintf(`{"access_token":%q}`, two)); reply["error_code"] != nil {
		t.Errorf("with keep_token: %v", reply["error_code"])
	}
	if log := b.Log(); strings.Contains(log, one) || strings.Contains(log, two) {
		t.Error("the log holds a token")
	}
}

// Three wrong codes lock the account at Plaid for good: it is failed, the connection says what to do, and another try is a
// new deposit.
func TestDepositFails(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for _, c := range []struct{ status, code string }{{"verification_failed", "VERIFICATION_FAILED"}, {"verification_expired", "VERIFICATION_EXPIRED"}} {
		owner := "e-" + c.status
		p := account.AddACHParams{OwnerType: "employer", OwnerID: owner, BankName: "b", AccountType: "checking"}
		p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("110000000"), ach.NewAccountNumber("1111222233330000")
		a, err := b.Client.AddACH(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		deposit := func(how connection.CompleteParams) error {
			reply, err := b.Client.VerifyACH(t.Context(), a.ID, account.VerifyACHParams{Method: account.MicroDeposit})
			if err != nil {
				return err
			}
			if _, err = b.Client.CompleteSession(t.Context(), reply.Page.SessionID, how); err != nil {
				return err
			}
			_, err = b.Client.GetSession(t.Context(), reply.Page.SessionID, 10*time.Second)
			return err
		}
		if err := deposit(connection.CompleteParams{}); err != nil {
			t.Fatal(err)
		}
		get := func() account.ACH {
			now, err := b.Client.GetACH(t.Context(), a.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		pending := get()
		if pending.Status != account.PendingVerification || pending.ConnectionID == "" {
			t.Fatalf("%+v", pending)
		}
		if c.status == "verification_failed" {
			for i := range 3 { // the third one ends the page
				if err := deposit(connection.CompleteParams{Code: "XYZ"}); i < 2 && !fault.Is(err, fault.Invalid) {
					t.Errorf("a wrong code: %v", err)
				}
			}
		} else if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "verification", Item: pending.PlaidItemID, Mask: "0000", Status: c.status}); err != nil {
			t.Fatal(err)
		}
		conn, err := b.Client.CheckConnection(t.Context(), pending.ConnectionID)
		if err != nil || !conn.Has(c.code) || conn.Error.Step != connection.Relink {
			t.Errorf("%s: %s, %+v, %v", c.status, conn.Status, conn.Error, err)
		}
		if now := get(); now.Status != account.VerificationFailed || now.Evidence.PlaidStatus != c.status {
			t.Errorf("%s: %s, %+v", c.status, now.Status, now.Evidence)
		}
		if err := deposit(connection.CompleteParams{}); err != nil {
			t.Fatal(err)
		}
		if err := deposit(connection.CompleteParams{Code: "abc"}); err != nil {
			t.Fatal(err)
		}
		if !banktest.Eventually(func() bool { return get().Status == account.Verified }) {
			t.Errorf("%s: after another deposit it is %s", c.status, get().Status)
		}
	}
}

// Calls are counted by connection and endpoint, and survive a restart.
func TestUsage(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	conn := b.Link("e1")
	for range 3 {
		if _, err := b.Client.GetBalance(t.Context(), connection.BalanceParams{PlaidItemID: conn.ItemID}); err != nil {
			t.Fatal(err)
		}
	}
	last, err := b.Client.GetBalance(t.Context(), connection.BalanceParams{PlaidItemID: conn.ItemID})
	if err != nil || last.Left == nil || last.Left.PerMinute != 5 || last.Left.Left != 1 || !last.Left.Near() || last.Left.ResetSeconds < 30 {
		t.Errorf("%+v, %v", last.Left, err)
	}
	b.Restart()
	all, err := b.Client.ListUsage(t.Context(), conn.ID)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, c := range all[0].Calls {
		if c.Endpoint == "balance" && (c.Total != 4 || c.Month != 4 || !c.Billed) {
			t.Errorf("%+v", c)
		}
	}
	if !slices.ContainsFunc(all[0].Calls, func(c connection.Calls) bool { return c.Endpoint == "balance" }) {
		t.Errorf("%+v", all[0].Calls)
	}
}

// A7: an account that is proven through another connection while Plaid is asked for the first one's numbers stays
// verified: that answer is not about it any more.
func TestNumbersOfAnotherConnection(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	var conns [2]connection.Connection
	for i := range conns {
		conns[i] = b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "e1", AllowDuplicate: true}, platypus)
	}
	p := account.AddACHParams{OwnerType: account.Employer, OwnerID: "e1", BankName: "b", AccountType: "checking"}
	p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("011401533"), ach.NewAccountNumber("1111222233330000")
	a, err := b.Client.AddACH(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	prove := func(conn connection.Connection) {
		t.Helper()
		if _, err := b.Client.VerifyACH(t.Context(), a.ID, account.VerifyACHParams{PlaidItemID: conn.ItemID}); err != nil {
			t.Fatal(err)
		}
	}
	prove(conns[0])
	sim := b.Daemon.Simulator()
	before := sim.Counts()["/auth/get"]
	sim.SetFaults([]plaidsim.Fault{{Route: "/auth/get", Kind: "slow", For: 2 * time.Second, Count: 1}})
	checked := make(chan error, 1)
	go func() {
		_, err := b.Client.CheckConnection(context.Background(), conns[0].ID)
		checked <- err
	}()
	if !banktest.Eventually(func() bool { return sim.Counts()["/auth/get"] > before }) {
		t.Fatal("the check did not ask for numbers")
	}
	prove(conns[1])
	if err := <-checked; err != nil {
		t.Fatal(err)
	}
	if got, err := b.Client.GetACH(t.Context(), a.ID); err != nil || got.Status != account.Verified || got.PlaidItemID != conns[1].ItemID {
		t.Errorf("%s, of the other connection: %v, %v", got.Status, got.PlaidItemID == conns[1].ItemID, err)
	}
}

// Numbers are not used any more when their Item is gone: the user may have taken their consent back. And a connection that cannot be debited heals though no ACH
// account rests on it yet.
func TestNumbersThatEnd(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for bank, want := range map[string]string{"ins_109508": account.Disabled, "ins_13": account.Disabled} {
		conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: bank}, connection.CompleteParams{InstitutionID: bank})
		a := withACH(t, b, conn, bank, "0000")
		if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "gone", Item: conn.ItemID}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client.CheckConnection(t.Context(), conn.ID); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Client.GetACH(t.Context(), a.ID); err != nil || got.Status != want {
			t.Errorf("%s: %s, %v", bank, got.Status, err)
		}
	}
	conn := b.Link("e1")
	if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "no_auth_accounts", Item: conn.ItemID}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Client.AddACHFromPlaid(t.Context(), account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: conn.Accounts[0].PlaidAccountID, PlaidItemID: conn.ItemID})
	if err == nil {
		t.Fatal("it gave numbers")
	}
	if now, err := b.Client.GetConnection(t.Context(), conn.ID); err != nil || !now.Has("NO_AUTH_ACCOUNTS") {
		t.Fatalf("%+v, %v", now.Error, err)
	}
	link, err := b.Client.UpdateLink(t.Context(), connection.UpdateLinkParams{UserID: "u", ItemID: conn.ItemID, Accounts: true, HostedLink: true})
	if err == nil {
		_, err = b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if !banktest.Eventually(func() bool {
		now, err := b.Client.CheckConnection(t.Context(), conn.ID)
		return err == nil && now.Status == connection.Active
	}) {
		t.Error("it does not heal")
	}
}

// While Plaid fails, an exchange is tried again ever more rarely, and by one alone: its rests add up.
func TestExchangeIsTriedRarely(t *testing.T) {
	t.Parallel()
	tempo := banktest.Quick
	tempo.ExchangeRetry = 10 * time.Millisecond
	b := banktest.Start(t, banktest.Tempo(tempo))
	token := b.PublicToken("ins_109508")
	faulty(t, b, "/item/public_token/exchange:500")
	const asked, retries = 3, 6
	started := time.Now()
	for range asked {
		if _, err := b.Client.Exchange(t.Context(), connection.ExchangeParams{PublicToken: token, UserID: "u", EmployerID: "e1"}); err == nil {
			t.Fatal("it went through")
		}
	}
	until(t, func() bool { return b.Daemon.Simulator().Counts()["/item/public_token/exchange"] >= asked+retries })
	if least := tempo.ExchangeRetry * (1<<retries - 1); time.Since(started) < least {
		t.Errorf("%d retries in %s: their rests alone are %s", retries, time.Since(started), least)
	}
	b.Daemon.Simulator().SetFaults(nil)
	if _, err := b.Client.Exchange(t.Context(), connection.ExchangeParams{PublicToken: token, UserID: "u", EmployerID: "e1"}); err != nil {
		t.Error(err)
	}
}

// A finished session is forgotten after its time; the connection it made stays.
func TestSessionsAreForgotten(t *testing.T) {
	t.Parallel()
	c := &clock{}
	b := banktest.Start(t, banktest.Clock(c.now))
	link, err := b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e1", HostedLink: true, Exchange: true})
	if err == nil {
		_, err = b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	}
	if err != nil {
		t.Fatal(err)
	}
	c.turn(29 * aday)
	for _, gone := range []bool{false, true} {
		if err := b.Daemon.Bank().ForgetSessions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client.GetSession(t.Context(), link.SessionID, 0); fault.Is(err, fault.NotFound) != gone {
			t.Errorf("gone %v: %v", gone, err)
		}
		c.turn(2 * aday)
	}
	if all, _, err := b.Client.ListConnections(t.Context(), connection.Query{}, page.Request{}); err != nil || len(all) != 1 {
		t.Errorf("%d connections, %v", len(all), err)
	}
}

// Without webhooks, bankd's own round finds accounts that are no longer shared, or have other numbers.
func TestRoundFindsWhatNobodyTells(t *testing.T) {
	t.Parallel()
	c := &clock{}
	b := banktest.Start(t, banktest.Clock(c.now))
	conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "e1"}, connection.CompleteParams{InstitutionID: "ins_109508"})
	one, two, three := withACH(t, b, conn, "e1", "0000"), withACH(t, b, conn, "e1", "1111"), withACH(t, b, conn, "e1", "9002")
	for _, e := range []plaidsim.Event{{Kind: "account_revoked", Mask: "0000"}, {Kind: "account_closed", Mask: "1111"}, {Kind: "numbers_changed", Mask: "9002", What: "routing"}} {
		e.Item = conn.ItemID
		if err := b.Daemon.Simulator().ApplyEvent(e); err != nil {
			t.Fatal(err)
		}
	}
	c.turn(time.Hour)
	get := func(a account.ACH) account.ACH {
		now, err := b.Client.GetACH(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	if !banktest.Eventually(func() bool {
		return get(one).DisabledReason == account.NotShared && get(two).DisabledReason == account.NotShared && get(three).RoutingLast4 != three.RoutingLast4
	}) {
		t.Errorf("%s %s, %s %s, %s", get(one).Status, get(one).DisabledReason, get(two).Status, get(two).DisabledReason, get(three).RoutingLast4)
	}
}

// A new link takes up the accounts of the lost one: same id, nickname and owner, proven by Plaid's answer of now.
func TestRelinkRejoins(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for i, ach := range []string{connection.DisableACH, connection.KeepACH} {
		owner := fmt.Sprintf("e%d", i)
		conn := b.Link(owner)
		a := withACH(t, b, conn, owner, "0000")
		name := "payroll"
		if _, err := b.Client.UpdateACH(t.Context(), a.ID, account.UpdateACHParams{Nickname: &name}); err != nil {
			t.Fatal(err)
		}
		if ach == connection.DisableACH {
			if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "gone", Item: conn.ItemID}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Client.RemoveConnection(t.Context(), conn.ID, connection.RemoveParams{ACH: ach}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client.GetBalance(t.Context(), connection.BalanceParams{PlaidItemID: conn.ItemID}); !fault.Is(err, fault.RelinkRequired) {
			t.Errorf("a removed connection's balance: %v", err)
		}
		again := b.Link(owner)
		got := withACH(t, b, again, owner, "0000")
		if got.ID != a.ID || got.Nickname != name || got.Status != account.Verified || got.ConnectionID != again.ID || got.DisabledReason != "" {
			t.Errorf("%s: %+v", ach, got)
		}
	}
}

// After a sign-in that Plaid refuses, the next step is a new link.
func TestRefusedReauth(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "permission_revoked", Item: conn.ItemID}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Client.UpdateLink(t.Context(), connection.UpdateLinkParams{UserID: "u", ItemID: conn.ItemID, HostedLink: true})
	if f := fault.As(err); f == nil || !strings.Contains(f.Hint, "connections remove "+conn.ID) {
		t.Errorf("%v: %+v", err, fault.As(err))
	}
	if now, err := b.Client.CheckConnection(t.Context(), conn.ID); err != nil || now.Error == nil || now.Error.Step != connection.Relink {
		t.Errorf("%+v, %v", now.Error, err)
	}
}

// The simulator's accounts keep their ids over a restart, as Plaid's do, so ACH accounts still find theirs.
func TestAccountsSurviveARestart(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	conn := synced(t, b, "e1")
	a := withACH(t, b, conn, "e1", "0000")
	b.Restart()
	if _, err := b.Client.CreateProcessorToken(t.Context(), a.ID, account.ProcessorParams{Processor: "dwolla"}); err != nil {
		t.Error(err)
	}
	got, err := b.Client.SyncAccounts(t.Context(), connection.ItemParams{ItemID: conn.ItemID})
	if err != nil || got.Reissued != 0 || got.Added != 0 || got.Inactive != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
