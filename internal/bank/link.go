package bank

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// StartLink asks Plaid for a link token and stores the session that it opens.
func (b *Bank) StartLink(ctx context.Context, c tenant.Caller, p connection.LinkParams) (connection.Link, error) {
	if err := allowed(c, p.EmployerID, p.CarrierID); err != nil {
		return connection.Link{}, err
	}
	user, err := b.plaidUser(c.TenantID, p.UserID)
	if err != nil {
		return connection.Link{}, err
	}
	req := plaid.LinkRequest{
		ClientUserID: user, Products: b.links.Load().Products, RequiredIfSupported: b.links.Load().RequiredIfSupported,
		Optional: b.links.Load().Optional, Hosted: p.HostedLink, Webhook: b.links.Load().Webhook,
	}
	if len(p.Products) > 0 {
		req.Products, req.RequiredIfSupported, req.Optional = p.Products, nil, nil
	}
	return b.openSession(ctx, c, req, storedSession{
		Session: connection.Session{Mode: "new", UserID: p.UserID, EmployerID: p.EmployerID, CarrierID: p.CarrierID},
		Hosted:  p.HostedLink, Exchange: p.Exchange, AllowDuplicate: p.AllowDuplicate,
	})
}

// UpdateLink asks for a link token in update mode: to sign in again, to choose accounts, or to consent to more
// products.
func (b *Bank) UpdateLink(ctx context.Context, c tenant.Caller, p connection.UpdateLinkParams) (connection.Link, error) {
	conn, err := b.livingConnection(ctx, c, p.ItemID)
	if err != nil {
		return connection.Link{}, inField(err, "item_id", "is not a connection of yours")
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.Link{}, err
	}
	user, err := b.plaidUser(c.TenantID, p.UserID)
	if err != nil {
		return connection.Link{}, err
	}
	req := plaid.LinkRequest{
		ClientUserID: user, AccessToken: conn.token(), AdditionalConsented: p.Products,
		ChooseAccounts: p.Accounts, Hosted: p.HostedLink,
	}
	link, err := b.openSession(ctx, c, req, storedSession{
		Session: connection.Session{
			Mode: "update", UserID: p.UserID, EmployerID: conn.EmployerID, CarrierID: conn.CarrierID,
			ConnectionID: conn.ID, Institution: &conn.Institution,
		},
		Hosted: p.HostedLink, Choose: p.Accounts,
	})
	if err != nil && connection.Known(plaid.Code(err)) {
		err = b.refusedUpdate(ctx, c, conn, err)
	}
	return link, err
}

// refusedUpdate notes that Plaid refuses another sign-in: only a new link helps.
func (b *Bank) refusedUpdate(ctx context.Context, c tenant.Caller, conn storedConnection, why error) error {
	why = b.noteFailure(ctx, c, conn, why)
	now := b.time()
	latest, err := b.changeConnection(ctx, c, conn.ID, auditEvent{action: "connection.escalate"}, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		return conn.Escalate(plaid.Code(why), now), nil
	})
	if err != nil || latest.Error == nil {
		return why
	}
	f := *fault.As(why)
	return f.WithHint("%s", latest.Error.Hint)
}

func (b *Bank) openSession(ctx context.Context, c tenant.Caller, req plaid.LinkRequest, s storedSession) (connection.Link, error) {
	if err := b.guards.quotas.take(c); err != nil {
		return connection.Link{}, err
	}
	if err := b.roomForSession(ctx, c); err != nil {
		return connection.Link{}, err
	}
	crashPoint("link.ask")
	link, err := b.plaid.CreateLink(ctx, req)
	if err != nil {
		return connection.Link{}, err
	}
	crashPoint("link.asked")
	s.ID, s.State, s.CreatedAt, s.ClientID = newID(b.time()), connection.Pending, b.time(), c.Client.ID
	s.Products, s.Extras = req.Products, slices.Concat(req.RequiredIfSupported, req.Optional)
	s.LinkToken, s.HostedLinkURL, s.Expiration = link.Token.Reveal(), link.HostedURL, link.Expiration
	reply := connection.Link{
		LinkToken: s.LinkToken, HostedLinkURL: s.HostedLinkURL, SessionID: s.ID, Expiration: s.Expiration, RequestID: link.RequestID,
	}
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		d := auditEvent{
			action: "link.start", object: "session:" + s.ID, reply: reply, onWhose: s.employee().String(),
			details: s.employee().details(),
		}
		d.details["mode"], d.details["plaid_request_id"] = s.Mode, link.RequestID
		if err := linkSessions.Put(tx, c.TenantID, s.ID, s); err != nil {
			return auditEvent{}, err
		}
		if err := b.noteSession(tx, c.TenantID, s, s.CreatedAt); err != nil {
			return auditEvent{}, err
		}
		return d, b.openLinkSession(tx, c.TenantID, s)
	})
	if err != nil {
		return connection.Link{}, err
	}
	crashPoint("link.stored")
	b.follow(recordRef{c.TenantID, s.ID})
	return reply, nil
}

// mostOpen bounds the link sessions that a tenant has open: each is asked after until it ends.
const mostOpen = 5000

func (b *Bank) roomForSession(ctx context.Context, c tenant.Caller) error {
	n := 0
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range open.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			if rec.Value.TenantID == c.TenantID {
				n++
			}
		}
		return nil
	})
	if err == nil && n >= mostOpen {
		err = tooMany(time.Minute, "too many link sessions of this tenant are open")
	}
	return err
}

var (
	email = regexp.MustCompile(`^\S+@\S+\.\S+$`)
	phone = regexp.MustCompile(`^\+?[0-9 ().-]{7,24}$`)
)

// plaidUser is the user's id at Plaid (A32): the caller's own, unless it is an e-mail address or a phone number, which
// Plaid refuses.
func (b *Bank) plaidUser(tenantID, userID string) (string, error) {
	if !email.MatchString(userID) && !(phone.MatchString(userID) && digits(userID) >= 7) {
		return userID, nil
	}
	return b.db.Fingerprint(tenantID, "plaid user", []byte(userID))
}

func digits(s string) int {
	return len(s) - len(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s))
}

// inField is the fault of a reference to something that the caller does not see.
func inField(err error, field, reason string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Field(field, reason)
	}
	return err
}
