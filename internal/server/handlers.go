package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
)

// longestWait bounds the parameter wait; callers that need longer repeat the call.
const longestWait = time.Minute

func (s *Server) getStatus(c *call) (any, *page.Info, error) {
	return s.status(), nil, nil
}

func (s *Server) getOwnClient(c *call) (any, *page.Info, error) { return c.caller.Client, nil, nil }

func (s *Server) health(c *call) { c.bytes(http.StatusOK, asText, []byte("ok\n")) }

func (s *Server) ready(c *call) {
	st := s.status()
	if !st.Ready {
		c.bytes(http.StatusServiceUnavailable, asText, []byte("not ready: "+st.Problem+"\n"))
		return
	}
	text := "ready\n"
	for _, notice := range st.Notices {
		text += "notice: " + notice + "\n"
	}
	c.bytes(http.StatusOK, asText, []byte(text))
}

func (s *Server) document(c *call) { c.bytes(http.StatusOK, asJSON, s.openapi) }

func (s *Server) setDefaultAccount(c *call) (any, *page.Info, error) {
	if _, err := decode[account.DefaultParams](c); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.SetDefaultAccount(c.r.Context(), c.caller, c.param("id"))
	return reply, nil, err
}

func (s *Server) verifyAudit(c *call) (any, *page.Info, error) {
	reply, err := s.bank.VerifyAudit(c.r.Context(), c.caller)
	return reply, nil, err
}

// monthAhead is the default of the parameter within, tenYears its maximum.
const (
	monthAhead = 30 * 24 * time.Hour
	tenYears   = 10 * 365 * 24 * time.Hour
)

func (s *Server) getSession(ctx context.Context, caller tenant.Caller, id string, q connection.WaitQuery) (connection.Session, error) {
	return s.bank.GetSession(ctx, caller, id, min(q.Wait, longestWait))
}

func (s *Server) deleteAccount(ctx context.Context, caller tenant.Caller, id string, q account.DeleteQuery) (account.Deleted, error) {
	return s.bank.DeleteAccount(ctx, caller, id, q.Cascade)
}

func (s *Server) listExpiring(ctx context.Context, caller tenant.Caller, q connection.ExpiringQuery) ([]connection.Expiring, error) {
	return s.bank.ListExpiring(ctx, caller, cmp.Or(min(q.Within, tenYears), monthAhead))
}

func (s *Server) listUsage(ctx context.Context, caller tenant.Caller, q connection.UsageQuery) ([]connection.Usage, error) {
	return s.bank.ListUsage(ctx, caller, q.ConnectionID)
}

func (s *Server) examine(c *call) (any, *page.Info, error) {
	reply, err := s.bank.Examine(c.r.Context(), c.caller)
	if err == nil && s.checks != nil {
		around := s.checks(c.r.Context())
		for _, check := range around {
			reply.OK = reply.OK && check.Result == status.Fine
		}
		reply.Checks = append(around, reply.Checks...)
	}
	return reply, nil, err
}

func (s *Server) keyStatus(c *call) (any, *page.Info, error) {
	reply, err := s.bank.KeyStatus(c.r.Context(), c.caller)
	return reply, nil, err
}

func (s *Server) verifyKeys(c *call) (any, *page.Info, error) {
	reply, err := s.bank.VerifyKeys(c.r.Context(), c.caller)
	return reply, nil, err
}
