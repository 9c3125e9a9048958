package ledger

import (
	"iter"
	"slices"

	"github.com/bankctl/bankctl/internal/txn"
)

// A row's identity is its place, which its public id encrypts. Plaid's ids of a row change: when a pending row is posted,
// when a bank is migrated and its accounts come under other ids, when Plaid reads an account anew. The rule by which a
// row that comes under an unknown id of Plaid's is one that is here already:
//
//   - It names the row as its pending one.
//   - Or all that the bank says is the same: account (by any of its ids), day, amount, currency, pending or posted,
//     name, check number, and no other hour and no other authorized day. And the row here cannot stand beside it: Plaid
//     took it back, before or in the same update, or told it under a former id of the account.
//
// A row of Plaid's that stands is never taken for another: two equal purchases of a day are two rows. Each row here is
// taken over once, so that of two equal ones that come again both find one.
//
// A row that only its ids of Plaid's change is not updated: what was exported is not exported again.

// contentTag hashes the part of a header that two tellings of one row share.
func contentTag(h rowHeader) uint32 {
	const p1, p2 = 0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f
	n := (uint64(uint32(h.day))<<16 | uint64(h.currency)<<8 | uint64(h.flags&pending)) * p1
	n = (n ^ n>>29 ^ uint64(h.amount)) * p2
	return uint32((n ^ n>>32) >> 8)
}

// sameEntry reports whether two rows can be tellings of one, going by what the bank says of them; exact means that Plaid
// says the same of them too.
func sameEntry(x, y *row) (same, exact bool) {
	const shown = pending | rounded | debit
	if x.day != y.day || x.amount != y.amount || x.currency != y.currency || x.flags&shown != y.flags&shown {
		return false, false
	}
	if x.Name != y.Name || x.CheckNumber != y.CheckNumber || differ(x.Datetime, y.Datetime) || differ(x.AuthorizedDate, y.AuthorizedDate) {
		return false, false
	}
	return true, x.SameBut(y.Details)
}

// differ reports whether both are known and not the same.
func differ(x, y string) bool { return x != "" && y != "" && x != y }

// accountID is Plaid's present id of an account that may be new to the item.
func (a *pendingUpdate) accountID(no uint16) string { return a.item.alias.of(a.head.Accounts[no]) }

// claim gives a row of an unknown id the identity of one that Plaid told under a former id of its account.
func (a *pendingUpdate) claim(r *txn.Raw) (bool, error) {
	if a.fresh || !a.item.alias.any() || a.item.alias.of(r.AccountID) != r.AccountID {
		return false, nil
	}
	next, err := a.row(r)
	if err != nil {
		return false, err
	}
	at, old, err := a.best(slices.Values(a.formerPlaces(&next)), &next, func(old *row) bool {
		return old.flags&removed == 0 && old.account != next.account
	})
	if err != nil || old == nil {
		return false, err
	}
	if !a.fits(next.rowHeader) {
		return false, errNoRoom
	}
	return true, a.become(at, old, next)
}

// best finds the row among places that is another telling of a row, and of which ok holds: the one whose texts are the
// same too, if there is one.
func (a *pendingUpdate) best(places iter.Seq[locator], next *row, ok func(*row) bool) (best locator, found *row, err error) {
	for at := range places {
		s, err := a.load(at.segment())
		if err != nil {
			return 0, nil, err
		}
		if at.ordinal() >= len(s.rows) {
			return 0, nil, errDamaged
		}
		old := &s.rows[at.ordinal()]
		same, exact := sameEntry(old, next)
		if !same || old.flags&moved != 0 || old == next || a.accountID(old.account) != a.accountID(next.account) || !ok(old) {
			continue
		}
		if exact {
			return at, old, nil
		}
		if found == nil {
			best, found = at, old
		}
	}
	return best, found, nil
}

// formerPlaces lists the rows of a row's day, if some of them are of former ids of its account.
func (a *pendingUpdate) formerPlaces(next *row) (places []locator) {
	for no := range a.item.Head.Accounts {
		if uint16(no) == next.account || a.accountID(uint16(no)) != a.accountID(next.account) {
			continue
		}
		if _, there := a.item.find(&cell{day: next.day, kind: kind{uint16(no), next.currency, next.flags&pending != 0}}); !there {
			continue
		}
		for _, seg := range a.item.segmentsOn(next.day, nil) {
			for i := range int(a.item.segments[seg].rows) {
				places = append(places, locate(a.item.No, seg, i))
			}
		}
		return places
	}
	return nil
}

// become puts a row in the place of one that it is another telling of.
func (a *pendingUpdate) become(at locator, old *row, next row) error {
	next.FirstSeen = old.FirstSeen
	next.keepPendingID(old)
	switch {
	case old.flags&removed != 0:
		a.counts.Added++
	case next.saysTheSame(old):
		next.UpdatedUnix = old.UpdatedUnix
	default:
		a.counts.Modified++
	}
	if err := a.replace(at, old, next); err != nil {
		return err
	}
	a.remember(next.PlaidTransactionID, next.tag, at)
	if next.flags&wasPending != 0 {
		a.point(tagOf(next.PendingTransactionID), at)
	}
	return nil
}

// keepPendingID keeps the id that the row had while it was pending, if Plaid does not tell it again.
func (r *row) keepPendingID(old *row) {
	if r.PendingTransactionID == "" {
		r.PendingTransactionID = old.PendingTransactionID
		r.flags |= old.flags & wasPending
	}
}

// saysTheSame reports whether a telling has nothing new but ids of Plaid's.
func (r *row) saysTheSame(old *row) bool {
	return r.day == old.day && r.amount == old.amount && r.currency == old.currency && r.flags|wasPending == old.flags|wasPending && r.SameBut(old.Details)
}

// heirOf finds the row that this update brought in place of one that it takes back.
func (a *pendingUpdate) heirOf(old *row) (locator, *row, error) {
	return a.best(a.comers.find(a.item.No, contentTag(old.rowHeader)), old, func(heir *row) bool { return heir.flags&removed == 0 })
}

// revive gives rows that this update brought the identity of ones that an earlier update took back. It comes after the
// removals: a row that the same update takes back is nearer.
func (a *pendingUpdate) revive() error {
	if a.item.dead.used == 0 {
		return nil
	}
	for _, slot := range a.comers.slots {
		if slot == 0 {
			continue
		}
		tag, from := uint32(slot>>32), locator(uint64(a.item.No)<<32|uint64(uint32(slot)-1))
		if !a.item.dead.has(tag) {
			continue
		}
		s, err := a.load(from.segment())
		if err != nil {
			return err
		}
		heir := &s.rows[from.ordinal()]
		if heir.flags&removed != 0 {
			continue
		}
		at, old, err := a.best(a.item.dead.find(a.item.No, tag), heir, func(old *row) bool { return old.flags&removed != 0 })
		if err == nil && old != nil {
			err = a.moveInto(at, old, from, heir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// moveInto gives a row that this update brought the identity of one that it takes back. An empty slot stays in its place.
func (a *pendingUpdate) moveInto(at locator, old *row, from locator, heir *row) error {
	next := *heir
	empty := row{rowHeader: rowHeader{day: heir.day, account: heir.account, currency: heir.currency, flags: removed | moved}}
	if err := a.replace(from, heir, empty); err != nil {
		return err
	}
	a.counts.Added--
	return a.become(at, old, next)
}
