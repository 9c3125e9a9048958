package main

import (
	"fmt"
	"strings"
	"time"
)

var manualChecks = []check{
	{32, "bank account: user_id is required", func(p *probe) { p.required(api+"/bank-accounts", "user_id", p.manualAccount()) }},
	{33, "bank account: name is required", func(p *probe) { p.required(api+"/bank-accounts", "name", p.manualAccount()) }},
	{34, "bank account: bank_name is required", func(p *probe) { p.required(api+"/bank-accounts", "bank_name", p.manualAccount()) }},
	{35, "bank account: employer_id is optional", func(p *probe) { p.accountOwner("employer_id") }},
	{36, "bank account: carrier_id is optional", func(p *probe) { p.accountOwner("carrier_id") }},
	{37, "bank account: connection_type is manual or plaid, and may be left out", func(p *probe) {
		for _, kind := range []string{"manual", "plaid"} {
			p.same("connection_type", p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "connection_type", kind))).text("data.connection_type"), kind)
		}
		p.same("connection_type", p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data.connection_type"), "manual")
		for _, bad := range []string{"Manual", "widget", ""} {
			p.refused(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "connection_type", bad)), 422, "connection_type")
		}
	}},
	{38, "bank account: primary is an optional boolean", func(p *probe) {
		body := p.manualAccount()
		p.optional(api+"/bank-accounts", "primary", body, "true")
		p.same("primary", p.ok(p.post(p.op, api+"/bank-accounts", body)).at("data.primary"), false)
		one := p.ok(p.post(p.op, api+"/bank-accounts", but(body, "primary", true)))
		p.same("primary", one.at("data.primary"), true)
		p.ok(p.post(p.op, api+"/bank-accounts", but(body, "primary", true)))
		p.same("the first account's primary after another took it", p.ok(p.get(p.op, api+"/bank-accounts/"+one.text("data._id"))).at("data.primary"), false)
	}},
	{39, "ACH account: owner_type is required, employer or carrier", func(p *probe) { p.oneOf(api+"/bank-accounts/ach", "owner_type", p.manualACH()) }},
	{40, "ACH account: owner_id is required", func(p *probe) { p.required(api+"/bank-accounts/ach", "owner_id", p.manualACH()) }},
	{41, "ACH account: routing_number is required, 9 digits", func(p *probe) {
		for _, bad := range []string{"12345678", "0210000210", "02100002x", "021000022", "٠٢١٠٠٠٠٢١"} {
			p.refused(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "routing_number", bad)), 422, "routing_number")
		}
		p.required(api+"/bank-accounts/ach", "routing_number", p.manualACH())
	}},
	{42, "ACH account: account_number is required, 5 to 17 digits", func(p *probe) {
		for _, bad := range []string{"1234", "123456789012345678", "12345x", "1234567٨9"} {
			p.refused(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "account_number", bad)), 422, "account_number")
		}
		for _, good := range []string{"12345", "12345678901234567"} {
			p.same("account_last4", p.ok(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "account_number", good))).text("data.account_last4"), last4(good))
		}
		p.required(api+"/bank-accounts/ach", "account_number", p.manualACH())
	}},
	{43, "ACH account: bank_name is required", func(p *probe) { p.required(api+"/bank-accounts/ach", "bank_name", p.manualACH()) }},
	{44, "ACH account: account_type is required, checking or savings", func(p *probe) {
		for _, bad := range []string{"Checking", "current", "credit"} {
			p.refused(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "account_type", bad)), 422, "account_type")
		}
		p.same("account_type", p.ok(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "account_type", "savings"))).text("data.account_type"), "savings")
		p.required(api+"/bank-accounts/ach", "account_type", p.manualACH())
	}},
	{45, "ACH account: nickname is optional", func(p *probe) {
		p.optional(api+"/bank-accounts/ach", "nickname", p.manualACH(), 7)
		p.same("nickname", p.ok(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "nickname", "Payroll Account"))).text("data.nickname"), "Payroll Account")
		p.same("nickname", p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data.nickname"), "")
	}},
	{46, "ACH account: is_primary is an optional boolean", func(p *probe) {
		body := p.manualACH()
		p.optional(api+"/bank-accounts/ach", "is_primary", body, "true")
		p.same("is_primary", p.ok(p.post(p.op, api+"/bank-accounts/ach", body)).at("data.is_primary"), false)
		one := p.ok(p.post(p.op, api+"/bank-accounts/ach", but(body, "is_primary", true, "account_number", p.number())))
		p.same("is_primary", one.at("data.is_primary"), true)
		p.ok(p.post(p.op, api+"/bank-accounts/ach", but(body, "is_primary", true, "account_number", p.number())))
		p.same("the first account's is_primary after another took it", p.ok(p.get(p.op, api+"/bank-accounts/ach/"+one.text("data._id"))).at("data.is_primary"), false)
	}},
	{47, "ACH account: the reply has _id, account_last4, routing_last4, status, bank_name, account_type", func(p *probe) {
		body := p.manualACH()
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach", body))
		p.want(hex24.MatchString(r.text("data._id")), "_id is %q", r.text("data._id"))
		p.same("account_last4", r.text("data.account_last4"), last4(body["account_number"]))
		p.same("routing_last4", r.text("data.routing_last4"), last4(body["routing_number"]))
		p.same("bank_name", r.text("data.bank_name"), "Chase")
		p.same("account_type", r.text("data.account_type"), "checking")
		p.want(r.text("data.status") != "", "no status")
	}},
	{48, "an ACH account typed by hand starts unverified, whatever the caller says", func(p *probe) {
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH()))
		p.same("status", r.text("data.status"), "unverified")
		p.refused(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "status", "verified")), 422, "status")
		p.refused(p.patch(p.op, api+"/bank-accounts/ach/"+r.text("data._id"), object{"status": "verified"}), 422, "status")
		p.same("status", p.ok(p.get(p.op, api+"/bank-accounts/ach/"+r.text("data._id"))).text("data.status"), "unverified")
	}},
	{49, "full numbers are in no reply", func(p *probe) {
		body := p.manualACH()
		id := p.ok(p.post(p.op, api+"/bank-accounts/ach", body)).text("data._id")
		at := api + "/bank-accounts/ach/" + id
		numbers := []string{body["account_number"].(string), body["routing_number"].(string)}
		for _, r := range []reply{
			p.get(p.op, at), p.get(p.op, api+"/bank-accounts/ach?owner_type=employer&owner_id="+fmt.Sprint(body["owner_id"])), p.patch(p.op, at, object{"nickname": "n"}),
			p.post(p.op, api+"/bank-accounts/ach", body), p.post(p.op, api+"/bank-accounts/ach", but(body, "account_type", "no")),
			p.post(p.op, api+"/bank-accounts/ach", but(body, "nickname", body["account_number"])), p.delete(p.op, at),
		} {
			p.unseen(r.raw, r.call, numbers...)
		}
		p.unseen(p.everythingHeard(), "in what bankd and bankctl said", p.secrets()...)
	}},
	{50, "1234567890 shows as 7890, 021000021 as 0021", func(p *probe) {
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "account_number", "1234567890", "routing_number", "021000021")))
		p.same("last 4", r.text("data.account_last4")+" "+r.text("data.routing_last4"), "7890 0021")
	}},
}

