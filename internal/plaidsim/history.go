package plaidsim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// history computes an Item's transactions. It is a pure function of the Item; nothing of it is stored. Version 0 is not
// ready, 1 has the last 30 days, 2 all the days asked for; each later version is a refresh or an event that changed
// something.
type history struct {
	s  *Server
	it *item
}

func (s *Server) history(it *item) history { return history{s, it} }

const (
	versionInitial    = 1
	versionHistorical = 2
	initialDays       = 30
)

func (h history) version(now time.Time) int {
	t := &h.it.Txns
	switch age := now.Sub(t.Started); {
	case t.Started.IsZero() || age < h.s.opt.Ready.Initial:
		return 0
	case age < h.s.opt.Ready.History:
		return versionInitial
	}
	return versionHistorical + len(t.Rounds)
}

// transactions returns all rows ever visible up to the version, oldest version first and newest day first within one.
func (h history) transactions(version int) []versionedTxn {
	if version == 0 {
		return nil
	}
	accounts := h.accounts()
	b, bulk := h.bulk()
	var out []versionedTxn
	switch {
	case bulk && len(h.it.Txns.Changes) == 0:
		return b.transactions(version)
	case bulk:
		out = b.transactions(version)
	case h.it.User == "user_transactions_dynamic":
		out = h.dynamic(version)
	case slices.ContainsFunc(accounts, func(a account) bool { return a.rows != nil || a.inflow.Type != "" }):
		out = h.custom(accounts)
	default:
		out = h.cycle(accounts)
	}
	out = append(out, h.created(accounts, version)...)
	out = h.applyChanges(out, version)
	out = slices.DeleteFunc(out, func(e versionedTxn) bool { return e.added > version })
	slices.SortStableFunc(out, func(a, b versionedTxn) int {
		return cmp.Or(cmp.Compare(a.added, b.added), cmp.Compare(b.date, a.date))
	})
	return out
}

// arrival is the version in which a row of the given age first shows; 0 if it is older than the days asked for.
func (h history) arrival(daysBack int) int {
	switch {
	case daysBack < initialDays:
		return versionInitial
	case daysBack < h.it.Txns.Days:
		return versionHistorical
	}
	return 0
}

// cycleRow is one of the published rows of user_good, which repeat every 30 days.
type cycleRow struct {
	back              int
	mask, name        string
	merchant          string
	amount            float64
	primary, detailed string
	channel           string
}

var goodCycle = []cycleRow{
	{0, "1111", "CREDIT CARD 3333 PAYMENT *//", "", 25.00, "LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", "other"},
	{0, "0000", "Uber 063015 SF**POOL**", "Uber", 5.40, "TRANSPORTATION", "TRANSPORTATION_TAXIS_AND_RIDE_SHARES", "online"},
	{1, "4444", "ACH Electronic CreditGUSTO PAY 123456", "", 5850, "TRANSFER_OUT", "TRANSFER_OUT_ACCOUNT_TRANSFER", "online"},
	{1, "2222", "CD DEPOSIT .INITIAL.", "", 1000, "TRANSFER_OUT", "TRANSFER_OUT_SAVINGS", "other"},
	{2, "3333", "Touchstone Climbing", "Touchstone Climbing", 78.50, "PERSONAL_CARE", "PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS", "in store"},
	{2, "0000", "United Airlines", "United Airlines", -500, "TRAVEL", "TRAVEL_FLIGHTS", "in store"},
	{3, "0000", "McDonald's", "McDonald's", 12, "FOOD_AND_DRINK", "FOOD_AND_DRINK_FAST_FOOD", "in store"},
	{3, "0000", "Starbucks", "Starbucks", 4.33, "FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", "in store"},
	{4, "0000", "SparkFun", "SparkFun", 89.40, "GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_ELECTRONICS", "in store"},
	{5, "1111", "INTRST PYMNT", "", -4.22, "INCOME", "INCOME_INTEREST_EARNED", "other"},
	{15, "3333", "United Airlines", "United Airlines", 500, "TRAVEL", "TRAVEL_FLIGHTS", "in store"},
	{17, "0000", "Uber 072515 SF**POOL**", "Uber", 6.33, "TRANSPORTATION", "TRANSPORTATION_TAXIS_AND_RIDE_SHARES", "online"},
	{20, "3333", "Tectra Inc", "Tectra Inc", 500, "GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE", "in store"},
	{21, "3333", "AUTOMATIC PAYMENT - THANK", "", 2078.50, "LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", "other"},
	{21, "3333", "KFC", "KFC", 500, "FOOD_AND_DRINK", "FOOD_AND_DRINK_FAST_FOOD", "in store"},
	{21, "3333", "Madison Bicycle Shop", "Madison Bicycle Shop", 500, "GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_SPORTING_GOODS", "in store"},
}

