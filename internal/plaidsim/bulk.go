package plaidsim

import (
	"slices"
	"strconv"
	"strings"
)

// bulkPrefix begins the user names user_bulk_<N>, 1 to maxBulk, which Plaid does not have: an Item with N transactions
// spread evenly over 24 months, the newest first.
const (
	bulkPrefix = "user_bulk_"
	maxBulk    = 1_000_000
	bulkDays   = 730
)

// bulkRows is the N of user_bulk_<N>, or 0 for every other user.
func bulkRows(user string) int {
	digits, ok := strings.CutPrefix(user, bulkPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > maxBulk || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

// bulkHistory computes any row of such an Item without the others: row i is a function of i, and age grows with i.
type bulkHistory struct {
	history
	accounts []account
	rows     int
}

func (h history) bulk() (bulkHistory, bool) {
	rows := bulkRows(h.it.User)
	if rows == 0 {
		return bulkHistory{}, false
	}
	b := bulkHistory{history: h, accounts: h.spenders(), rows: rows}
	return b, len(b.accounts) > 0
}

// seekable reports whether every row keeps its place, so that a page can be computed without the rows before it.
func (b bulkHistory) seekable() bool {
	return !slices.ContainsFunc(b.it.Txns.Changes, func(c txnChange) bool {
		return c.Kind == changeReissued || c.Kind == changeHidden || c.Kind == changeShown
	})
}

func (b bulkHistory) daysBack(i int) int { return i * bulkDays / b.rows }

// rowCount counts the rows that exist at a version.
func (b bulkHistory) rowCount(version int) int {
	days := 0
	switch {
	case version >= versionHistorical:
		days = b.it.Txns.Days
	case version == versionInitial:
		days = min(initialDays, b.it.Txns.Days)
	}
	// The first row at least so old: i*bulkDays/rows >= days.
	return min((days*b.rows+bulkDays-1)/bulkDays, b.rows)
}

func (b bulkHistory) transaction(i int) versionedTxn {
	e := b.dynamicTxn(b.accounts, i, b.it.Txns.Started.AddDate(0, 0, -b.daysBack(i)), versionInitial, false)
	if i >= b.rowCount(versionInitial) {
		e.added = versionHistorical
	}
	return e
}

func (b bulkHistory) transactions(version int) []versionedTxn {
	out := make([]versionedTxn, 0, b.rowCount(version))
	for i := range cap(out) {
		out = append(out, b.transaction(i))
	}
	return out
}

// changedRows lists, in order, the rows that changed by a version.
func (b bulkHistory) changedRows(version int) []int {
	var out []int
	for _, c := range b.it.Txns.Changes {
		if c.Row > 0 && versionHistorical+c.Round <= version && !slices.Contains(out, c.Row-1) {
			out = append(out, c.Row-1)
		}
	}
	slices.Sort(out)
	return out
}

// transactionAt is transaction with the changes up to a version.
func (b bulkHistory) transactionAt(i, version int) versionedTxn {
	e := b.transaction(i)
	for _, c := range b.it.Txns.Changes {
		if v := versionHistorical + c.Round; c.Row == i+1 && v <= version {
			e.apply(c, v)
		}
	}
	return e
}

// changePage returns changes skip to skip+count between two versions, and the number of all: new rows first, then
// changes of older ones.
func (b bulkHistory) changePage(from, to, skip, count int) (rows []change, total int) {
	first, end := b.rowCount(from), b.rowCount(to)
	var lost []int
	var tail []change
	for _, i := range b.changedRows(to) {
		e := b.transactionAt(i, to)
		switch kind := e.syncKind(from, to, visibility{visible: true}); {
		case kind == "modified" || kind == "removed":
			tail = append(tail, change{e.at(to), kind})
		case e.removed > 0 && i >= first && i < end:
			lost = append(lost, i)
		}
	}
	added := max(end-first, 0) - len(lost)
	i := first + skip
	for _, gone := range lost {
		if gone <= i {
			i++
		}
	}
	for ; i < end && len(rows) < count; i++ {
		if !slices.Contains(lost, i) {
			rows = append(rows, change{b.transactionAt(i, to).at(to), "added"})
		}
	}
	rest := min(max(skip-added, 0), len(tail))
	rows = append(rows, tail[rest:min(rest+count-len(rows), len(tail))]...)
	return rows, added + len(tail)
}

// find searches, from one end, the first row that exists at a version and fits.
func (b bulkHistory) find(version int, fromOldest bool, fits func(versionedTxn) bool) (int, bool) {
	n := b.rowCount(version)
	for k := range n {
		i := k
		if fromOldest {
			i = n - 1 - k
		}
		if e := b.transactionAt(i, version); e.removed == 0 && fits(e) {
			return i, true
		}
	}
	return 0, false
}
