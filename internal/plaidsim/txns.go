package plaidsim

import (
	"slices"
	"time"
)

var updateStatus = []string{"NOT_READY", "INITIAL_UPDATE_COMPLETE", "HISTORICAL_UPDATE_COMPLETE"}

const defaultDays = 90

// startTransactions begins to pull transactions; the first product call or the creation of the Item calls it.
func (s *Server) startTransactions(it *item, days int, now time.Time) {
	if !it.Txns.Started.IsZero() {
		return
	}
	if days == 0 {
		days = defaultDays
	}
	it.Txns.Started, it.Txns.Days, it.Txns.Shared = now, days, masksOf(s.accounts(it))
	s.recordUse(it, "transactions")
	s.schedule(it)
	s.markChanged()
}

func (s *Server) openTransactions(c *call) (history, int, *apiError) {
	if err := s.checkConsent(c.item, "transactions"); err != nil {
		return history{}, 0, err
	}
	s.startTransactions(c.item, c.num("options.days_requested", 0), c.now)
	h := s.history(c.item)
	return h, h.version(c.now), nil
}

func (s *Server) transactionsSync(c *call) (obj, *apiError) {
	h, version, err := s.openTransactions(c)
	if err != nil {
		return nil, err
	}
	if !c.item.Txns.Synced {
		c.item.Txns.Synced = true
		s.markChanged()
	}
	cur := cursor{Item: c.item.ID, To: version, Account: c.str("options.account_id")}
	if given := c.str("cursor"); given == "now" {
		cur.From = version
	} else if given != "" {
		if cur, err = parseCursor(given, c.item.ID); err != nil {
			return nil, err
		}
		if cur.Skip == 0 {
			cur.To = max(cur.From, version)
		}
	}
	if cur.Account != "" {
		if _, err := selectAccounts(s.accounts(c.item), []string{cur.Account}); err != nil {
			return nil, err
		}
	}
	if version == 0 {
		return s.syncNotReady()
	}
	if cur.Skip > 0 && c.item.Txns.Breaks > 0 {
		s.breakPage(c.item, c.now)
		version = h.version(c.now)
	}
	if cur.Skip > 0 && cur.To != version {
		return nil, bad("TRANSACTIONS_ERROR", "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION", "Underlying transaction data changed since last page was fetched. Please restart pagination from last update.")
	}
	return s.syncPage(c, h, cur, version), nil
}

func (s *Server) syncNotReady() (obj, *apiError) {
	if s.opt.Switches.SyncNotReadyError {
		return nil, errNotReady()
	}
	return obj{"accounts": []obj{}, "added": []txn{}, "modified": []txn{}, "removed": []obj{}, "has_more": false,
		"next_cursor": "", "transactions_update_status": updateStatus[0]}, nil
}

// change is one step of a sync: a row added, modified or removed.
type change struct {
	versionedTxn
	kind string
}

// changes lists the steps from one version to another.
func (h history) changes(from, to int, account string) []change {
	var added, modified, removed []change
	views := map[string]visibility{}
	for _, e := range h.transactions(to) {
		if account != "" && e.account != account {
			continue
		}
		view, known := views[e.mask]
		if !known {
			view = h.visibilityOf(e.mask, from, to)
			views[e.mask] = view
		}
		switch e.syncKind(from, to, view) {
		case "added":
			added = append(added, change{e.at(to), "added"})
		case "removed":
			removed = append(removed, change{e, "removed"})
		case "modified":
			modified = append(modified, change{e.at(to), "modified"})
		}
	}
	return slices.Concat(added, modified, removed)
}

// changePage returns the page at a cursor, and the number of all changes.
func (h history) changePage(cur cursor, count int) (page []change, total int) {
	if b, ok := h.bulk(); ok && cur.Account == "" && b.seekable() {
		return b.changePage(cur.From, cur.To, cur.Skip, count)
	}
	all := h.changes(cur.From, cur.To, cur.Account)
	from := min(cur.Skip, len(all))
	return all[from:min(from+count, len(all))], len(all)
}

func (s *Server) syncPage(c *call, h history, cur cursor, version int) obj {
	page, total := h.changePage(cur, c.num("count", 100))
	to := min(cur.Skip, total) + len(page)
	added, modified, removed := []txn{}, []txn{}, []obj{}
	original, pfc := c.flag("options.include_original_description", false), c.pfc()
	for _, ch := range page {
		switch ch.kind {
		case "added":
			added = append(added, ch.row(original, pfc))
		case "modified":
			modified = append(modified, ch.row(original, pfc))
		default:
			removed = append(removed, obj{"transaction_id": ch.id, "account_id": ch.account})
		}
	}
	more := to < total
	next := cursor{Item: cur.Item, From: cur.To, To: cur.To, Account: cur.Account}
	if more {
		next.From, next.Skip = cur.From, to
	}
	sent := next.String()
	if s.opt.Switches.EmptyCursor && version >= versionHistorical && total == 0 && h.empty(version) {
		sent = ""
	}
	return obj{"accounts": s.accountObjects(c.item, h.active(version)), "added": added, "modified": modified, "removed": removed,
		"has_more": more, "next_cursor": sent, "transactions_update_status": updateStatus[min(version, versionHistorical)]}
}

// empty reports whether the Item has never had a transaction.
func (h history) empty(version int) bool {
	if b, ok := h.bulk(); ok && b.rowCount(version) > 0 {
		return false
	}
	return len(h.transactions(version)) == 0
}

