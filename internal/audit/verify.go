package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/bankctl/bankctl/internal/store"
)

// Verify recomputes the tenant's chains, each from its first record to its head. The report's Head is the store's own
// lane's.
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
	found, err := Heads(tx, tenant)
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return report, err
	}
	report.Head = found[store.OwnLane]
	lanes := slices.Sorted(maps.Keys(found))
	if !slices.Contains(lanes, store.OwnLane) {
		lanes = append(lanes, store.OwnLane) // records without a head are found too
	}
	ends := map[string]Head{} // that records name of other lanes
	for _, lane := range lanes {
		v := verifier{tx: tx, tenant: tenant, lane: lane, head: found[lane], ends: ends}
		if err := v.run(ctx, &report); err != nil {
			return report, err
		}
	}
	for lane, end := range ends {
		if holds, err := Holds(tx, tenant, lane, end); err != nil {
			return report, err
		} else if !holds && report.FirstBad == 0 {
			report.FirstBad = end.Seq
		}
	}
	return report, nil
}

// Holds reports whether end is, or once was, the end of the tenant's chain in a lane.
func Holds(tx *store.Tx, tenant, lane string, end Head) (bool, error) {
	if end.Seq == 0 {
		return true, nil
	}
	r, err := records.Get(tx, tenant, RecordID(lane, end.Seq))
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
		return false, nil
	}
	return r.Hash == end.Hash, err
}

// verifier checks one lane.
type verifier struct {
	tx           *store.Tx
	tenant, lane string
	head         Head
	ends         map[string]Head
}

func (v *verifier) run(ctx context.Context, report *Report) error {
	bad := func(seq uint64) {
		if report.FirstBad == 0 {
			report.FirstBad = seq
		}
	}
	var last Head
	for rec, err := range laneRecords(v.tx, v.tenant, v.lane, 0, false) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(err, store.ErrDamaged) { // a record that does not open ends the scan
			bad(last.Seq + 1)
			return nil
		}
		if err != nil {
			return err
		}
		report.Records++
		good, err := v.follows(last, rec)
		if err != nil {
			return err
		}
		if !good {
			bad(last.Seq + 1)
		}
		for lane, end := range rec.Value.Others {
			if end.Seq > v.ends[lane].Seq {
				v.ends[lane] = end
			}
		}
		last = Head{Seq: rec.Value.Seq, Hash: rec.Value.Hash}
	}
	if last != v.head {
		bad(last.Seq + 1)
	}
	return nil
}

// follows reports whether rec is the next link after last.
func (v *verifier) follows(last Head, rec store.Record[Record]) (bool, error) {
	r := rec.Value
	if r.Seq != last.Seq+1 || rec.ID != RecordID(v.lane, r.Seq) || r.Prev != last.Hash {
		return false, nil
	}
	want, err := hash(v.tx, v.tenant, r)
	return want == r.Hash, err
}
