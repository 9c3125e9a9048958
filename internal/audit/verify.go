package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
)

// VerifyReport is the state of a tenant's chain.
type VerifyReport struct {
	Records  int    `json:"records"`   // read
	FirstBad uint64 `json:"first_bad"` // the first Seq that is missing, changed or out of place; 0 if the chain is whole
	Head     Head   `json:"head"`
}

// OK tells whether the chain is whole.
func (r VerifyReport) OK() bool { return r.FirstBad == 0 }

// Verify recomputes the tenant's chain from its first record to its head.
func Verify(ctx context.Context, db *store.DB, tenant string) (VerifyReport, error) {
	var report VerifyReport
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		report, err = verify(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return VerifyReport{}, fmt.Errorf("verify audit log: %w", err)
	}
	return report, nil
}

func verify(ctx context.Context, tx *store.Tx, tenant string) (VerifyReport, error) {
	var report VerifyReport
	head, err := readHead(tx, tenant)
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return report, err
	}
	report.Head = head
	var last Head
	for rec, err := range records.Scan(tx, tenant, store.Range{}) {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		if errors.Is(err, store.ErrDamaged) { // a record that does not open ends the scan
			report.FirstBad = last.Seq + 1
			return report, nil
		}
		if err != nil {
			return report, err
		}
		report.Records++
		good, err := follows(tx, tenant, last, rec)
		if err != nil {
			return report, err
		}
		if !good && report.FirstBad == 0 {
			report.FirstBad = last.Seq + 1
		}
		last = Head{rec.Value.Seq, rec.Value.Hash}
	}
	if report.FirstBad == 0 && last != head {
		report.FirstBad = last.Seq + 1
	}
	return report, nil
}

// follows tells whether rec is the next link after last.
func follows(tx *store.Tx, tenant string, last Head, rec store.Record[Record]) (bool, error) {
	r := rec.Value
	if r.Seq != last.Seq+1 || rec.ID != recordID(r.Seq) || r.Prev != last.Hash {
		return false, nil
	}
	want, err := hash(tx, tenant, r)
	return want == r.Hash, err
}