func (c *call) pfc() string {
	if v := c.str("options.personal_finance_category_version"); v != "" {
		return v
	}
	return "v2"
}

// active lists the accounts that have transactions.
func (h history) active(version int) []account {
	if b, ok := h.bulk(); ok && b.rowCount(version) > 0 && b.seekable() {
		spends := masksOf(b.accounts)
		return slices.DeleteFunc(h.s.accounts(h.it), func(a account) bool { return !slices.Contains(spends, a.mask) })
	}
	seen := map[string]bool{}
	for _, e := range h.transactions(version) {
		seen[e.account] = true
	}
	return slices.DeleteFunc(slices.Clone(h.s.accounts(h.it)), func(a account) bool { return !seen[a.id] })
}

func (s *Server) transactionsGet(c *call) (obj, *apiError) {
	h, version, err := s.openTransactions(c)
	if err != nil {
		return nil, err
	}
	from, to := c.str("start_date"), c.str("end_date")
	if from > to {
		return nil, errInvalidField("start_date", "must not be after end_date")
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, errNotReady()
	}
	rows := h.between(version, from, to, accounts)
	skip := min(c.num("options.offset", 0), len(rows))
	end := min(skip+c.num("options.count", 100), len(rows))
	out := []txn{}
	for _, e := range rows[skip:end] {
		out = append(out, e.row(c.flag("options.include_original_description", false), c.pfc()))
	}
	return obj{"accounts": s.accountObjects(c.item, accounts), "transactions": out, "total_transactions": len(rows),
		"item": s.itemObject(c.item)}, nil
}

// between lists the rows that exist at a version, newest day first.
func (h history) between(version int, from, to string, accounts []account) []versionedTxn {
	var out []versionedTxn
	for _, e := range h.transactions(version) {
		mine := slices.ContainsFunc(accounts, func(a account) bool { return a.id == e.account })
		if e = e.at(version); mine && (e.removed == 0 || e.removed > version) && e.date >= from && e.date <= to {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b versionedTxn) int {
		switch {
		case a.date > b.date:
			return -1
		case a.date < b.date:
			return 1
		}
		return 0
	})
	return out
}

func (s *Server) transactionsRefresh(c *call) (obj, *apiError) {
	_, version, err := s.openTransactions(c)
	if err != nil {
		return nil, err
	}
	if c.item.User == "user_transactions_dynamic" && version >= versionHistorical {
		c.item.Txns.Rounds = append(c.item.Txns.Rounds, c.now)
		s.markChanged()
		s.announceTransactions(c.item, c.now)
	}
	return obj{}, nil
}

func (s *Server) sandboxTransactionsCreate(c *call) (obj, *apiError) {
	if c.item.User != "user_transactions_dynamic" {
		return nil, errInvalidField("access_token", "must belong to an Item of user_transactions_dynamic")
	}
	_, version, err := s.openTransactions(c)
	if err != nil {
		return nil, err
	}
	if version < versionHistorical {
		return nil, errNotReady()
	}
	batch := createdBatch{Round: len(c.item.Txns.Rounds) + 1}
	for _, a := range slices.Backward(s.accounts(c.item)) {
		if a.typ == "depository" {
			batch.Mask = a.mask
		}
	}
	rows, _ := c.body["transactions"].([]any)
	for _, raw := range rows {
		sub := call{body: raw.(map[string]any)}
		row := createdRow{Transacted: sub.str("date_transacted"), Posted: sub.str("date_posted"),
			Description: sub.str("description"), Currency: sub.str("iso_currency_code"), Amount: sub.decimal("amount")}
		if age := dayString(c.now.AddDate(0, 0, -14)); row.Posted < age || row.Posted > dayString(c.now) {
			return nil, errInvalidField("transactions.date_posted", "must be within the last 14 days")
		}
		batch.Rows = append(batch.Rows, row)
	}
	c.item.Txns.Created = append(c.item.Txns.Created, batch)
	c.item.Txns.Rounds = append(c.item.Txns.Rounds, c.now)
	s.markChanged()
	s.announceTransactions(c.item, c.now)
	return obj{}, nil
}

// announceTransactions sends the webhooks of every version not yet announced. SYNC_UPDATES_AVAILABLE needs a first sync
// call.
func (s *Server) announceTransactions(it *item, now time.Time) {
	h := s.history(it)
	version := h.version(now)
	if version <= it.Txns.Told {
		return
	}
	for v := it.Txns.Told + 1; v <= version; v++ {
		s.tellVersion(it, h, v)
	}
	it.Txns.Told = version
	s.markChanged()
	if it.Txns.Synced {
		s.sendItem(it, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", obj{"initial_update_complete": version >= versionInitial, "historical_update_complete": version >= versionHistorical})
	}
}

func (s *Server) tellVersion(it *item, h history, v int) {
	code := map[int]string{versionInitial: "INITIAL_UPDATE", versionHistorical: "HISTORICAL_UPDATE"}[v]
	if code == "" {
		code = "DEFAULT_UPDATE"
	}
	added, removed := 0, []string{}
	for _, ch := range h.changes(v-1, v, "") {
		switch ch.kind {
		case "added":
			added++
		case "removed":
			removed = append(removed, ch.id)
		}
	}
	if len(removed) > 0 {
		s.sendItem(it, "TRANSACTIONS", "TRANSACTIONS_REMOVED", obj{"removed_transactions": removed})
	}
	s.sendItem(it, "TRANSACTIONS", code, obj{"new_transactions": added})
}
