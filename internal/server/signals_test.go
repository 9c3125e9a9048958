package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

// signal is an event of an Item, the state and the next step that it shows, and the way it heals.
type signal struct {
	name        string
	institution string // empty = ins_109508
	event       plaidsim.Event
	told        bool // only a webhook tells of it

	status, code, step string // code and step are the error's; with status active, a notice's
	ach                string // status of the ACH account of mask 0000 meanwhile; empty = verified
	reason             string // why it is disabled

	heal  string // reauth, choose_accounts, consent, repaired, relink, wait, or nothing
	after string // status of the ACH account of mask 0000 in the end; empty = verified
}

const aday = 24 * time.Hour

// The table of plaid.md 13, row by row.
var signalTable = []signal{
	{name: "ITEM_LOGIN_REQUIRED", event: plaidsim.Event{Kind: "login_required"},
		status: "needs_reauth", code: "ITEM_LOGIN_REQUIRED", step: "reauth", heal: "reauth"},
	{name: "LOGIN_REPAIRED elsewhere", event: plaidsim.Event{Kind: "login_required"},
		status: "needs_reauth", code: "ITEM_LOGIN_REQUIRED", step: "reauth", heal: "repaired"},
	{name: "PENDING_DISCONNECT", event: plaidsim.Event{Kind: "pending_disconnect", After: 5 * aday},
		status: "pending_disconnect", code: "PENDING_DISCONNECT", step: "reauth", heal: "reauth"},
	{name: "PENDING_EXPIRATION", event: plaidsim.Event{Kind: "pending_expiration", After: 3 * aday}, told: true,
		status: "pending_expiration", code: "PENDING_EXPIRATION", step: "reauth", heal: "reauth"},
	{name: "consent that ends, by polling", event: plaidsim.Event{Kind: "pending_expiration", After: 3 * aday},
		status: "pending_", code: "PENDING_", step: "reauth", heal: "reauth"},
	{name: "NEW_ACCOUNTS_AVAILABLE", event: plaidsim.Event{Kind: "new_accounts"}, told: true,
		status: "active", code: "NEW_ACCOUNTS_AVAILABLE", step: "choose_accounts", heal: "choose_accounts"},
	{name: "NO_ACCOUNTS", event: plaidsim.Event{Kind: "no_accounts"},
		status: "error", code: "NO_ACCOUNTS", step: "choose_accounts", ach: "disabled", reason: "not_shared", heal: "choose_accounts"},
	{name: "NO_AUTH_ACCOUNTS", event: plaidsim.Event{Kind: "no_auth_accounts"},
		status: "error", code: "NO_AUTH_ACCOUNTS", step: "choose_accounts", ach: "disabled", reason: "not_shared", heal: "choose_accounts"},
	{name: "ACCESS_NOT_GRANTED", event: plaidsim.Event{Kind: "access_not_granted"},
		status: "needs_reauth", code: "ACCESS_NOT_GRANTED", step: "reauth", heal: "reauth"},
	{name: "ADDITIONAL_CONSENT_REQUIRED", event: plaidsim.Event{Kind: "consent_missing", Product: "auth"},
		status: "active", code: "ADDITIONAL_CONSENT_REQUIRED", step: "consent", heal: "consent"},
	{name: "USER_PERMISSION_REVOKED, given again", event: plaidsim.Event{Kind: "permission_revoked", Relinkable: true},
		status: "revoked", code: "USER_PERMISSION_REVOKED", step: "reauth", ach: "disabled", reason: "consent_revoked", heal: "reauth"},
	{name: "USER_PERMISSION_REVOKED for good", event: plaidsim.Event{Kind: "permission_revoked"},
		status: "revoked", code: "USER_PERMISSION_REVOKED", step: "reauth", ach: "disabled", reason: "consent_revoked", heal: "relink", after: "disabled"},
	{name: "USER_ACCOUNT_REVOKED", institution: "ins_13", event: plaidsim.Event{Kind: "account_revoked", Mask: "0000"}, told: true,
		status: "active", code: "USER_ACCOUNT_REVOKED", step: "choose_accounts", ach: "disabled", reason: "not_shared", heal: "choose_accounts"},
	{name: "an account that vanished", event: plaidsim.Event{Kind: "account_closed", Mask: "0000"},
		status: "active", ach: "disabled", reason: "not_shared", heal: "nothing", after: "disabled"},
	{name: "ITEM_NOT_FOUND", event: plaidsim.Event{Kind: "gone"},
		status: "error", code: "ITEM_NOT_FOUND", step: "relink", ach: "disabled", reason: "consent_revoked", heal: "relink", after: "disabled"},
	{name: "INVALID_ACCESS_TOKEN", event: plaidsim.Event{Kind: "token_invalid"},
		status: "error", code: "INVALID_ACCESS_TOKEN", step: "relink", heal: "relink", after: "disabled"},
	{name: "INSTITUTION_DOWN", event: plaidsim.Event{Kind: "institution_down", After: 3 * time.Second},
		status: "active", code: "INSTITUTION_DOWN", step: "wait", heal: "wait"},
	{name: "verification_failed", event: plaidsim.Event{Kind: "verification", Mask: "0000", Status: "verification_failed"},
		status: "error", code: "VERIFICATION_FAILED", step: "relink", heal: "relink", after: "disabled", ach: "any"},
	{name: "verification_expired", event: plaidsim.Event{Kind: "verification", Mask: "0000", Status: "verification_expired"},
		status: "error", code: "VERIFICATION_EXPIRED", step: "relink", heal: "relink", after: "disabled", ach: "any"},
	{name: "AUTH DEFAULT_UPDATE", event: plaidsim.Event{Kind: "numbers_changed", Mask: "0000", What: "both"},
		status: "active", heal: "nothing"},
	{name: "an account under another id", event: plaidsim.Event{Kind: "account_reissued", Mask: "0000"},
		status: "active", heal: "nothing"},
	{name: "an account under another name", event: plaidsim.Event{Kind: "account_renamed", Mask: "0000", Name: "Everyday Checking"},
		status: "active", heal: "nothing"},
}

