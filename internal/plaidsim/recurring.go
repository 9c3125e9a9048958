package plaidsim

import (
	"cmp"
	"slices"
)

// stream is a series of rows of one account under one name.
type stream struct {
	account, name string
	rows          []versionedTxn
}

func (s *Server) transactionsRecurringGet(c *call) (obj, *apiError) {
	h, version, err := s.openTransactions(c)
	if err != nil {
		return nil, err
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("account_ids"))
	if err != nil {
		return nil, err
	}
	if version < versionHistorical {
		return nil, errNotReady()
	}
	in, out := []obj{}, []obj{}
	for _, st := range h.streams(version, accounts) {
		if st.rows[0].amount < 0 {
			in = append(in, st.object(h))
		} else {
			out = append(out, st.object(h))
		}
	}
	return obj{"inflow_streams": in, "outflow_streams": out, "updated_datetime": stamp(c.now)}, nil
}

const leastRecurring = 3

func (h history) streams(version int, accounts []account) []stream {
	byKey := map[string]*stream{}
	for _, e := range h.between(version, "0000", "9999", accounts) {
		key := e.account + "|" + e.name
		if byKey[key] == nil {
			byKey[key] = &stream{account: e.account, name: e.name}
		}
		byKey[key].rows = append(byKey[key].rows, e)
	}
	var out []stream
	for _, st := range byKey {
		if len(st.rows) >= leastRecurring {
			out = append(out, *st)
		}
	}
	slices.SortFunc(out, func(a, b stream) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.account, b.account)) })
	return out
}

func (st stream) object(h history) obj {
	last, first := st.rows[0], st.rows[len(st.rows)-1]
	rowIDs, sum := []string{}, 0.0
	for _, e := range st.rows {
		rowIDs = append(rowIDs, e.id)
		sum += e.amount
	}
	return obj{"account_id": st.account, "stream_id": h.s.ids.derivedID("stream", st.account, st.name), "category": []string{}, "category_id": "",
		"description": st.name, "merchant_name": orNull(last.merchant), "first_date": first.date, "last_date": last.date,
		"frequency": "MONTHLY", "transaction_ids": rowIDs, "average_amount": money(sum/float64(len(st.rows)), last.currency),
		"last_amount": money(last.amount, last.currency), "is_active": true, "status": "MATURE", "is_user_modified": false,
		"personal_finance_category": finance{Confidence: "HIGH", Detailed: last.detailed, Primary: last.primary}}
}

func money(amount float64, currency string) obj {
	return obj{"amount": amount, "iso_currency_code": orNull(currency), "unofficial_currency_code": nil}
}
