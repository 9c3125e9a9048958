package bank

import (
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/txn"
)

// progress is a sync under way, which shows nothing of its rows before its end.
type progress struct {
	reread bool          // all that Plaid has is read once more
	done   chan struct{} // closed at the end; then reply and err are valid
	reply  txn.Synced
	err    error

	since  time.Time
	rows   atomic.Int64
	oldest atomic.Int32 // the day that a first update has reached; 0: unknown
}

// read counts a page. Plaid never says how much is to come, but a first update begins with the newest rows.
func (p *progress) read(got plaid.Page, rows int, first bool) {
	p.rows.Store(int64(rows))
	if !first || len(got.Added) == 0 {
		return
	}
	if day, err := txn.Day(got.Added[len(got.Added)-1].Date); err == nil {
		p.oldest.Store(day)
	}
}

// underwayNow returns the progress of a running sync; nil if none runs.
func (b *Bank) underwayNow(id string) *connection.Reading {
	v, ok := b.work.underway.Load(id)
	if !ok {
		return nil
	}
	p := v.(*progress)
	r := &connection.Reading{Rows: p.rows.Load(), Since: p.since}
	if day := p.oldest.Load(); day != 0 && b.links.Load().Days > 0 {
		r.Percent = min(max(int(b.time().Unix()/86400-int64(day))*100/b.links.Load().Days, 0), 99)
	}
	return r
}
