package banktest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// Feed is a bank's data as a test tells it: it stands between bankd and the simulator, answers /transactions/sync by
// itself and puts its accounts in place of the simulator's. It tells anything, also what Plaid's document does not allow.
// All Items show the same.
type Feed struct {
	mu       sync.Mutex
	accounts []map[string]any
	rows     map[string]json.RawMessage   // by Plaid's id
	versions []map[string]json.RawMessage // after each Change
}

// NewFeed makes a feed without accounts and rows.
func NewFeed() *Feed { return &Feed{rows: map[string]json.RawMessage{}} }

// Change changes accounts and rows, by their Plaid ids, in one step. A row is anything that can be written as JSON.
func (f *Feed) Change(change func(accounts *[]map[string]any, rows map[string]any)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := make(map[string]any, len(f.rows))
	for id, row := range f.rows {
		rows[id] = row
	}
	change(&f.accounts, rows)
	f.rows = make(map[string]json.RawMessage, len(rows))
	for id, row := range rows {
		if raw, known := row.(json.RawMessage); known {
			f.rows[id] = raw
			continue
		}
		text, err := json.Marshal(row)
		if err != nil {
			panic(err)
		}
		f.rows[id] = text
	}
	f.versions = append(f.versions, maps.Clone(f.rows))
}

// FeedAccount is an account with a balance in US dollars.
func FeedAccount(id, name, mask, kind, subtype string) map[string]any {
	return map[string]any{
		"account_id": id, "name": name, "mask": mask, "official_name": nil, "type": kind, "subtype": subtype,
		"balances": map[string]any{"available": nil, "current": 100.25, "limit": nil, "iso_currency_code": "USD", "unofficial_currency_code": nil},
	}
}

// FeedRow is a posted row of a day's purchase.
func FeedRow(id, account, date, name string, amount any) map[string]any {
	return map[string]any{
		"transaction_id": id, "account_id": account, "date": date, "name": name, "amount": amount, "iso_currency_code": "USD",
		"unofficial_currency_code": nil, "pending": false, "pending_transaction_id": nil, "payment_channel": "in store",
	}
}

// Around is the handler to give to Between.
func (f *Feed) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/transactions/sync":
			f.sync(w, r)
		case "/accounts/get", "/accounts/balance/get":
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			reply := map[string]any{}
			f.mu.Lock()
			accounts := f.accounts
			f.mu.Unlock()
			if rec.Code == http.StatusOK && accounts != nil && json.Unmarshal(rec.Body.Bytes(), &reply) == nil {
				reply["accounts"] = accounts
				writeJSON(w, reply)
				return
			}
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			w.Write(rec.Body.Bytes())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (f *Feed) sync(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var ask struct {
		Cursor string `json:"cursor"`
		Count  int    `json:"count"`
	}
	if err == nil {
		err = json.Unmarshal(body, &ask)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	from, to, offset := 0, len(f.versions), 0
	switch {
	case strings.HasPrefix(ask.Cursor, "p"):
		fmt.Sscanf(ask.Cursor, "p%d.%d.%d", &from, &to, &offset)
	case ask.Cursor != "":
		fmt.Sscanf(ask.Cursor, "v%d", &from)
	}
	before, now := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if from > 0 {
		before = f.versions[from-1]
	}
	if to > 0 {
		now = f.versions[to-1]
	}
	type part struct {
		list string
		row  json.RawMessage
	}
	var parts []part
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if old, known := before[id]; !known {
			parts = append(parts, part{"added", now[id]})
		} else if !bytes.Equal(old, now[id]) {
			parts = append(parts, part{"modified", now[id]})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if _, there := now[id]; !there {
			parts = append(parts, part{"removed", json.RawMessage(fmt.Sprintf(`{"transaction_id":%q}`, id))})
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.list, b.list) })
	end := min(len(parts), offset+max(1, ask.Count))
	reply := map[string]any{
		"added": []json.RawMessage{}, "modified": []json.RawMessage{}, "removed": []json.RawMessage{}, "accounts": []any{},
		"has_more": end < len(parts), "next_cursor": fmt.Sprintf("v%d", to), "request_id": "feed", "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
	}
	if end < len(parts) {
		reply["next_cursor"] = fmt.Sprintf("p%d.%d.%d", from, to, end)
	}
	for _, p := range parts[offset:end] {
		reply[p.list] = append(reply[p.list].([]json.RawMessage), p.row)
	}
	writeJSON(w, reply)
}