// Every signal, told by a webhook and found by a look: the state and the next step shown, and healed.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, webhooks := range []bool{false, true} {
		for _, s := range signalTable {
			if s.told && !webhooks {
				continue
			}
			t.Run(fmt.Sprintf("webhooks %v/%s", webhooks, s.name), func(t *testing.T) {
				t.Parallel()
				x := &signalCase{T: t, signal: s, webhooks: webhooks}
				opts := []banktest.Option{banktest.Clock(x.clock.now)}
				if webhooks {
					opts = append(opts, banktest.With(func(c *config.Config) { c.WebhookListen = "127.0.0.1:0" }))
				}
				x.b = banktest.Start(t, opts...)
				x.link("e1")
				x.happen()
				x.shown()
				x.healed()
			})
		}
	}
}

type signalCase struct {
	*testing.T
	b        *banktest.Bank
	clock    clock
	signal   signal
	webhooks bool

	owner string
	conn  connection.Connection
	ach   account.ACH // of mask 0000
}

func (x *signalCase) link(owner string) {
	x.owner = owner
	if x.signal.institution == "" {
		x.signal.institution = "ins_109508"
	}
	x.conn = x.b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: owner}, connection.CompleteParams{InstitutionID: x.signal.institution})
	for _, a := range x.conn.Accounts {
		if a.Mask != "0000" {
			continue
		}
		var err error
		x.ach, err = x.b.Client.AddACHFromPlaid(x.Context(), account.FromPlaidParams{
			OwnerType: "employer", OwnerID: owner, PlaidAccountID: a.PlaidAccountID, PlaidItemID: x.conn.ItemID,
		})
		if err != nil || x.ach.Status != account.Verified {
			x.Fatalf("%+v, %v", x.ach, err)
		}
	}
}

func (x *signalCase) happen() {
	e := x.signal.event
	e.Item = x.conn.ItemID
	if err := x.b.Daemon.Simulator().ApplyEvent(e); err != nil {
		x.Fatal(err)
	}
}

// look reads the connection; without webhooks it has bankd ask after it first.
func (x *signalCase) look() connection.Connection {
	x.Helper()
	var conn connection.Connection
	var err error
	if x.webhooks {
		conn, err = x.b.Client.GetConnection(x.Context(), x.conn.ID)
	} else {
		conn, err = x.b.Client.CheckConnection(x.Context(), x.conn.ID)
	}
	if err != nil {
		x.Fatal(err)
	}
	return conn
}

// silent are the events that no webhook tells of: bankd is asked to look, as its own round does.
var silent = map[string]bool{
	"no_accounts": true, "no_auth_accounts": true, "access_not_granted": true, "consent_missing": true, "account_closed": true,
	"gone": true, "token_invalid": true, "institution_down": true, "account_reissued": true, "account_renamed": true, "verification": true,
}

func (x *signalCase) shown() {
	x.Helper()
	if silent[x.signal.event.Kind] {
		if _, err := x.b.Client.CheckConnection(x.Context(), x.conn.ID); err != nil {
			x.Fatal(err)
		}
	}
	var conn connection.Connection
	var a account.ACH
	ok := banktest.Eventually(func() bool {
		conn = x.look()
		a = x.readACH()
		return x.matches(conn, a)
	})
	if !ok {
		x.Fatalf("status %s, error %+v, notices %+v; ACH %s %s", conn.Status, conn.Error, conn.Notices, a.Status, a.DisabledReason)
	}
	said := troubleOf(conn, x.signal.code)
	if x.signal.code != "" && (said.At.IsZero() || said.Step != x.signal.step || x.signal.step != "wait" && !strings.Contains(said.Hint, conn.ID)) {
		x.Errorf("%+v: no next step that can be copied", said)
	}
	if conn.Status != "active" && (conn.Since == nil || conn.Since.Before(x.conn.CreatedAt)) {
		x.Errorf("since %v", conn.Since)
	}
	switch x.signal.event.Kind {
	case "numbers_changed":
		if a.AccountLast4 == x.ach.AccountLast4 && a.RoutingLast4 == x.ach.RoutingLast4 {
			x.Errorf("the numbers are the old ones")
		}
	case "account_reissued":
		if a.PlaidAccountID == x.ach.PlaidAccountID || a.BankAccountID != x.ach.BankAccountID || len(conn.Accounts) != len(x.conn.Accounts) {
			x.Errorf("%+v", a)
		}
	case "account_renamed":
		if conn.Accounts[0].Name != "Everyday Checking" && conn.Accounts[1].Name != "Everyday Checking" && conn.Accounts[2].Name != "Everyday Checking" {
			x.Errorf("%+v", conn.Accounts)
		}
	}
}

