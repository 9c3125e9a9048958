package ledger_test

import (
	"sync"
	"testing"

	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// Readers beside a writer see whole updates: page, total and sum agree, and only ever grow by an update.
func TestReadersSeeWholeUpdates(t *testing.T) {
	db := openBolt(t)
	l, err := ledger.Open(t.Context(), db, []string{books})
	if err != nil {
		t.Fatal(err)
	}
	const updates, size = 20, 70
	written := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			q := txn.Query{Request: page.Request{Page: 1, Limit: 200}}
			for seen := 0; ; {
				select {
				case <-written:
					return
				default:
				}
				_, info, _, err := l.AppendPage(t.Context(), nil, books, itemNames, q, fillOwner)
				if err != nil || info.Total%size != 0 || info.Total < seen {
					t.Errorf("%d rows after %d, %v", info.Total, seen, err)
					return
				}
				seen = info.Total
				s, err := l.Summarize(t.Context(), books, itemNames, q, true, "month")
				if err != nil || len(s.Each) == 1 && (s.Each[0].Total%size != 0 || int(s.Each[0].Total) < seen) {
					t.Errorf("%+v after %d, %v", s.Each, seen, err)
					return
				}
				if p, err := l.List(t.Context(), books, itemNames, q); err != nil || len(p.Rows) != min(p.Info.Total, q.Limit) {
					t.Errorf("%d rows of %d, %v", len(p.Rows), p.Info.Total, err)
					return
				}
			}
		})
	}
	for n := range updates {
		if err := commit(t.Context(), db, l, itemNames[n%3], ledgerPage(itemNames[n%3], n*size, size), nil); err != nil {
			t.Error(err)
		}
	}
	close(written)
	readers.Wait()
}
