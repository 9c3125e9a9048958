package audit

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/bankctl/bankctl/internal/store"
)

// DefaultLimit is how many records List returns if the query names no limit.
const DefaultLimit = 50

// List returns the newest records first. Those of several lanes are ordered by time.
func List(tx *store.Tx, tenant string, q Query) ([]Record, error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	found, err := Heads(tx, tenant)
	if err != nil {
		return nil, err
	}
	all := []Record{}
	for _, lane := range slices.Sorted(maps.Keys(found)) {
		list, err := listLane(tx, tenant, lane, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(found) > 1 {
		slices.SortStableFunc(all, func(a, b Record) int {
			return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Lane, b.Lane), cmp.Compare(b.Seq, a.Seq))
		})
		if q.Limit > 0 {
			all = all[:min(len(all), q.Limit)]
		}
	}
	return all, nil
}

func listLane(tx *store.Tx, tenant, lane string, q Query) ([]Record, error) {
	list := []Record{}
	for rec, err := range laneRecords(tx, tenant, lane, q.BeforeSeq, true) {
		if err != nil {
			return nil, fmt.Errorf("list audit records: %w", err)
		}
		if !selects(q, rec.Value) {
			continue
		}
		if list = append(list, rec.Value); len(list) == q.Limit {
			break
		}
	}
	return list, nil
}

// laneRecords yields the records of one lane, below a seq unless that is 0.
func laneRecords(tx *store.Tx, tenant, lane string, before uint64, reverse bool) iter.Seq2[store.Record[Record], error] {
	r := store.Range{Reverse: reverse, Prefix: lanePrefix(lane)}
	if lane == store.OwnLane {
		r.Prefix, r.To = "", "a" // the other lanes' keys begin with a letter
	}
	if before > 0 {
		r.To = RecordID(lane, before)
	}
	return records.Scan(tx, tenant, r)
}

func selects(q Query, r Record) bool {
	return (q.Action == "" || q.Action == r.Action) &&
		(q.Object == "" || q.Object == r.Object) &&
		(q.ClientID == "" || q.ClientID == r.ClientID) &&
		!r.Time.Before(q.Since)
}
