package bank

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/linkbrowser"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// GetSession reads a link session; with wait it returns when nothing more will happen, or after that time. A read of it may
// show a token, so it is audited.
func (b *Bank) GetSession(ctx context.Context, c tenant.Caller, id string, wait time.Duration) (connection.Session, error) {
	s, err := b.awaitSession(ctx, c, id, wait)
	if err != nil {
		return connection.Session{}, err
	}
	err = b.write(withoutReply(ctx), c, func(*store.Tx) (auditEvent, error) {
		return auditEvent{action: "link.read", object: "session:" + id}, nil
	})
	return s, err
}

func (b *Bank) awaitSession(ctx context.Context, c tenant.Caller, id string, wait time.Duration) (connection.Session, error) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	s, err := b.session(ctx, c, id)
	delayed := b.waits.of(id) != nil
	for err == nil && wait > 0 && !s.Done(s.Exchange) && (delayed || b.waits.of(id) == nil) { // that a delay begins is news
		changed, leave := b.sessions.Await(id)
		if s, err = b.session(ctx, c, id); err == nil && !s.Done(s.Exchange) { // it may have changed before the wait began
			select {
			case <-changed:
			case <-deadline.C:
				wait = 0
			case <-b.life.Stopping():
				wait = 0
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		leave()
		if err == nil {
			s, err = b.session(ctx, c, id)
		}
	}
	if err != nil {
		return connection.Session{}, err
	}
	shown := shownTo(c, s)
	if !s.Done(s.Exchange) {
		shown.Delay = b.waits.of(id)
	}
	return shown, nil
}

// session finds a stored session that the caller may see: its own, or one whose owner is in scope.
func (b *Bank) session(ctx context.Context, c tenant.Caller, id string) (storedSession, error) {
	var s storedSession
	err := b.db.View(ctx, func(tx *store.Tx) error {
		var err error
		s, err = linkSessions.Get(tx, c.TenantID, id)
		return missing(err, "link session")
	})
	if err == nil && !seesSession(c, s) {
		err = fault.New(fault.NotFound, "no such link session")
	}
	return s, err
}

// meantFor reports whether a session was opened for this employee's account, or for none if ref is nil.
func (s storedSession) meantFor(e *EmployeeRef) bool {
	if e == nil {
		return s.AccountID == ""
	}
	return s.AccountID == e.Account
}

// shownTo is a session as a caller sees it: with page and token only if the caller could have opened it.
func shownTo(c tenant.Caller, s storedSession) connection.Session {
	if !mayLink(c, s) {
		s.PublicToken, s.HostedLinkURL = "", ""
	}
	if s.ConnectionID != "" && s.Mode == "new" {
		s.PublicToken = "" // used
	}
	return s.Session
}

// CompleteSession finishes a session without a browser: with the simulator it walks the hosted page, in the sandbox it
// uses Plaid's own shortcut.
func (b *Bank) CompleteSession(ctx context.Context, c tenant.Caller, id string, p connection.CompleteParams) (connection.Session, error) {
	if b.plaid.Environment() == plaid.Production {
		return connection.Session{}, fault.New(fault.Forbidden, "in production only the user can finish Link")
	}
	if c.Client.Role == tenant.Support {
		return connection.Session{}, fault.New(fault.Forbidden, "only whose account it is finishes Link") // A43
	}
	s, err := b.session(ctx, c, id)
	if err != nil {
		return connection.Session{}, err
	}
	if !mayLink(c, s) {
		return connection.Session{}, fault.New(fault.Forbidden, "a session is finished by whoever could have opened it")
	}
	if p.InstitutionID == "" && !p.Exit && s.ACHID == "" {
		return connection.Session{}, fault.Field("institution_id", "is required")
	}
	if s.State != connection.Pending {
		return connection.Session{}, fault.New(fault.Conflict, "this link session is over: it has %s", s.State).WithID(id)
	}
	if b.plaid.Environment() == plaid.Simulated {
		if s.HostedLinkURL == "" {
			return connection.Session{}, fault.New(fault.Conflict, "this session has no hosted page").WithHint("ask for the link token with hosted_link")
		}
		if p.Manual, err = b.typedNumbers(ctx, c.TenantID, s); err != nil {
			return connection.Session{}, err
		}
		crashPoint("page.walk")
		if err := linkbrowser.Walk(ctx, s.HostedLinkURL, p); err != nil {
			return connection.Session{}, err
		}
		crashPoint("page.walked")
	} else if err := b.completeInSandbox(ctx, c, s, p); err != nil {
		return connection.Session{}, err
	}
	b.sessions.Poke(id)
	return b.awaitSession(ctx, c, id, 30*time.Second)
}

func (b *Bank) completeInSandbox(ctx context.Context, c tenant.Caller, s storedSession, p connection.CompleteParams) error {
	o := plaid.Outcome{Finished: true, Exit: &connection.Exit{}}
	switch {
	case p.Exit:
	case s.Mode == "update": // the Item exists; a public token would make another one
		o = plaid.Outcome{Finished: true}
	default:
		token, err := b.plaid.CreateSandboxToken(ctx, p.InstitutionID, p.Username, p.Password, slices.Concat(s.Products, s.Extras), b.links.Load().Webhook)
		if code := plaid.Code(err); len(s.Extras) > 0 && (code == connection.InvalidProduct || code == connection.ProductUnsupported) {
			token, err = b.plaid.CreateSandboxToken(ctx, p.InstitutionID, p.Username, p.Password, s.Products, b.links.Load().Webhook)
		}
		if err != nil {
			return err
		}
		o = plaid.Outcome{Finished: true, PublicToken: token, Institution: &connection.Institution{ID: p.InstitutionID}}
		if s.AccountID != "" { // an employee names the account that was chosen, so the session must know it
			if o, err = b.shareInSandbox(ctx, o, p.Masks); err != nil {
				return err
			}
		}
	}
	return b.settleSession(ctx, recordRef{c.TenantID, s.ID}, s, o)
}

// shareInSandbox adds to an outcome the accounts that Link would have let the user choose: those with the masks, or all
// that Auth covers. Only the Item's access token can read them, so the outcome gets another public token of the Item.
func (b *Bank) shareInSandbox(ctx context.Context, o plaid.Outcome, masks []string) (plaid.Outcome, error) {
	access, _, err := b.plaid.Exchange(ctx, o.PublicToken)
	if err != nil {
		return o, err
	}
	accounts, item, err := b.plaid.GetAccounts(ctx, access)
	if err == nil {
		o.Institution.Name = item.InstitutionName
		o.Accounts, err = offered(accounts, masks)
	}
	if err == nil {
		o.PublicToken, err = b.plaid.CreatePublicToken(ctx, access)
	}
	if err != nil {
		return o, errors.Join(err, b.plaid.RemoveItem(context.WithoutCancel(ctx), access))
	}
	return o, nil
}

// offered lists the accounts that Link offers for Auth, of these masks where there are some.
func offered(accounts []plaid.Account, masks []string) ([]connection.MetadataAccount, error) {
	var out []connection.MetadataAccount
	found := map[string]bool{}
	for _, a := range accounts {
		debitable := a.Type == "depository" && slices.Contains([]string{"checking", "savings", "cash management"}, a.Subtype)
		if !debitable || len(masks) > 0 && !slices.Contains(masks, a.Mask) {
			continue
		}
		found[a.Mask] = true
		out = append(out, connection.MetadataAccount{ID: a.ID, Name: a.Name, Mask: a.Mask, Type: a.Type, Subtype: a.Subtype,
			VerificationStatus: connection.NullText(a.VerificationStatus)})
	}
	for _, mask := range masks {
		if !found[mask] {
			return nil, fault.Field("masks", "the bank offers no account with one of these masks")
		}
	}
	return out, nil
}

// settleSession stores a session's result, unless that was done meanwhile.
func (b *Bank) settleSession(ctx context.Context, w recordRef, s storedSession, o plaid.Outcome) error {
	now := b.time()
	fp, err := b.tokenFingerprint(w.TenantID, o.PublicToken.Reveal())
	if err != nil {
		return err
	}
	global, err := b.tokenFingerprint(store.SystemTenant, o.PublicToken.Reveal())
	if err != nil {
		return err
	}
	err = b.write(ctx, system(w.TenantID), func(tx *store.Tx) (auditEvent, error) {
		latest, err := linkSessions.Get(tx, w.TenantID, w.ID)
		if err != nil {
			return auditEvent{}, missing(err, "link session")
		}
		if latest.State == connection.Succeeded || latest.State == connection.Expired {
			return auditEvent{}, errSettled
		}
		latest.applyOutcome(o, now)
		if latest.State == connection.Pending || latest.State == s.State {
			return auditEvent{}, errSettled
		}
		if err := b.noteSession(tx, w.TenantID, latest, now); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "link." + latest.State, object: "session:" + w.ID, onWhose: latest.employee().String(), details: latest.employee().details()}
		if latest.Exit != nil && latest.Exit.ErrorCode != "" {
			d.details["plaid_error_code"] = latest.Exit.ErrorCode
		}
		if latest.State == connection.Succeeded && latest.PublicToken != "" {
			if err := sessionTokens.Put(tx, w.TenantID, fp, pointer{w.ID}); err != nil {
				return auditEvent{}, err
			}
			if err := tokenTenants.Put(tx, store.SystemTenant, global, w); err != nil {
				return auditEvent{}, err
			}
		}
		mending := latest.Mode == "update" && latest.State == connection.Succeeded // its check is still to come
		if !latest.unfinished() && !mending {
			if err := open.Delete(tx, store.SystemTenant, w.ID); err != nil {
				return auditEvent{}, err
			}
		}
		return d, linkSessions.Put(tx, w.TenantID, w.ID, latest)
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	if err == nil {
		b.sessions.Tell(w.ID)
	}
	if err == nil && s.Mode == "update" {
		b.work.checks.Poke(s.ConnectionID) // the user may have changed something before leaving
	}
	return err
}

var errSettled = errors.New("nothing new")

// applyOutcome updates a session with Plaid's result.
func (s *storedSession) applyOutcome(o plaid.Outcome, now time.Time) {
	switch {
	case !o.PublicToken.Empty() && s.Mode == "new":
		s.State, s.PublicToken = connection.Succeeded, o.PublicToken.Reveal()
		s.Institution, s.Accounts, s.Exit, s.FinishedAt = o.Institution, o.Accounts, nil, &now
	case s.Mode == "update" && o.Finished && (o.HandedOff || o.Exit == nil):
		s.State, s.Exit, s.FinishedAt, s.Accounts = connection.Succeeded, nil, &now, o.Accounts
	case now.After(s.Expiration):
		s.State, s.FinishedAt = connection.Expired, &now
	case o.Finished && o.Exit != nil:
		s.State, s.Exit, s.FinishedAt = connection.Exited, o.Exit, &now
	}
}

// unfinished reports whether bankd must still follow a session: it may end, or be exchanged. A user who left may come
// back to the same page until it expires.
func (s storedSession) unfinished() bool {
	return s.State == connection.Exited || !s.Done(s.Exchange)
}

// system is the caller of bankd's own work.
func system(tenantID string) tenant.Caller { return tenant.Caller{TenantID: tenantID, UID: -1} }
