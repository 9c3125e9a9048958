package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// asideRecord is a row that was set aside: what names it and why, and no text of the row. Its key is the connection and
// a keyed digest of the row's id.
type asideRecord struct {
	ID      string    `json:"id,omitempty"` // Plaid's
	Account string    `json:"account,omitempty"`
	Field   string    `json:"field"`
	Reason  string    `json:"reason"`
	Times   int       `json:"times"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

var asides = store.NewCollection[asideRecord]("txn_set_aside")

// mostAside bounds the rows that are listed for a connection; the others are counted.
const mostAside = 1000

// rowFault is the reason why a row cannot be stored. The rest of its update can.
type rowFault struct{ field, reason string }

func (f *rowFault) Error() string { return f.field + " " + f.reason }

// aside is what an update changes of the rows that are set aside.
type aside struct {
	digest func(key string) (string, error)
	whole  bool // the update tells all rows: what it does not tell again is gone
	known  map[string]asideRecord
	told   map[string]bool
	dirty  map[string]bool
	more   int // beyond mostAside
}

// beginAside reads what is set aside of the item.
func (a *pendingUpdate) beginAside(tx *store.Tx, whole bool) error {
	a.aside = aside{whole: whole, known: map[string]asideRecord{}, told: map[string]bool{}, dirty: map[string]bool{}, more: a.head.SetAsideMore}
	if whole {
		a.aside.more = 0
	}
	a.aside.digest = func(key string) (string, error) {
		return a.db.Fingerprint(a.tenant, "set aside", []byte(a.head.ConnectionID), []byte(key))
	}
	if a.head.SetAside == 0 {
		return nil
	}
	for rec, err := range asides.Scan(tx, a.tenant, store.Range{Prefix: a.head.ConnectionID + "."}) {
		if err != nil {
			return err
		}
		a.aside.known[rec.ID] = rec.Value
	}
	return nil
}

func (a *pendingUpdate) asideKey(key string) (string, error) {
	print, err := a.aside.digest(key)
	return a.head.ConnectionID + "." + print, err
}

// setAside notes a row that cannot be stored.
func (a *pendingUpdate) setAside(u txn.Unread) error {
	key, err := a.asideKey(u.Key)
	if err != nil {
		return err
	}
	now := time.UnixMicro(a.now).UTC()
	rec, known := a.aside.known[key]
	if !known {
		if len(a.aside.known) >= mostAside {
			a.aside.more++
			return nil
		}
		rec.First = now
	}
	rec.ID, rec.Account, rec.Field, rec.Reason, rec.Last = u.ID, u.AccountID, u.Field, u.Reason, now
	rec.Times++
	a.aside.known[key], a.aside.told[key], a.aside.dirty[key] = rec, true, true
	return nil
}

// setRowAside notes a row that Plaid sent well and that cannot be stored.
func (a *pendingUpdate) setRowAside(r *txn.Raw, err error) error {
	var f *rowFault
	if !errors.As(err, &f) {
		return err
	}
	return a.setAside(txn.Unread{Key: r.PlaidTransactionID, ID: plainID(r.PlaidTransactionID), AccountID: plainID(r.AccountID), Field: f.field, Reason: f.reason})
}

// plainID returns one of Plaid's ids if a list can show it.
func plainID(id string) string {
	if len(id) > 100 || !txn.IsPlain(id) {
		return ""
	}
	return id
}

// cameWell forgets that a row was set aside.
func (a *pendingUpdate) cameWell(id string) error {
	if len(a.aside.known) == 0 {
		return nil
	}
	key, err := a.asideKey(id)
	if err != nil {
		return err
	}
	if _, known := a.aside.known[key]; known {
		delete(a.aside.known, key)
		a.aside.dirty[key] = true
	}
	return nil
}

// endAside writes what changed; the head's count goes with it.
func (a *pendingUpdate) endAside(tx *store.Tx) error {
	for key := range a.aside.dirty {
		rec, there := a.aside.known[key]
		var err error
		if there {
			err = asides.Put(tx, a.tenant, key, rec)
		} else if err = asides.Delete(tx, a.tenant, key); errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countAside sets the head's count, and drops what a telling of all rows did not tell again.
func (a *pendingUpdate) countAside() {
	if a.aside.whole {
		for key := range a.aside.known {
			if !a.aside.told[key] {
				delete(a.aside.known, key)
				a.aside.dirty[key] = true
			}
		}
	}
	a.head.SetAside, a.head.SetAsideMore = len(a.aside.known), a.aside.more
}

// SetAside lists the rows that are set aside, the latest first.
func (l *Ledger) SetAside(ctx context.Context, tenant string, visible []string) ([]txn.SetAside, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := []txn.SetAside{}
	b := l.tenants[tenant]
	if b == nil {
		return out, nil
	}
	err := l.db.View(ctx, func(tx *store.Tx) error {
		out = out[:0]
		for _, id := range visible {
			it := b.items[id]
			if it == nil || it.Head.SetAside == 0 {
				continue
			}
			for rec, err := range asides.Scan(tx, tenant, store.Range{Prefix: id + "."}) {
				if err != nil {
					return err
				}
				v := rec.Value
				out = append(out, txn.SetAside{
					PlaidTransactionID: v.ID, Place: txn.Place{ConnectionID: id, PlaidAccountID: it.alias.of(v.Account)},
					Field: v.Field, Reason: v.Reason, Times: v.Times, FirstSeen: v.First, LastSeen: v.Last,
				})
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(x, y txn.SetAside) int {
		return cmp.Or(y.LastSeen.Compare(x.LastSeen), cmp.Compare(x.PlaidTransactionID, y.PlaidTransactionID))
	})
	return out, err
}

// CountSetAside counts the rows of all tenants that are set aside.
func (l *Ledger) CountSetAside() (n int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, b := range l.tenants {
		for _, it := range b.items {
			n += it.Head.SetAside + it.Head.SetAsideMore
		}
	}
	return n
}