const (
	cycleDays = 30
	maxCycles = 24
)

func (h history) cycle(accounts []account) []versionedTxn {
	byMask := map[string]account{}
	for _, a := range accounts {
		byMask[a.mask] = a
	}
	left := map[string]float64{} // each account's balance, counted back from today's
	var out []versionedTxn
	for cycle := range maxCycles {
		for i, r := range goodCycle {
			back := cycle*cycleDays + r.back
			a, shared := byMask[r.mask]
			v := h.arrival(back)
			if !shared || v == 0 {
				continue
			}
			day := h.it.Txns.Started.AddDate(0, 0, -back)
			if _, begun := left[r.mask]; !begun && a.current != nil {
				left[r.mask] = *a.current
			}
			balance := cents(left[r.mask])
			left[r.mask] += r.amount
			out = append(out, versionedTxn{confidence: r.confidence(), balance: &balance, id: h.id("cycle", cycle*len(goodCycle)+i), account: a.id, mask: a.mask, date: dayString(day),
				authorized: dayString(day), name: r.name, merchant: r.merchant, primary: r.primary, detailed: r.detailed,
				channel: r.channel, currency: "USD", amount: r.amount, added: v})
		}
	}
	return out
}

func cents(v float64) float64 { return math.Round(v*100) / 100 }

// confidence is that of the row's category: the better the merchant is known, the higher.
func (r cycleRow) confidence() string {
	switch {
	case merchants[r.merchant].entity != "":
		return "VERY_HIGH"
	case r.merchant != "":
		return "HIGH"
	case r.primary == "LOAN_PAYMENTS":
		return "MEDIUM"
	}
	return "LOW"
}

func (h history) id(kind string, n int) string {
	return h.s.ids.derivedID("txn", h.it.ID, kind, fmt.Sprint(n))
}

// custom are the rows of a user_custom configuration.
func (h history) custom(accounts []account) []versionedTxn {
	var out []versionedTxn
	n := 0
	for _, a := range accounts {
		out = append(out, h.inflowRows(a)...)
		for _, r := range a.rows {
			n++
			r.Posted, r.Transacted = cmp.Or(r.Posted, r.Transacted), cmp.Or(r.Transacted, r.Posted)
			day, err := time.Parse(time.DateOnly, r.Posted)
			if _, bad := time.Parse(time.DateOnly, r.Transacted); bad != nil || err != nil {
				continue
			}
			v := h.arrival(int(h.it.Txns.Started.Sub(day).Hours() / 24))
			if v == 0 {
				continue
			}
			amount, err := r.Amount.Float64()
			if err != nil {
				continue
			}
			e := plainTxn(h.id("custom", n), a, amount, r.Description, r.Posted, v)
			e.authorized, e.currency = r.Transacted, cmp.Or(r.Currency, e.currency)
			out = append(out, e)
		}
	}
	return out
}

func plainTxn(id string, a account, amount float64, name, date string, version int) versionedTxn {
	e := versionedTxn{id: id, account: a.id, mask: a.mask, date: date, authorized: date, name: name, channel: "other",
		currency: a.currencyCode(), amount: amount, added: version, primary: "GENERAL_MERCHANDISE",
		detailed: "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE"}
	if amount < 0 {
		e.primary, e.detailed = "INCOME", "INCOME_OTHER_INCOME"
		if strings.Contains(strings.ToLower(name), "payroll") {
			e.detailed = "INCOME_WAGES"
		}
	}
	return e
}

// created are the rows of /sandbox/transactions/create; batch n belongs to
// refresh round Round.
func (h history) created(accounts []account, version int) []versionedTxn {
	var out []versionedTxn
	for n, batch := range h.it.Txns.Created {
		v := versionHistorical + batch.Round
		if v > version {
			break
		}
		i := slices.IndexFunc(accounts, func(a account) bool { return a.typ == "depository" && (batch.Mask == "" || a.mask == batch.Mask) })
		if i < 0 {
			continue
		}
		for k, r := range batch.Rows {
			amount, err := r.Amount.Float64()
			if err != nil {
				continue
			}
			e := plainTxn(h.id("created", n*100+k), accounts[i], amount, r.Description, r.Posted, v)
			e.authorized = r.Transacted
			if r.Currency != "" {
				e.currency = r.Currency
			}
			out = append(out, e)
		}
	}
	return out
}
