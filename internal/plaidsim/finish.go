package plaidsim

import (
	"cmp"
	"slices"
)

// loggedIn continues after a good login.
func (w *formPost) loggedIn() {
	w.ss.LastErr = ""
	if w.lt.Request.update() && !w.lt.Request.SelectAccounts {
		w.finishUpdate()
		return
	}
	if w.ss.Item == "" {
		w.ss.Item = w.s.ids.alnum("item", 37)
	}
	if len(w.offered()) == 0 {
		code := "NO_ACCOUNTS"
		if slices.Contains(w.lt.Request.Products, "auth") {
			code = "NO_AUTH_ACCOUNTS"
		}
		w.s.fail(w.ss, w.now, exitError(code), false)
		return
	}
	w.s.show(w.ss, w.now, "SELECT_ACCOUNT")
}

// offered lists the accounts of this login that pass the caller's filters.
func (w *formPost) offered() []account {
	r := w.lt.Request
	var out []account
	atBank := w.s.fixtures(w.ss.User, w.ss.Custom)
	if it := w.s.st.Items[r.Item]; it != nil {
		r.Products = it.Products
		seen := *it
		seen.Custom = cmp.Or(w.ss.Custom, it.Custom)
		atBank = w.s.openAccounts(&seen)
	}
	for _, f := range atBank {
		if r.offers(f) {
			out = append(out, account{fixture: f, id: w.s.accountID(w.ss.Item, f.mask)})
		}
	}
	return out
}

// single reports whether only one account can be chosen.
func (w *formPost) single() bool {
	return w.lt.Request.Single || w.ss.Method == "match" || w.ss.Method == "automated"
}

func (w *formPost) selectAccount() {
	given := w.form["account_ids"]
	var masks []string
	for _, a := range w.offered() {
		if slices.Contains(given, a.id) {
			masks = append(masks, a.mask)
		}
	}
	switch {
	case len(masks) == 0:
		w.ss.Notice = "Choose at least one account."
		return
	case len(masks) > 1 && w.single():
		w.ss.Notice = "Choose one account."
		return
	}
	w.ss.Chosen = masks
	switch {
	case w.lt.Request.update():
		w.finishUpdate()
	case w.ss.Method != "" && slices.Contains(w.lt.Request.consented(), "auth"):
		w.s.show(w.ss, w.now, "NUMBERS")
	default:
		w.connect(w.newItem())
	}
}

// newItem makes the Item of a login; addItem puts it into the state.
func (w *formPost) newItem() *item {
	r := w.lt.Request
	b := findBank(w.ss.Bank)
	products := slices.Clone(r.Products)
	for _, p := range slices.Concat(r.Required, r.Optional) {
		if b != nil && b.supports([]string{p}) {
			products = append(products, p)
		}
	}
	if w.ss.Item == "" {
		w.ss.Item = w.s.ids.alnum("item", 37)
	}
	return &item{ID: w.ss.Item, Client: w.lt.Client, Institution: w.ss.Bank, User: w.ss.User, Custom: w.ss.Custom,
		Created: w.now, Healed: w.now, Webhook: r.Webhook, Products: uniq(products), Consented: r.consented(), Owner: r.User,
		Chosen: w.ss.Chosen, Verification: map[string]verification{}}
}

func (w *formPost) connect(it *item) {
	w.s.emit(w.ss, w.now, "TRANSITION_VIEW", "view_name", "LOADING")
	w.s.addItem(it, w.lt.Request.Days, w.now)
	w.s.finish(w.lt, w.ss, it, w.now)
}

// finishUpdate repairs the Item and gives it the new consent or the new choice of accounts.
func (w *formPost) finishUpdate() {
	it := w.s.st.Items[w.lt.Request.Item]
	if it == nil || it.Removed {
		w.s.fail(w.ss, w.now, exitError("INVALID_LINK_TOKEN"), false)
		return
	}
	r := w.lt.Request
	before := w.s.beforeSharing(it)
	it.Consented = uniq(slices.Concat(it.Consented, r.consented()))
	it.Products = uniq(slices.Concat(it.Products, r.Products))
	if w.ss.Custom != "" {
		it.Custom = w.ss.Custom
	}
	if r.SelectAccounts {
		it.Chosen = w.ss.Chosen
	}
	w.s.heal(it, r.SelectAccounts, w.now)
	w.s.afterSharing(it, before, w.now)
	w.s.schedule(it)
	w.s.finish(w.lt, w.ss, it, w.now)
}
