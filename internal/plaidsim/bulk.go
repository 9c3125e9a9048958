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
	rows := bulkRows(h.it.User)
	if rows == 0 {
		return bulkHistory{}, false
	}
	b := bulkHistory{history: h, accounts: h.spenders(), rows: rows}
	return b, len(b.accounts) > 0
}

// plain reports whether every row keeps its place: then any stretch can be
// read alone, else all rows have to be made.
func (b bulkHistory) plain() bool {
	return !slices.ContainsFunc(b.it.Txns.Changes, func(c txnChange) bool {
		return c.Kind == changeReissued || c.Kind == changeHidden || c.Kind == changeShown
	})
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

// touched are the rows that something has happened to by a version, in order.
func (b bulkHistory) touched(version int) []int {
	var out []int
	for _, c := range b.it.Txns.Changes {
		if c.Row > 0 && versionHistorical+c.Round <= version && !slices.Contains(out, c.Row-1) {
			out = append(out, c.Row-1)
		}
	}
	slices.Sort(out)
	return out
}

// entryAt is entry with what has happened to it.
func (b bulkHistory) entryAt(i, version int) entry {
	e := b.entry(i)
	for _, c := range b.it.Txns.Changes {
		if v := versionHistorical + c.Round; c.Row == i+1 && v <= version {
			e.suffer(c, v)
		}
	}
	return e
}

// stretch is all[skip:skip+count] of the changes between two versions, and how
// many they are: new rows first, in order, then what happened to older ones.
func (b bulkHistory) stretch(from, to, skip, count int) (rows []change, total int) {
	first, end := b.upTo(from), b.upTo(to)
	var lost []int
	var tail []change
	for _, i := range b.touched(to) {
		e := b.entryAt(i, to)
		switch kind := e.kindOf(from, to, sight{seen: true}); {
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
			rows = append(rows, change{b.entryAt(i, to).at(to), "added"})
		}
	}
	rest := min(max(skip-added, 0), len(tail))
	rows = append(rows, tail[rest:min(rest+count-len(rows), len(tail))]...)
	return rows, added + len(tail)
}

// find is the first row from one end that stands at a version and fits.
func (b bulkHistory) find(version int, fromOldest bool, fits func(entry) bool) (int, bool) {
	n := b.upTo(version)
	for k := range n {
		i := k
		if fromOldest {
			i = n - 1 - k
		}
		if e := b.entryAt(i, version); e.removed == 0 && fits(e) {
			return i, true
		}
	}
	return 0, false
}