func (p *probe) accountOwner(key string) {
	body := but(p.manualAccount(), "employer_id", absent)
	p.same(key, p.ok(p.post(p.op, api+"/bank-accounts", body)).text("data."+key), "")
	owner := p.id("own")
	p.same(key, p.ok(p.post(p.op, api+"/bank-accounts", but(body, key, owner))).text("data."+key), owner)
	for _, bad := range []any{7, "", "a b", "../x", strings.Repeat("a", 65)} {
		r := p.post(p.op, api+"/bank-accounts", but(body, key, bad))
		p.want(r.status == 400 || r.status == 422, "%v as %s: %s", bad, key, r)
	}
}

var listChecks = []check{
	{51, "bank accounts: filter employer_id", func(p *probe) { p.accountFilter("employer_id") }},
	{52, "bank accounts: filter carrier_id", func(p *probe) { p.accountFilter("carrier_id") }},
	{53, "bank accounts: filter connection_type", func(p *probe) {
		a := p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount()))
		b := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "employer_id", a.text("data.employer_id"), "connection_type", "plaid")))
		of := api + "/bank-accounts?employer_id=" + a.text("data.employer_id")
		p.filtered(of, "connection_type", "manual", a.text("data._id"), b.text("data._id"))
		p.filtered(of, "connection_type", "plaid", b.text("data._id"), a.text("data._id"))
		p.refused(p.get(p.op, of+"&connection_type=widget"), 422, "connection_type")
	}},
	{54, "bank accounts: filter status, active among its values", func(p *probe) {
		a := p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount()))
		b := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "employer_id", a.text("data.employer_id"))))
		p.ok(p.patch(p.op, api+"/bank-accounts/"+b.text("data._id"), object{"status": "inactive"}))
		of := api + "/bank-accounts?employer_id=" + a.text("data.employer_id")
		p.filtered(of, "status", "active", a.text("data._id"), b.text("data._id"))
		p.filtered(of, "status", "inactive", b.text("data._id"), a.text("data._id"))
		p.refused(p.get(p.op, of+"&status=asleep"), 422, "status")
	}},
	{55, "bank accounts: filter primary", func(p *probe) {
		a := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "primary", true)))
		b := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "employer_id", a.text("data.employer_id"))))
		of := api + "/bank-accounts?employer_id=" + a.text("data.employer_id")
		p.filtered(of, "primary", "true", a.text("data._id"), b.text("data._id"))
		p.filtered(of, "primary", "false", b.text("data._id"), a.text("data._id"))
		p.refused(p.get(p.op, of+"&primary=maybe"), 422, "primary")
	}},
	{56, "bank accounts: page", func(p *probe) { p.pages(p.someAccounts()) }},
	{57, "bank accounts: limit, 50 where left out", func(p *probe) { p.limits(p.someAccounts()) }},
	{58, "a bank account is read by its id", func(p *probe) {
		body := p.manualAccount()
		id := p.ok(p.post(p.op, api+"/bank-accounts", body)).text("data._id")
		r := p.ok(p.get(p.op, api+"/bank-accounts/"+id))
		p.same("_id and name", r.text("data._id")+r.text("data.name"), id+"Payroll Account")
		p.refused(p.get(p.op, api+"/bank-accounts/"+strings.Repeat("f", 24)), 404)
	}},
	{59, "a bank account is changed by PATCH", func(p *probe) {
		at := api + "/bank-accounts/" + p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data._id")
		p.ok(p.patch(p.op, at, object{"name": "Other", "bank_name": "Citi"}))
		r := p.ok(p.get(p.op, at))
		p.same("name and bank", r.text("data.name")+r.text("data.bank_name"), "OtherCiti")
		p.refused(p.patch(p.op, at, object{"user_id": "u", "employer_id": "e"}), 422, "user_id", "employer_id")
		p.refused(p.patch(p.op, at, object{"name": nil}), 422, "name")
		p.refused(p.patch(p.op, api+"/bank-accounts/"+strings.Repeat("f", 24), object{"name": "x"}), 404)
	}},
	{60, `a bank account becomes primary by PATCH …/default {"primary":true}`, func(p *probe) {
		a := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "primary", true)))
		b := p.ok(p.post(p.op, api+"/bank-accounts", but(p.manualAccount(), "employer_id", a.text("data.employer_id"))))
		p.same("primary", p.ok(p.patch(p.op, api+"/bank-accounts/"+b.text("data._id")+"/default", object{"primary": true})).at("data.primary"), true)
		p.same("the other's primary", p.ok(p.get(p.op, api+"/bank-accounts/"+a.text("data._id"))).at("data.primary"), false)
		for _, bad := range []object{{"primary": false}, {}, {"primary": nil}} {
			p.refused(p.patch(p.op, api+"/bank-accounts/"+a.text("data._id")+"/default", bad), 422, "primary")
		}
	}},
	{61, "a bank account is deleted by DELETE, and a sync does not bring it back", func(p *probe) {
		id := p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data._id")
		p.ok(p.delete(p.op, api+"/bank-accounts/"+id))
		p.refused(p.get(p.op, api+"/bank-accounts/"+id), 404)
		p.refused(p.delete(p.op, api+"/bank-accounts/"+id), 404)
		c := p.platypus()
		p.ok(p.delete(p.op, api+"/bank-accounts/"+c.bankAccount("1")))
		p.ok(p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": c.item}))
		p.same("accounts after a sync", len(p.ok(p.get(p.op, api+"/bank-accounts?employer_id="+c.owner)).list("data")), 2)
	}},
	{62, "ACH accounts: filter owner_id", func(p *probe) {
		a, b := p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())), p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH()))
		p.filtered(api+"/bank-accounts/ach", "owner_id", a.text("data.owner_id"), a.text("data._id"), b.text("data._id"))
	}},
	{63, "ACH accounts: filter owner_type", func(p *probe) {
		body := p.manualACH()
		a := p.ok(p.post(p.op, api+"/bank-accounts/ach", body))
		b := p.ok(p.post(p.op, api+"/bank-accounts/ach", but(body, "owner_type", "carrier")))
		of := api + "/bank-accounts/ach?owner_id=" + a.text("data.owner_id")
		p.filtered(of, "owner_type", "employer", a.text("data._id"), b.text("data._id"))
		p.filtered(of, "owner_type", "carrier", b.text("data._id"), a.text("data._id"))
		p.refused(p.get(p.op, of+"&owner_type=company"), 422, "owner_type")
	}},
	{64, "ACH accounts: filter status=active, which is any but disabled and deleted", func(p *probe) {
		body := p.manualACH()
		a := p.ok(p.post(p.op, api+"/bank-accounts/ach", body))
		b := p.ok(p.post(p.op, api+"/bank-accounts/ach", but(body, "account_number", p.number())))
		of := api + "/bank-accounts/ach?owner_id=" + a.text("data.owner_id")
		p.ok(p.delete(p.op, api+"/bank-accounts/ach/"+b.text("data._id")))
		p.filtered(of, "status", "active", a.text("data._id"), b.text("data._id"))
		p.same("verified ones", len(p.ok(p.get(p.op, of+"&status=verified")).list("data")), 0)
		c := p.platypus()
		d := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))).text("data._id")
		p.same("active", p.ok(p.get(p.op, api+"/bank-accounts/ach?status=active&owner_id="+c.owner)).column("data", "_id"), []string{d})
		p.ok(p.delete(p.op, api+"/plaid/connections/"+c.id+"?ach=disable"))
		p.same("active after its connection went", len(p.ok(p.get(p.op, api+"/bank-accounts/ach?status=active&owner_id="+c.owner)).list("data")), 0)
	}},
	{65, "ACH accounts: filter connection_type", func(p *probe) {
		c := p.platypus()
		a := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c)))
		b := p.ok(p.post(p.op, api+"/bank-accounts/ach", but(p.manualACH(), "owner_id", c.owner)))
		of := api + "/bank-accounts/ach?owner_type=employer&owner_id=" + c.owner
		p.filtered(of, "connection_type", "plaid", a.text("data._id"), b.text("data._id"))
		p.filtered(of, "connection_type", "manual", b.text("data._id"), a.text("data._id"))
		p.refused(p.get(p.op, of+"&connection_type=widget"), 422, "connection_type")
	}},
	{66, "an ACH account is read by its id", func(p *probe) {
		made := p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH()))
		r := p.ok(p.get(p.op, api+"/bank-accounts/ach/"+made.text("data._id")))
		p.same("what is read", string(r.raw), string(made.raw))
		p.refused(p.get(p.op, api+"/bank-accounts/ach/"+strings.Repeat("f", 24)), 404)
	}},
	{67, "an ACH account is changed by PATCH; numbers, owner and verification are not", func(p *probe) {
		at := api + "/bank-accounts/ach/" + p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data._id")
		p.ok(p.patch(p.op, at, object{"nickname": "Other", "account_type": "savings", "is_primary": true}))
		r := p.ok(p.get(p.op, at))
		p.same("what was changed", r.text("data.nickname")+r.text("data.account_type")+fmt.Sprint(r.at("data.is_primary")), "Othersavingstrue")
		for _, k := range []string{"account_number", "routing_number", "owner_id", "owner_type", "status"} {
			p.refused(p.patch(p.op, at, object{k: "021000021"}), 422, k)
		}
		p.refused(p.patch(p.op, api+"/bank-accounts/ach/"+strings.Repeat("f", 24), object{"nickname": "x"}), 404)
	}},
	{68, "an ACH account is deleted by DELETE", func(p *probe) {
		at := api + "/bank-accounts/ach/" + p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data._id")
		p.ok(p.delete(p.op, at))
		p.refused(p.get(p.op, at), 404)
		p.refused(p.patch(p.op, at, object{"nickname": "x"}), 404)
	}},
	{69, "an ACH account has a connection_type", func(p *probe) {
		p.same("connection_type", p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data.connection_type"), "manual")
		p.same("connection_type", p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(p.platypus()))).text("data.connection_type"), "plaid")
	}},
}

