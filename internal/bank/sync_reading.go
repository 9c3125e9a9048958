package bank

import (
	"context"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

const (
	syncPage     = 500  // rows a page: Plaid's maximum, so that its data rarely changes between pages
	syncRestarts = 5    // restarts of an update because of such a change
	syncWaits    = 60   // waits in a row for the rate limit, before one page
	syncHeld     = 2000 // rows held in memory before they are staged
)

// reading is one update that is being read.
type reading struct {
	b        *Bank
	caller   tenant.Caller
	tenantID string
	conn     storedConnection
	run      *progress

	held  txn.Update      // rows that are not staged
	rows  int             // of the update so far
	stage *ledger.Stage   // nil while all rows are held
	known map[string]bool // Plaid's account ids that need no look at the accounts
}

// readUpdate reads the pages of one update. If Plaid's data changes meanwhile, or a page fails, it begins again from
// the first cursor: to continue in the middle would lose rows.
func (r *reading) readUpdate(ctx context.Context, from string) (status string, err error) {
	var lastErr error
	for range syncRestarts {
		r.giveUp(ctx)
		status, err := r.readPages(ctx, from)
		switch {
		case err == nil:
			return status, nil
		case plaid.Code(err) == connection.ProductNotReady:
			r.giveUp(ctx)
			return plaid.NotReady, nil
		case plaid.Code(err) == connection.InvalidField && from != "":
			from = "" // a cursor of another Item: read all again; known rows stay
		case plaid.Code(err) != connection.SyncMutation:
			return "", err
		}
		lastErr = err
	}
	f := *fault.As(lastErr)
	f.Retryable = true
	return "", f.WithHint("Plaid's data changes faster than it can be read: try again in a minute")
}

func (r *reading) readPages(ctx context.Context, from string) (status string, err error) {
	r.held.From = from
	r.run.rows.Store(0)
	waited := 0
	for cursor := from; ; {
		p, err := r.b.plaid.SyncTransactions(ctx, r.conn.token(), cursor, syncPage)
		// An update of more pages than the calls of a minute would never end if a rate limit ended it.
		limited := fault.Is(err, fault.RateLimited) && cursor != from && waited < syncWaits
		if limited && sleep(ctx, max(fault.As(err).RetryAfter, 1)) {
			waited++
			continue
		}
		waited = 0
		if err != nil {
			return "", err
		}
		if err := r.take(ctx, p); err != nil {
			return "", err
		}
		if p.More && p.Next == cursor {
			return "", fault.New(fault.PlaidError, "Plaid promises more transactions behind the same cursor")
		}
		if p.Next != "" {
			cursor, r.held.To = p.Next, p.Next
		}
		if !p.More {
			return p.Status, nil
		}
		if p.Next == "" {
			return "", fault.New(fault.PlaidError, "Plaid promises more transactions and names no cursor")
		}
	}
}

// take holds a page's rows, and stages what is held once that is much.
func (r *reading) take(ctx context.Context, p plaid.Page) error {
	if err := r.knowAccounts(ctx, p); err != nil {
		return err
	}
	h := &r.held
	h.Added, h.Modified, h.Removed = append(h.Added, p.Added...), append(h.Modified, p.Modified...), append(h.Removed, p.Removed...)
	h.Unread = append(h.Unread, p.Unread...)
	r.rows += len(p.Added) + len(p.Modified) + len(p.Removed)
	r.run.read(p, r.rows, h.From == "")
	if len(h.Added)+len(h.Modified)+len(h.Removed)+len(h.Unread) < syncHeld {
		return nil
	}
	if r.stage == nil {
		var err error
		if r.stage, err = r.b.ledger.Stage(ctx, r.tenantID, r.conn.ID, h.From == "", r.b.time()); err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

// knowAccounts reads the accounts anew before rows of an account that is not known are taken in: the bank may have given
// an account another id, under which its rows come again.
func (r *reading) knowAccounts(ctx context.Context, p plaid.Page) error {
	if r.known == nil {
		r.known = r.conn.accountIDs()
	}
	var unknown []string
	for _, rows := range [2][]txn.Raw{p.Added, p.Modified} {
		for i := range rows {
			if id := rows[i].AccountID; !r.known[id] {
				r.known[id] = true
				unknown = append(unknown, id)
			}
		}
	}
	if len(unknown) == 0 || !r.conn.Read {
		return nil
	}
	_, err := r.b.syncAccounts(ctx, r.caller, r.conn)
	if err != nil {
		return err
	}
	if r.conn, err = r.b.readConnectionNow(ctx, r.tenantID, r.conn.ID); err != nil {
		return err
	}
	for id := range r.conn.accountIDs() {
		r.known[id] = true
	}
	return nil
}

// flush stages what is held.
func (r *reading) flush(ctx context.Context) error {
	h := &r.held
	err := r.stage.Add(ctx, *h)
	clear(h.Added) // their texts can be collected
	clear(h.Modified)
	clear(h.Removed)
	h.Added, h.Modified, h.Removed, h.Unread = h.Added[:0], h.Modified[:0], h.Removed[:0], h.Unread[:0]
	crashPoint("sync.staged")
	return err
}

// store commits the update in the transaction that commit runs.
func (r *reading) store(ctx context.Context, status string, now time.Time, commit func(context.Context, func(*store.Tx) (txn.Counts, error)) error) error {
	if r.stage == nil {
		return r.b.ledger.Apply(ctx, r.tenantID, r.conn.ID, r.held, status, now, commit)
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	return r.stage.Commit(ctx, r.held.To, status, now, commit)
}

// giveUp drops what was read and not committed.
func (r *reading) giveUp(ctx context.Context) {
	if r.stage != nil {
		if err := r.stage.Abort(context.WithoutCancel(ctx)); err != nil {
			r.b.log.Warn("cannot delete the rows of an update that was given up: the next one does", "connection", r.conn.ID, "error", err.Error())
		}
	}
	r.stage, r.rows, r.held = nil, 0, txn.Update{}
}
