package audit

import (
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
)

// DefaultLimit is how many records List returns if the query names no limit.
const DefaultLimit = 50

// List returns the newest records first.
func List(tx *store.Tx, tenant string, q Query) ([]Record, error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	r := store.Range{Reverse: true}
	if q.BeforeSeq > 0 {
		r.To = RecordID(q.BeforeSeq)
	}
	list := []Record{}
	for rec, err := range records.Scan(tx, tenant, r) {
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

func selects(q Query, r Record) bool {
	return (q.Action == "" || q.Action == r.Action) &&
		(q.Object == "" || q.Object == r.Object) &&
		(q.ClientID == "" || q.ClientID == r.ClientID) &&
		!r.Time.Before(q.Since)
}
