package server

import (
	"cmp"
	"net/http"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// longestWait bounds wait=: a caller who wants longer asks again.
const longestWait = time.Minute

func (s *Server) getStatus(c *call) (any, *page.Info, error) {
	q := c.query()
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	return s.status(), nil, nil
}

func (s *Server) health(c *call) { c.bytes(http.StatusOK, asText, []byte("ok\n")) }

func (s *Server) ready(c *call) {
	st := s.status()
	if !st.Ready {
		c.bytes(http.StatusServiceUnavailable, asText, []byte("not ready: "+st.Problem+"\n"))
		return
	}
	c.bytes(http.StatusOK, asText, []byte("ready\n"))
}

func (s *Server) document(c *call) { c.bytes(http.StatusOK, asJSON, s.openapi) }

func (s *Server) getSession(c *call) (any, *page.Info, error) {
	q := c.query()
	wait := q.duration("wait", longestWait)
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.GetSession(c.r.Context(), c.caller, c.param("id"), wait)
	return reply, nil, err
}

func (s *Server) listConnections(c *call) (any, *page.Info, error) {
	q := c.query()
	var f connection.Query
	f.EmployerID, f.CarrierID = q.owners()
	f.Status = q.enum("status", connection.States...)
	return listing(q, func(p page.Request) ([]connection.Connection, page.Info, error) {
		return s.bank.ListConnections(c.r.Context(), c.caller, f, p)
	})
}

func (s *Server) listAccounts(c *call) (any, *page.Info, error) {
	q := c.query()
	f := account.Query{UserID: q.text("user_id"), ConnectionID: q.text("connection_id")}
	f.EmployerID, f.CarrierID = q.owners()
	f.ConnectionType = q.enum("connection_type", account.Manual, account.Plaid)
	f.Status = q.enum("status", account.Active, account.Inactive)
	f.Primary = q.boolean("primary", q.twin("primary", "is_primary"))
	return listing(q, func(p page.Request) ([]account.Account, page.Info, error) {
		return s.bank.ListAccounts(c.r.Context(), c.caller, f, p)
	})
}

func (s *Server) deleteAccount(c *call) (any, *page.Info, error) {
	q := c.query()
	cascade := q.boolean("cascade", q.text("cascade"))
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.DeleteAccount(c.r.Context(), c.caller, c.param("id"), cascade != nil && *cascade)
	return reply, nil, err
}

func (s *Server) setDefaultAccount(c *call) (any, *page.Info, error) {
	if _, err := decode[account.DefaultParams](c); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.SetDefaultAccount(c.r.Context(), c.caller, c.param("id"))
	return reply, nil, err
}

func (s *Server) listACH(c *call) (any, *page.Info, error) {
	q := c.query()
	f := account.ACHQuery{BankAccountID: q.text("bank_account_id")}
	employer, carrier := q.text("employer_id"), q.text("carrier_id")
	f.OwnerType, f.OwnerID = q.enum("owner_type", account.Employer, account.Carrier), q.text("owner_id")
	switch {
	case employer != "" && carrier != "":
		q.bad.Add("carrier_id", "an ACH account has one owner: give employer_id or carrier_id")
	case employer != "":
		f.OwnerType, f.OwnerID = account.Employer, q.same("employer_id", employer, cmp.Or(f.OwnerID, employer))
	case carrier != "":
		f.OwnerType, f.OwnerID = account.Carrier, q.same("carrier_id", carrier, cmp.Or(f.OwnerID, carrier))
	}
	f.Status = q.enum("status", append([]string{account.Active}, account.States...)...)
	f.ConnectionType = q.enum("connection_type", account.Manual, account.Plaid)
	return listing(q, func(p page.Request) ([]account.ACH, page.Info, error) {
		return s.bank.ListACH(c.r.Context(), c.caller, f, p)
	})
}

func (s *Server) listClients(c *call) (any, *page.Info, error) {
	return listing(c.query(), func(p page.Request) ([]tenant.Client, page.Info, error) {
		return s.bank.ListClients(c.r.Context(), c.caller, p)
	})
}

func (s *Server) listTenants(c *call) (any, *page.Info, error) {
	return listing(c.query(), func(p page.Request) ([]tenant.Tenant, page.Info, error) {
		return s.bank.ListTenants(c.r.Context(), c.caller, p)
	})
}

func (s *Server) listAudit(c *call) (any, *page.Info, error) {
	q := c.query()
	f := trail.Query{
		Limit: q.number("limit"), BeforeSeq: uint64(q.number("before")), Action: q.text("action"), Object: q.text("object"),
		ClientID: q.text("client_id"), Since: q.moment("since"),
	}
	if f.Limit > 1000 {
		q.bad.Add("limit", "must be a whole number from 1 to 1000")
	}
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	rows, err := s.bank.ListAudit(c.r.Context(), c.caller, f)
	return rows, nil, err
}

func (s *Server) verifyAudit(c *call) (any, *page.Info, error) {
	q := c.query()
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.VerifyAudit(c.r.Context(), c.caller)
	return reply, nil, err
}

func (s *Server) removeConnection(c *call) (any, *page.Info, error) {
	q := c.query()
	p := connection.RemoveParams{ACH: q.enum("ach", connection.ACHChoices...)}
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.RemoveConnection(c.r.Context(), c.caller, c.param("id"), p)
	return reply, nil, err
}

// monthAhead is how far the calendar looks where nobody says.
const monthAhead = 30 * 24 * time.Hour

func (s *Server) listExpiring(c *call) (any, *page.Info, error) {
	q := c.query()
	within := q.duration("within", 10*365*24*time.Hour)
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.ListExpiring(c.r.Context(), c.caller, cmp.Or(within, monthAhead))
	return reply, nil, err
}

func (s *Server) listUsage(c *call) (any, *page.Info, error) {
	q := c.query()
	id := q.text("connection_id")
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.ListUsage(c.r.Context(), c.caller, id)
	return reply, nil, err
}

func (s *Server) examine(c *call) (any, *page.Info, error) {
	q := c.query()
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.Examine(c.r.Context(), c.caller)
	return reply, nil, err
}
