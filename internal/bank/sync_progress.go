package bank

import (
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/txn"
)

// progress is a sync under way: nothing of it is stored before the whole is read.
type progress struct {
	done  chan struct{} // closed when it is over; then reply and err hold
	reply txn.Synced
	err   error

	since  time.Time
	rows   atomic.Int64
	oldest atomic.Int32 // the day that a first update has come to; 0 = not known
}

// read notes a page. Plaid never says how much is to come, but a first update comes newest first.
func (p *progress) read(got plaid.Page, all txn.Update) {
	p.rows.Store(int64(len(all.Added) + len(all.Modified) + len(all.Removed)))
	if all.From != "" || len(got.Added) == 0 {
		return
	}
	if day, err := txn.Day(got.Added[len(got.Added)-1].Date); err == nil {
		p.oldest.Store(day)
	}
}

// underwayNow tells of a sync that is being read; nil where there is none.
func (b *Bank) underwayNow(id string) *connection.Reading {
	v, ok := b.work.underway.Load(id)
	if !ok {
		return nil
	}
	p := v.(*progress)
	r := &connection.Reading{Rows: p.rows.Load(), Since: p.since}
	if day := p.oldest.Load(); day != 0 && b.links.Days > 0 {
		r.Percent = min(max(int(b.time().Unix()/86400-int64(day))*100/b.links.Days, 0), 99)
	}
	return r
}
