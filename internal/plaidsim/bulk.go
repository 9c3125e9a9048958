package plaidsim

import (
	"slices"
	"strconv"
	"strings"
)

// bulkPrefix begins the user names user_bulk_<N>, 1 to maxBulk: an Item with N
// transactions evenly over 24 months, the newest first. Not one of Plaid's.
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

// bulkHistory reads any stretch of such an Item without making the rest: row i
// is a function of i, and age grows with i.
type bulkHistory struct {
	history
	accounts []account
	rows     int
}

func (h history) bulk() (bulkHistory, bool) {
	accounts := slices.DeleteFunc(slices.Clone(h.s.accounts(h.it)), func(a account) bool {
		return a.typ != "depository" && a.typ != "credit"
	})
	b := bulkHistory{history: h, accounts: accounts, rows: bulkRows(h.it.User)}
	return b, b.rows > 0 && len(accounts) > 0
}

func (b bulkHistory) daysBack(i int) int { return i * bulkDays / b.rows }

// upTo counts the rows that have come by a version.
func (b bulkHistory) upTo(version int) int {
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

func (b bulkHistory) entry(i int) entry {
	e := b.dynamicEntry(b.accounts, i, b.it.Txns.Started.AddDate(0, 0, -b.daysBack(i)), versionInitial, false)
	if i >= b.upTo(versionInitial) {
		e.added = versionHistorical
	}
	return e
}

func (b bulkHistory) entries(version int) []entry {
	out := make([]entry, 0, b.upTo(version))
	for i := range cap(out) {
		out = append(out, b.entry(i))
	}
	return out
}

// stretch is all[skip:skip+count] of the changes between two versions, and how many they are.
func (b bulkHistory) stretch(from, to, skip, count int) (rows []change, total int) {
	first, end := b.upTo(from), b.upTo(to)
	total = max(end-first, 0)
	for i := first + skip; i < min(first+skip+count, end); i++ {
		rows = append(rows, change{b.entry(i), "added"})
	}
	return rows, total
}
