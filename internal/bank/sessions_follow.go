package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
)

// follow checks an open session in the background until it has ended.
func (b *Bank) follow(w recordRef) {
	b.sessions.Follow(w.ID, func(ctx context.Context) bool {
		ended, err := b.checkSession(ctx, w)
		if ended || ctx.Err() != nil {
			b.noteDelay(w.ID, nil)
		} else if b.noteDelay(w.ID, err) {
			b.sessions.Tell(w.ID)
		}
		if err != nil && !ended && ctx.Err() == nil {
			b.log.Warn("cannot follow link session", "session", w.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
		}
		return ended
	})
}

// checkSession checks a session once and takes its next step.
func (b *Bank) checkSession(ctx context.Context, w recordRef) (finished bool, err error) {
	var s storedSession
	err = b.db.View(ctx, func(tx *store.Tx) error {
		s, err = linkSessions.Get(tx, w.TenantID, w.ID)
		return missing(err, "link session")
	})
	if err != nil {
		return fault.Is(err, fault.NotFound) || errors.Is(err, store.ErrPoisoned), err
	}
	if s.State == connection.Pending || s.State == connection.Exited {
		if err := b.askPlaid(ctx, w, s); err != nil {
			return false, err
		}
		err = b.db.View(ctx, func(tx *store.Tx) error {
			s, err = linkSessions.Get(tx, w.TenantID, w.ID)
			return missing(err, "link session")
		})
		if err != nil {
			return false, err
		}
	}
	if s.State == connection.Succeeded {
		err = b.afterSuccess(ctx, w, s)
		return err == nil, err
	}
	return !s.unfinished(), nil
}

// askPlaid gets a session's result from Plaid and settles the session.
func (b *Bank) askPlaid(ctx context.Context, w recordRef, s storedSession) error {
	var newest plaid.Outcome
	if s.Hosted {
		outcomes, err := b.plaid.GetLink(ctx, plaid.NewLinkToken(s.LinkToken))
		if err != nil && !b.time().After(s.Expiration) {
			return err
		}
		crashPoint("poll.asked")
		newest = decisiveOutcome(outcomes)
		if s.Mode == "update" && newest.Finished && newest.Exit == nil && len(newest.Accounts) == 0 {
			newest.Accounts = b.sharedAccounts(ctx, w, s)
		}
	}
	if err := b.settleSession(ctx, w, s, newest); err != nil {
		return err
	}
	crashPoint("poll.stored")
	return nil
}

// sharedAccounts reads the accounts that a repaired Item shares, which Plaid does not report in the session; none on a
// failure, after which the later judgement asks again.
func (b *Bank) sharedAccounts(ctx context.Context, w recordRef, s storedSession) []connection.MetadataAccount {
	conn, err := b.connection(ctx, system(w.TenantID), s.ConnectionID)
	if err != nil {
		return nil
	}
	found, _, err := b.plaid.GetAccounts(ctx, conn.token())
	if err != nil {
		return nil
	}
	var out []connection.MetadataAccount
	for _, a := range found {
		out = append(out, connection.MetadataAccount{ID: a.ID, Name: a.Name, Mask: a.Mask, Type: a.Type, Subtype: a.Subtype, VerificationStatus: connection.NullText(a.VerificationStatus)})
	}
	return out
}

// decisiveOutcome picks the opening that decides about a link: a success if there is one, else the last. Beside the one
// that the user ended there can be one that nobody is behind: without a later sign of life it hides no end.
func decisiveOutcome(outcomes []plaid.Outcome) plaid.Outcome {
	var last plaid.Outcome
	for _, o := range outcomes {
		if !o.PublicToken.Empty() || o.HandedOff {
			return o
		}
		if o.Finished || !last.Finished || o.LastSeen.After(last.LastSeen) {
			last = o
		}
	}
	return last
}

// afterSuccess does the session's purpose: the exchange of a new link, the check of a repaired one.
func (b *Bank) afterSuccess(ctx context.Context, w recordRef, s storedSession) error {
	if s.Mode == "update" {
		return b.mended(ctx, w, s)
	}
	if !s.Exchange || s.ConnectionID != "" || s.Trouble != nil {
		return nil //nolint:nilerr // the failure was reported when it happened
	}
	_, _, err := b.exchange(ctx, system(w.TenantID), storedExchange{Params: connection.ExchangeParams{
		PublicToken: s.PublicToken, UserID: s.UserID, EmployerID: s.EmployerID, CarrierID: s.CarrierID, AllowDuplicate: s.AllowDuplicate,
	}})
	if err == nil && s.ACHID != "" {
		err = b.proveLinked(ctx, w, s)
	}
	if err == nil || plaid.OutcomeUnknown(err) || fault.As(err).Retryable || ctx.Err() != nil {
		return err
	}
	return b.abandonSession(ctx, w, fault.As(err))
}

// abandonSession records in a session why it will not be exchanged.
func (b *Bank) abandonSession(ctx context.Context, w recordRef, why *fault.Error) error {
	err := b.write(ctx, system(w.TenantID), func(tx *store.Tx) (auditEvent, error) {
		s, err := linkSessions.Get(tx, w.TenantID, w.ID)
		if err != nil {
			return auditEvent{}, missing(err, "link session")
		}
		s.Trouble = why
		if err := open.Delete(tx, store.SystemTenant, w.ID); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "link.give_up", object: "session:" + w.ID, outcome: string(why.Code)}
		return d, linkSessions.Put(tx, w.TenantID, w.ID, s)
	})
	if err == nil {
		b.sessions.Tell(w.ID)
	}
	return err
}

// resume continues work that a stop or a crash interrupted.
func (b *Bank) resume(ctx context.Context) error {
	var sessions, pending []recordRef
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range open.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			sessions = append(sessions, rec.Value)
		}
		for rec, err := range unfinishedExchanges.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			pending = append(pending, rec.Value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, w := range pending {
		b.finishInBackground(w, 0)
	}
	for _, w := range sessions {
		b.follow(w)
	}
	return nil
}
