package plaidsim

import (
	"slices"
	"time"
)

const (
	dynamicRows    = 50
	dynamicPending = 4 // pending rows at the start, and new ones with every refresh
)

var dynamicNames = []struct {
	name, primary, detailed string
	cents                   int
}{
	{"Corner Grocery", "FOOD_AND_DRINK", "FOOD_AND_DRINK_GROCERIES", 4210},
	{"Metro Transit", "TRANSPORTATION", "TRANSPORTATION_PUBLIC_TRANSIT", 275},
	{"Lantern Coffee", "FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", 485},
	{"Harbor Pharmacy", "MEDICAL", "MEDICAL_PHARMACIES_AND_SUPPLEMENTS", 1899},
	{"Northside Fuel", "TRANSPORTATION", "TRANSPORTATION_GAS", 3650},
	{"Streamly", "ENTERTAINMENT", "ENTERTAINMENT_TV_AND_MOVIES", 1299},
	{"Acme Corp Payroll", "INCOME", "INCOME_WAGES", -185000},
	{"Paper & Ink Books", "GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_BOOKSTORES_AND_NEWSSTANDS", 2340},
}

// dynamic makes the rows of user_transactions_dynamic: 50, the newest pending. Every refresh posts all pending rows,
// adds new pending ones and raises the amount of one older row by 1.00.
func (h history) dynamic(version int) []versionedTxn {
	accounts := h.spenders()
	if len(accounts) == 0 {
		return nil
	}
	var out []versionedTxn
	for i := range dynamicRows {
		back := i * h.it.Txns.Days / dynamicRows
		if i < dynamicPending {
			back = 0
		}
		if v := h.arrival(back); v > 0 {
			out = append(out, h.dynamicTxn(accounts, i, h.it.Txns.Started.AddDate(0, 0, -back), v, i < dynamicPending))
		}
	}
	next := dynamicRows
	for round, at := range h.it.Txns.Rounds {
		v := versionHistorical + round + 1
		if v > version {
			break
		}
		if h.isChange(round) {
			continue
		}
		out = h.post(out, v, at)
		if k := dynamicPending + round; k < dynamicRows && k < len(out) && !out[k].pending {
			out[k].edits = append(slices.Clip(out[k].edits), edit{version: v, amount: out[k].amount + 1})
		}
		for range dynamicPending {
			out = append(out, h.dynamicTxn(accounts, next, at, v, true))
			next++
		}
	}
	return out
}

// post replaces every pending row by a posted one with its pending_transaction_id.
func (h history) post(rows []versionedTxn, version int, at time.Time) []versionedTxn {
	for i := range len(rows) {
		e := &rows[i]
		if !e.pending || e.removed > 0 {
			continue
		}
		e.removed = version
		posted := *e
		posted.id, posted.pendingID = h.s.ids.derivedID("posted", e.id), e.id
		posted.pending, posted.removed, posted.added = false, 0, version
		posted.date = dayString(at)
		rows = append(rows, posted)
	}
	return rows
}

func (h history) dynamicTxn(accounts []account, n int, day time.Time, version int, pending bool) versionedTxn {
	p := dynamicNames[n%len(dynamicNames)]
	a := accounts[roll(len(accounts), h.it.ID, "account", h.id("dynamic", n))]
	cents := p.cents
	if cents > 0 {
		cents += roll(500, h.id("dynamic", n))
	}
	return versionedTxn{id: h.id("dynamic", n), account: a.id, mask: a.mask, date: dayString(day), authorized: dayString(day),
		name: p.name, merchant: p.name, primary: p.primary, detailed: p.detailed, channel: "in store", currency: "USD",
		amount: float64(cents) / 100, pending: pending, added: version}
}
