package main

import (
	"fmt"
	"slices"
	"strings"
)

const txns = api + "/plaid/transactions"

var transactionChecks = []check{
	{84, "transactions: filter employer_id", func(p *probe) { p.txnsOf("employer_id", p.rows().owner, p.shared().owner) }},
	{85, "transactions: filter plaid_item_id", func(p *probe) { p.txnsOf("plaid_item_id", p.rows().item, p.shared().item) }},
	{86, "transactions: filter plaid_account_id", func(p *probe) {
		c := p.rows()
		p.txnsOf("plaid_account_id", c.account("0"), p.shared().account("0"))
		p.same("rows of the account without any", len(p.ok(p.get(p.op, txns+"?plaid_account_id="+c.account("1"))).list("data")), 0)
	}},
	{87, "transactions: filter date_from, the day included", func(p *probe) {
		p.names(txns, "date_from="+day(70), "REFUND", "CUSTOMER WIRE", "RENT")
		p.names(txns, "date_from="+day(69), "REFUND", "CUSTOMER WIRE")
		p.badDates("date_from")
	}},
	{88, "transactions: filter date_to, the day included", func(p *probe) {
		p.names(txns, "date_to="+day(70), "RENT", "PAYROLL RUN")
		p.names(txns, "date_to="+day(71), "PAYROLL RUN")
		p.names(txns, "date_from="+day(70)+"&date_to="+day(70), "RENT")
		p.badDates("date_to")
	}},
	{89, "transactions: filter pending", func(p *probe) {
		c := p.link(p.op, "employer_id", p.id("emp"), object{"institution_id": "ins_109511", "username": "user_transactions_dynamic", "password": "any"})
		p.synced(c, 20)
		of := txns + "?limit=200&employer_id=" + c.owner
		all := len(p.ok(p.get(p.op, of)).list("data"))
		yes, no := p.ok(p.get(p.op, of+"&pending=true")), p.ok(p.get(p.op, of+"&pending=false"))
		p.want(len(yes.list("data")) > 0 && len(no.list("data")) > 0, "%d pending and %d posted", len(yes.list("data")), len(no.list("data")))
		p.same("rows", len(yes.list("data"))+len(no.list("data")), all)
		p.want(!slices.Contains(yes.column("data", "pending"), "false"), "a posted row is among the pending")
		p.want(!slices.Contains(no.column("data", "pending"), "true"), "a pending row is among the posted")
		p.refused(p.get(p.op, of+"&pending=maybe"), 422, "pending")
		p.refused(p.get(p.op, of+"&pending="), 422, "pending")
	}},
	{90, "transactions: page", func(p *probe) { p.pages(txns+"?employer_id="+p.rows().owner, 4) }},
	{91, "transactions: limit", func(p *probe) { p.limits(txns+"?employer_id="+p.rows().owner, 4) }},
	{92, "a transaction is read by its id", func(p *probe) {
		list := p.ok(p.get(p.op, txns+"?limit=1&employer_id="+p.rows().owner))
		r := p.ok(p.get(p.op, txns+"/"+list.text("data.0._id")))
		p.same("what is read", fmt.Sprint(r.at("data")), fmt.Sprint(list.at("data.0")))
		p.refused(p.get(p.op, txns+"/"+strings.Repeat("f", 24)), 404)
	}},
	{93, "summary: filter employer_id", func(p *probe) { p.sumsOf("employer_id", p.rows().owner) }},
	{94, "summary: filter plaid_item_id", func(p *probe) { p.sumsOf("plaid_item_id", p.rows().item) }},
	{95, "summary: filter date_from, the day included", func(p *probe) {
		p.sums("date_from="+day(70), 3, 2_500_000, 15_200_000)
		p.sums("date_from="+day(69), 2, 0, 15_200_000)
		p.refused(p.get(p.op, txns+"/summary?date_from=2026-02-30"), 422, "date_from")
	}},
	{96, "summary: filter date_to, the day included", func(p *probe) {
		p.sums("date_to="+day(70), 2, 12_500_000, 0)
		p.sums("date_to="+day(71), 1, 10_000_000, 0)
		p.sums("date_to="+day(400), 0, 0, 0)
		p.refused(p.get(p.op, txns+"/summary?date_to=2026-02-30"), 422, "date_to")
	}},
	{97, "summary: total_transactions", func(p *probe) { p.total("total_transactions", "4") }},
	{98, "summary: total_debits_cents", func(p *probe) { p.total("total_debits_cents", "12500000") }},
	{99, "summary: total_credits_cents", func(p *probe) { p.total("total_credits_cents", "15200000") }},
	{100, "summary: net_cents, and all four are integers", func(p *probe) {
		p.total("net_cents", "2700000")
		raw := string(p.ok(p.get(p.op, txns+"/summary?employer_id="+p.rows().owner)).raw)
		for _, want := range []string{`"total_transactions":4,`, `"total_debits_cents":12500000,`, `"total_credits_cents":15200000,`, `"net_cents":2700000`} {
			p.want(strings.Contains(raw, want), "%s is not in %s", want, raw)
		}
	}},
	{101, "net is credits less debits: 15,200,000 - 12,500,000 = 2,700,000", func(p *probe) {
		p.sums("date_from="+day(200), 4, 12_500_000, 15_200_000)
		p.sums("date_to="+day(61), 2, 12_500_000, 0)
		c := p.shared()
		p.synced(c, 1)
		r := p.ok(p.get(p.op, txns+"/summary?employer_id="+c.owner))
		var debits, credits, net int
		for k, at := range map[string]*int{"total_debits_cents": &debits, "total_credits_cents": &credits, "net_cents": &net} {
			_, err := fmt.Sscan(r.text("data."+k), at)
			p.want(err == nil, "%s is %v", k, r.at("data."+k))
		}
		p.same("net", net, credits-debits)
		p.want(debits > 0 && credits > 0, "nothing to sum: %s", r)
		sum := 0
		for page := 1; page <= 9; page++ {
			l := p.ok(p.get(p.op, fmt.Sprintf("%s?employer_id=%s&limit=200&page=%d", txns, c.owner, page)))
			for _, cents := range l.column("data", "amount_cents") {
				var n int
				_, _ = fmt.Sscan(cents, &n)
				sum -= n
			}
		}
		p.same("net of all rows", net, sum)
	}},
}