func (x *signalCase) matches(conn connection.Connection, a account.ACH) bool {
	want := x.signal.ach
	if want == "" {
		want = account.Verified
	}
	if !strings.HasPrefix(conn.Status, x.signal.status) || want != "any" && (a.Status != want || a.DisabledReason != x.signal.reason) {
		return false
	}
	switch x.signal.event.Kind {
	case "numbers_changed":
		return a.RoutingLast4 != x.ach.RoutingLast4 || a.AccountLast4 != x.ach.AccountLast4
	case "account_reissued":
		return a.PlaidAccountID != x.ach.PlaidAccountID
	}
	return x.signal.code == "" || troubleOf(conn, x.signal.code).Code != ""
}

func troubleOf(conn connection.Connection, code string) connection.Trouble {
	all := conn.Notices
	if conn.Error != nil {
		all = append(all, *conn.Error)
	}
	for _, t := range all {
		if strings.HasPrefix(t.Code, code) {
			return t
		}
	}
	return connection.Trouble{}
}

func (x *signalCase) readACH() account.ACH {
	x.Helper()
	a, err := x.b.Client.GetACH(x.Context(), x.ach.ID)
	if err != nil {
		x.Fatal(err)
	}
	return a
}

// healed does the step that was offered, and sees the connection in order again.
func (x *signalCase) healed() {
	x.Helper()
	ctx := x.Context()
	switch x.signal.heal {
	case "reauth", "choose_accounts", "consent":
		p := connection.UpdateLinkParams{UserID: "u", ItemID: x.conn.ItemID, HostedLink: true, Accounts: x.signal.heal == "choose_accounts"}
		if x.signal.heal == "consent" {
			p.Products = []string{x.signal.event.Product}
		}
		link, err := x.b.Client.UpdateLink(ctx, p)
		if err != nil {
			x.Fatal(err)
		}
		if _, err := x.b.Client.CompleteSession(ctx, link.SessionID, connection.CompleteParams{InstitutionID: x.signal.institution}); err != nil {
			x.Fatal(err)
		}
	case "repaired":
		if err := x.b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "login_repaired", Item: x.conn.ItemID}); err != nil {
			x.Fatal(err)
		}
	case "wait":
		x.clock.turn(x.signal.event.After)
		if _, err := x.b.Client.CheckConnection(ctx, x.conn.ID); err != nil {
			x.Fatal(err)
		}
	case "relink":
		if _, err := x.b.Client.RemoveConnection(ctx, x.conn.ID, connection.RemoveParams{}); err != nil {
			x.Fatal(err)
		}
		fresh := x.b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: x.owner}, connection.CompleteParams{InstitutionID: x.signal.institution})
		if fresh.Status != connection.Active {
			x.Errorf("the new link is %s", fresh.Status)
		}
		if a := x.readACH(); a.Status != account.Disabled || a.DisabledReason != account.ConnectionRemoved {
			x.Errorf("ACH %s %s", a.Status, a.DisabledReason)
		}
		return
	}
	want := x.signal.after
	if want == "" {
		want = account.Verified
	}
	var conn connection.Connection
	var a account.ACH
	if !banktest.Eventually(func() bool {
		conn, a = x.look(), x.readACH()
		return conn.Status == connection.Active && conn.Error == nil && len(conn.Notices) == 0 && a.Status == want
	}) {
		x.Errorf("not healed: %s, %+v, %+v; ACH %s %s", conn.Status, conn.Error, conn.Notices, a.Status, a.DisabledReason)
	}
}

// The calendar lists each end that is near, with the command that puts it off.
func TestExpiring(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("e1")
	if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: "pending_disconnect", Item: conn.ItemID, After: 4 * aday}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Client.CheckConnection(t.Context(), conn.ID); err != nil {
		t.Fatal(err)
	}
	all, err := b.Client.ListExpiring(t.Context(), 0)
	if err != nil || len(all) != 1 || all[0].Kind != connection.EndDisconnect || all[0].ConnectionID != conn.ID || !strings.Contains(all[0].Hint, "reauth "+conn.ID) {
		t.Fatalf("%+v, %v", all, err)
	}
	if d := time.Until(all[0].At); d < 3*aday || d > 5*aday {
		t.Errorf("in %s", d)
	}
	if all, err = b.Client.ListExpiring(t.Context(), 2*aday); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}