func (p *probe) accountFilter(key string) {
	body := but(p.manualAccount(), "employer_id", absent)
	a := p.ok(p.post(p.op, api+"/bank-accounts", but(body, key, p.id("own"))))
	b := p.ok(p.post(p.op, api+"/bank-accounts", but(body, key, p.id("own"))))
	p.filtered(api+"/bank-accounts", key, a.text("data."+key), a.text("data._id"), b.text("data._id"))
	p.same("rows of an unknown owner", len(p.ok(p.get(p.op, api+"/bank-accounts?"+key+"=nobody")).list("data")), 0)
}

// someAccounts makes three accounts and returns the list of them.
func (p *probe) someAccounts() (path string, n int) {
	body := p.manualAccount()
	for range 3 {
		p.ok(p.post(p.op, api+"/bank-accounts", body))
	}
	return api + "/bank-accounts?employer_id=" + fmt.Sprint(body["employer_id"]), 3
}

// pages asserts that pages of one row each are different and all there are.
func (p *probe) pages(path string, n int) {
	seen := map[string]bool{}
	for i := range n {
		r := p.ok(p.get(p.op, fmt.Sprintf("%s&limit=1&page=%d", path, i+1)))
		for _, id := range r.column("data", "_id") {
			seen[id] = true
		}
		p.same("page, total, pages", join(r.at("pagination.page"), r.at("pagination.total"), r.at("pagination.pages")), join(i+1, n, n))
	}
	p.same("rows on all pages", len(seen), n)
	p.same("rows beyond the last page", len(p.ok(p.get(p.op, fmt.Sprintf("%s&limit=1&page=%d", path, n+1))).list("data")), 0)
	for _, bad := range []string{"0", "-1", "x", "", "1.5"} {
		p.refused(p.get(p.op, path+"&page="+bad), 422, "page")
	}
}

