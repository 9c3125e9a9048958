package audit

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/bankctl/bankctl/internal/store"
)

// Ends gives the last seq of each of the tenant's chains, by lane.
func Ends(tx *store.Tx, tenant string) (map[string]uint64, error) {
	found, err := Heads(tx, tenant)
	if err != nil {
		return nil, err
	}
	ends := make(map[string]uint64, len(found))
	for lane, head := range found {
		ends[lane] = head.Seq
	}
	return ends, nil
}

// After returns the records behind the seqs in from, oldest first and at most limit. Those of one lane keep their order.
func After(tx *store.Tx, tenant string, from map[string]uint64, limit int) ([]Record, error) {
	ends, err := Ends(tx, tenant)
	if err != nil {
		return nil, err
	}
	next := map[string]Record{}
	pulls := map[string]func() (store.Record[Record], error, bool){}
	for lane, end := range ends {
		if end <= from[lane] {
			continue
		}
		pull, stop := iter.Pull2(records.Scan(tx, tenant, laneBehind(lane, from[lane])))
		defer stop()
		pulls[lane] = pull
	}
	list := []Record{}
	for {
		for lane, pull := range pulls {
			if _, held := next[lane]; held {
				continue
			}
			rec, err, ok := pull()
			if err != nil {
				return nil, fmt.Errorf("read audit records: %w", err)
			}
			if !ok {
				delete(pulls, lane)
				continue
			}
			next[lane] = rec.Value
		}
		if len(next) == 0 || len(list) == limit {
			return list, nil
		}
		oldest := slices.MinFunc(slices.Sorted(maps.Keys(next)), func(a, b string) int { return next[a].Time.Compare(next[b].Time) })
		list = append(list, next[oldest])
		delete(next, oldest)
	}
}

func laneBehind(lane string, seq uint64) store.Range {
	r := store.Range{Prefix: lanePrefix(lane), From: RecordID(lane, seq+1)}
	if lane == store.OwnLane {
		r.Prefix, r.To = "", "a" // the other lanes' keys begin with a letter
	}
	return r
}

// Before gives, by lane, the last seq whose record is older than a time.
func Before(tx *store.Tx, tenant string, t time.Time) (map[string]uint64, error) {
	ends, err := Ends(tx, tenant)
	if err != nil {
		return nil, err
	}
	for lane, end := range ends {
		var failed error
		older := sort.Search(int(end), func(i int) bool {
			r, err := Get(tx, tenant, RecordID(lane, uint64(i)+1))
			if err != nil {
				failed = err
			}
			return err != nil || !r.Time.Before(t)
		})
		if failed != nil {
			return nil, failed
		}
		ends[lane] = uint64(older)
	}
	return ends, nil
}