// txnsOf asserts that a filter shows the four rows, and none of them for another value.
func (p *probe) txnsOf(key, value, other string) {
	r := p.ok(p.get(p.op, txns+"?"+key+"="+value))
	p.same("rows", r.column("data", "name"), []string{"REFUND", "CUSTOMER WIRE", "RENT", "PAYROLL RUN"})
	p.want(!strings.Contains(string(p.ok(p.get(p.op, txns+"?limit=200&"+key+"="+other)).raw), "CUSTOMER WIRE"), "%s=%s shows rows of another", key, other)
	p.same("rows of nobody", len(p.ok(p.get(p.op, txns+"?"+key+"=nobody")).list("data")), 0)
	p.refused(p.get(p.op, txns+"?"+key+"="), 422, key)
}

// names asserts the rows that a filter leaves.
func (p *probe) names(path, filter string, want ...string) {
	r := p.ok(p.get(p.op, path+"?employer_id="+p.rows().owner+"&"+filter))
	p.same("rows with "+filter, r.column("data", "name"), want)
}

func (p *probe) badDates(key string) {
	for _, bad := range []string{"2026-02-30", "2026-1-1", "01/02/2026", "yesterday", "2026-01-01T00:00:00Z", ""} {
		p.refused(p.get(p.op, txns+"?"+key+"="+bad), 422, key)
	}
}

func (p *probe) sumsOf(key, value string) {
	r := p.ok(p.get(p.op, txns+"/summary?"+key+"="+value))
	p.same("rows and net", r.text("data.total_transactions")+" "+r.text("data.net_cents"), "4 2700000")
	r = p.ok(p.get(p.op, txns+"/summary?"+key+"=nobody"))
	p.same("rows and net of nobody", r.text("data.total_transactions")+" "+r.text("data.net_cents"), "0 0")
	p.refused(p.get(p.op, txns+"/summary?"+key+"="), 422, key)
}

func (p *probe) sums(filter string, n, debits, credits int) {
	r := p.ok(p.get(p.op, txns+"/summary?employer_id="+p.rows().owner+"&"+filter))
	p.same("the summary with "+filter, join(r.text("data.total_transactions"), r.text("data.total_debits_cents"), r.text("data.total_credits_cents"), r.text("data.net_cents")),
		join(n, debits, credits, credits-debits))
}

func (p *probe) total(key, want string) {
	p.same(key, p.ok(p.get(p.op, txns+"/summary?employer_id="+p.rows().owner)).text("data."+key), want)
	none := p.ok(p.get(p.op, txns+"/summary?employer_id=nobody"))
	p.same(key+" of nobody", none.text("data."+key), "0")
}