// limits asserts the number of rows on a page.
func (p *probe) limits(path string, n int) {
	r := p.ok(p.get(p.op, path+"&limit=2"))
	p.same("rows and limit", join(len(r.list("data")), r.at("pagination.limit")), join(min(2, n), 2))
	r = p.ok(p.get(p.op, path))
	p.same("rows and limit", join(len(r.list("data")), r.at("pagination.limit")), join(min(50, n), 50))
	p.ok(p.get(p.op, path+"&limit=200"))
	for _, bad := range []string{"0", "-1", "201", "x", ""} {
		p.refused(p.get(p.op, path+"&limit="+bad), 422, "limit")
	}
}

var connectionChecks = []check{
	{70, "connections: filter employer_id", func(p *probe) {
		a, b := p.platypus(), p.shared()
		p.filtered(api+"/plaid/connections", "employer_id", a.owner, a.id, b.id)
	}},
	{71, "connections: filter carrier_id", func(p *probe) {
		a := p.link(p.op, "carrier_id", p.id("car"), object{"institution_id": platypus})
		b := p.link(p.op, "carrier_id", p.id("car"), object{"institution_id": platypus})
		p.filtered(api+"/plaid/connections", "carrier_id", a.owner, a.id, b.id)
	}},
	{72, "connections: filter status=active", func(p *probe) {
		owner := p.id("emp")
		a := p.link(p.op, "employer_id", owner, object{"institution_id": platypus})
		b := p.link(p.op, "employer_id", owner, object{"institution_id": "ins_109511"})
		p.ok(p.delete(p.op, api+"/plaid/connections/"+b.id))
		p.filtered(api+"/plaid/connections?employer_id="+owner, "status", "active", a.id, b.id)
		p.same("ones in need of a login", len(p.ok(p.get(p.op, api+"/plaid/connections?employer_id="+owner+"&status=needs_reauth")).list("data")), 0)
		p.refused(p.get(p.op, api+"/plaid/connections?status=asleep"), 422, "status")
	}},
	{73, "connections: page", func(p *probe) { p.pages(p.someConnections()) }},
	{74, "connections: limit", func(p *probe) { p.limits(p.someConnections()) }},
	{75, "a connection is read by its id", func(p *probe) {
		c := p.shared()
		r := p.ok(p.get(p.op, api+"/plaid/connections/"+c.id))
		p.same("what is read", r.text("data._id")+r.text("data.item_id")+r.text("data.status"), c.id+c.item+"active")
		p.same("accounts", len(r.list("data.accounts")), 3)
		p.refused(p.get(p.op, api+"/plaid/connections/"+strings.Repeat("f", 24)), 404)
	}},
	{76, "link-token/update: user_id is required", func(p *probe) {
		p.required(api+"/plaid/link-token/update", "user_id", object{"user_id": "u", "item_id": p.shared().item})
	}},
	{77, "link-token/update: item_id is required, and known", func(p *probe) {
		r := p.post(p.op, api+"/plaid/link-token/update", object{"user_id": "u", "item_id": "nope"})
		p.want(r.status == 404 || r.status == 422, "an unknown Item: %s", r)
		p.required(api+"/plaid/link-token/update", "item_id", object{"user_id": "u", "item_id": p.shared().item})
	}},
	{78, "link-token/update adds products to a connection", func(p *probe) {
		who := object{"user_id": "u", "employer_id": p.id("emp")}
		first := p.session(p.op, but(who, "products", []string{"auth"}), object{"institution_id": platypus})
		c := p.ok(p.post(p.op, api+"/plaid/exchange", but(who, "public_token", first.text("data.public_token"))))
		at := api + "/plaid/connections/" + c.text("data._id")
		p.want(!strings.Contains(fmt.Sprint(p.ok(p.get(p.op, at)).at("data.products")), "transactions"), "it has transactions before")
		t := p.ok(p.post(p.op, api+"/plaid/link-token/update", object{"user_id": "u", "item_id": c.text("data.item_id"), "products": []string{"transactions"}, "hosted_link": true}))
		s := p.ok(p.post(p.op, api+"/plaid/link-sessions/"+t.text("data.session_id")+"/complete", object{"institution_id": platypus}))
		p.same("state and mode", s.text("data.state")+" "+s.text("data.mode"), "succeeded update")
		p.eventually("transactions among the products", func() bool {
			return strings.Contains(fmt.Sprint(p.ok(p.get(p.op, at)).at("data.products")), "transactions")
		})
		p.refused(p.post(p.op, api+"/plaid/link-token/update", object{"user_id": "u", "item_id": c.text("data.item_id"), "products": []string{"gold"}}), 422, "products")
	}},
	{79, "link-token/update replies data.link_token", func(p *probe) {
		r := p.ok(p.post(p.op, api+"/plaid/link-token/update", object{"user_id": "u", "item_id": p.shared().item}))
		p.want(strings.HasPrefix(r.text("data.link_token"), "link-sandbox-"), "%s", r)
	}},
	{80, "sync-accounts: item_id is required, and known", func(p *probe) {
		r := p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": "nope"})
		p.want(r.status == 404 || r.status == 422, "an unknown Item: %s", r)
		p.required(api+"/plaid/sync-accounts", "item_id", object{"item_id": p.shared().item})
	}},
	{81, "sync-accounts reads the connection's accounts anew", func(p *probe) {
		c := p.platypus()
		before := p.ok(p.get(p.op, api+"/bank-accounts/"+c.bankAccount("0")))
		r := p.ok(p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": c.item}))
		p.same("accounts", len(r.list("data.accounts")), 3)
		after := p.ok(p.get(p.op, api+"/bank-accounts/"+c.bankAccount("0")))
		p.want(after.text("data.balance.as_of") > before.text("data.balance.as_of"), "the balance is of %s still", before.text("data.balance.as_of"))
		p.same("_id", after.text("data._id"), before.text("data._id"))
	}},
	{82, "balance: plaid_item_id is required, and known", func(p *probe) {
		r := p.post(p.op, api+"/plaid/balance", object{"plaid_item_id": "nope"})
		p.want(r.status == 404 || r.status == 422, "an unknown Item: %s", r)
		p.required(api+"/plaid/balance", "plaid_item_id", object{"plaid_item_id": p.platypus().item})
	}},
	{83, "balances are live: each call asks Plaid, and fails where Plaid does", func(p *probe) {
		c := p.platypus()
		began := time.Now().UTC()
		a := p.ok(p.post(p.op, api+"/plaid/balance", object{"plaid_item_id": c.item}))
		b := p.ok(p.post(p.op, api+"/plaid/balance", object{"plaid_item_id": c.item}))
		p.want(a.text("data.as_of") >= began.Format("2006-01-02T15:04:05.000"), "as_of is %s, before the call", a.text("data.as_of"))
		p.want(b.text("data.as_of") > a.text("data.as_of"), "the second call is of %s too", a.text("data.as_of"))
		p.same("the first balance", join(a.at("data.accounts.0.balance.current_cents"), a.at("data.accounts.0.balance.available_cents")), "11000 10000")
		err := p.outage(func() {
			r := p.post(p.op, api+"/plaid/balance", object{"plaid_item_id": c.item})
			p.want(r.status == 502 || r.status == 504, "while Plaid is down: %s", r)
		})
		p.want(err == nil, "the simulator: %v", err)
	}},
}

func (p *probe) someConnections() (path string, n int) {
	owner := p.id("emp")
	for _, ins := range []string{platypus, "ins_109511"} {
		p.link(p.op, "employer_id", owner, object{"institution_id": ins})
	}
	return api + "/plaid/connections?employer_id=" + owner, 2
}

// eventually waits for what happens beside the calls.
func (p *probe) eventually(what string, f func() bool) {
	for end := time.Now().Add(8 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if f() {
			p.want(true, "")
			return
		}
	}
	p.want(false, "never: %s", what)
}
