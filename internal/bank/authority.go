package bank

import (
	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// This file has the rules of authority: for which owners a caller may make an object, which objects it may change, and
// which two objects may be combined. Every use case that combines two objects asks here.

// allowed refuses to make an object for owners outside the caller's scope (A25).
func allowed(c tenant.Caller, employer, carrier string) error {
	if c.Owns(employer, carrier) {
		return nil
	}
	if employer == "" && carrier == "" {
		return fault.New(fault.Forbidden, "an object of no owner needs a client of all employers or all carriers").
			WithHint("name an employer_id or carrier_id of your scope")
	}
	return fault.New(fault.Forbidden, "this owner is outside the client's scope")
}

// writable refuses to change an object that the caller sees but does not wholly own; an object it does not see is
// missing.
func writable(c tenant.Caller, employer, carrier, noun string) error {
	if !c.Sees(employer, carrier) {
		return fault.New(fault.NotFound, "no such %s", noun)
	}
	if !c.Owns(employer, carrier) {
		return fault.New(fault.Forbidden, "to change it, the client needs both its employer and its carrier in scope")
	}
	return nil
}

// seesConnection reports whether a connection exists for a caller. bankd itself sees all; S1's clients do not see an
// employee's connection.
func seesConnection(c tenant.Caller, conn storedConnection) bool {
	return bankdItself(c) || conn.Employee == nil && c.Sees(conn.EmployerID, conn.CarrierID)
}

// bankdItself reports whether bankd acts without a caller, in the background.
func bankdItself(c tenant.Caller) bool { return c.Client.ID == "" && !c.LocalOwner }

// mayServe is the one rule for a connection that shall prove, feed or move money for an ACH account: it has the same
// owner, or none, and the caller sees both. field names the input that chose the connection.
func mayServe(c tenant.Caller, conn storedConnection, a account.ACH, field string) error {
	if !seesConnection(c, conn) {
		return fault.Field(field, "is not a connection of yours")
	}
	if !serves(conn.Connection, a) {
		return fault.Field(field, "the connection belongs to another owner than the ACH account")
	}
	return nil
}

// serves reports whether a connection and an ACH account have the same owner. A connection without an owner serves all
// accounts of its tenant.
func serves(conn connection.Connection, a account.ACH) bool {
	employer, carrier := a.Owner()
	if conn.EmployerID == "" && conn.CarrierID == "" {
		return true
	}
	return employer != "" && conn.EmployerID == employer || carrier != "" && conn.CarrierID == carrier
}

// seesSession reports whether a link session exists for a caller: its own, or one whose owner or company is in scope.
func seesSession(c tenant.Caller, s storedSession) bool {
	if bankdItself(c) || s.ClientID == c.Client.ID {
		return true
	}
	if s.AccountID != "" {
		return c.ActsFor(s.CompanyID, s.EmployeeID, tenant.Read)
	}
	return c.Sees(s.EmployerID, s.CarrierID)
}

// mayLink reports whether a caller could have opened a link session itself. Other callers see neither its page nor its
// tokens, and cannot finish it.
func mayLink(c tenant.Caller, s storedSession) bool {
	if bankdItself(c) {
		return true
	}
	if s.AccountID != "" {
		return c.May(tenant.EmployeeLink) == nil && c.ActsFor(s.CompanyID, s.EmployeeID, tenant.EmployeeLink)
	}
	return c.May(tenant.Link) == nil && c.Owns(s.EmployerID, s.CarrierID)
}

// mayExchange decides who may exchange a public token. The token of a session belongs to the session's owner, and
// exists for callers who see the session; asked is the owner that the caller names.
func mayExchange(c tenant.Caller, s storedSession, asked storedExchange) error {
	if !s.meantFor(asked.Employee) || !seesSession(c, s) {
		return usedToken()
	}
	return sameAsked(asked.Params, s.EmployerID, s.CarrierID)
}

// sameAsked refuses a public token for another owner than its session's.
func sameAsked(p connection.ExchangeParams, employer, carrier string) error {
	if employer == "" && carrier == "" || p.EmployerID == "" && p.CarrierID == "" {
		return nil
	}
	if p.EmployerID != employer || p.CarrierID != carrier {
		return fault.New(fault.Conflict, "this public token was made for another owner").
			WithHint("leave employer_id and carrier_id out, or give those that the link token was asked for with")
	}
	return nil
}

// mayGrant refuses to make, change or end a client that may do more than the caller.
func mayGrant(c tenant.Caller, role tenant.Role, p tenant.ClientParams) error {
	if c.LocalOwner || bankdItself(c) || c.Client.Covers(role, p) {
		return nil
	}
	return fault.New(fault.Forbidden, "this client may more than yours does").
		WithHint("nobody grants or ends a role or a scope that is wider than their own")
}
