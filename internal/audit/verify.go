package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
)

// Verify recomputes the tenant's chain from its first record to its head.
func Verify(ctx context.Context, db *store.DB, tenant string) (Report, error) {
	var report Report
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		report, err = verify(ctx, tx, tenant)
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("verify audit log: %w", err)
	}
	report.Intact = report.FirstBad == 0
	return report, nil
}

func verify(ctx context.Context, tx *store.Tx, tenant string) (Report, error) {
	var report Report
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
		last = Head{Seq: rec.Value.Seq, Hash: rec.Value.Hash}
	}
	if report.FirstBad == 0 && last != head {
		report.FirstBad = last.Seq + 1
	}
	return report, nil
}

// follows reports whether rec is the next link after last.
func follows(tx *store.Tx, tenant string, last Head, rec store.Record[Record]) (bool, error) {
	r := rec.Value
	if r.Seq != last.Seq+1 || rec.ID != RecordID(r.Seq) || r.Prev != last.Hash {
		return false, nil
	}
	want, err := hash(tx, tenant, r)
	return want == r.Hash, err
}
