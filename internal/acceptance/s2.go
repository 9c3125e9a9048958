package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

var nobody = strings.Repeat("f", 24)

// required2 asserts that a key of S2's body must be there, and sensible.
func (p *probe) required2(key string, wrong ...any) {
	e := p.employee()
	for _, bad := range append(wrong, absent, "", "   ") {
		p.refused(p.post(p.op, e.path+"/bankaccounts", but(typed(), key, bad)), 422, key)
	}
	p.same("accounts after refusals", len(p.ok(p.get(p.op, e.path+"/bankaccounts")).list("items")), 0)
	p.added(e, typed())
}

var employeeChecks = []check{
	{109, "the flow is for companies with Plaid verification on", func(p *probe) {
		e := p.employee()
		p.ok(p.get(p.op, e.path+"/plaid/"+p.added(e, typed())+"/token"))
		off := "/companies/" + p.id("co") + "/employees/" + p.id("ee")
		r := p.post(p.op, off+"/bankaccounts", typed())
		p.want(r.status == 403 && r.text("error.code") == "capability_disabled", "a company without it: %s", r)
	}},
	{110, "the account belongs to the employee", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		r := p.reloaded(e, id)
		p.same("whose it is", r.text("companyId")+"/"+r.text("employeeId"), e.company+"/"+e.id)
		p.refused(p.get(p.op, "/companies/"+e.company+"/employees/"+p.id("ee")+"/bankaccounts/"+id), 404)
		p.refused(p.get(p.op, "/companies/"+p.id("co")+"/employees/"+e.id+"/bankaccounts/"+id), 404)
	}},
	{111, "the employee does it all in self-service, and only their own", func(p *probe) {
		e := p.employee()
		self := p.client(clientSpec{Name: "self", Role: "operator", Company: e.company, Employee: e.id})
		id := p.ok(p.post(self, e.path+"/bankaccounts", typed())).text("accountId")
		t := p.ok(p.get(self, e.path+"/plaid/"+id+"/token?hosted=true"))
		s := p.ok(p.post(self, api+"/plaid/link-sessions/"+t.text("sessionId")+"/complete", object{"institution_id": platypus, "masks": []string{"0000"}}))
		p.ok(p.post(self, e.path+"/plaid/"+id+"/link", choice(s)))
		p.same("isVerified", p.ok(p.get(self, e.path+"/bankaccounts/"+id)).at("isVerified"), true)
		other := "/companies/" + e.company + "/employees/" + p.id("ee")
		theirs := p.ok(p.post(p.op, other+"/bankaccounts", typed())).text("accountId")
		p.refused(p.get(self, other+"/bankaccounts/"+theirs), 404)
		p.refused(p.get(self, other+"/plaid/"+theirs+"/token"), 404)
		r := p.post(self, other+"/bankaccounts", typed())
		p.want(r.status == 403 || r.status == 404, "another employee's account: %s", r)
	}},
	{112, "the endpoints live under companies/{companyId}/employees/{employeeId}/…", func(p *probe) {
		have := map[string]bool{}
		for _, r := range p.routes() {
			have[r.method+" "+r.path] = true
		}
		at := "/companies/{companyId}/employees/{employeeId}"
		for _, want := range []string{"POST " + at + "/bankaccounts", "GET " + at + "/plaid/{accountId}/token", "POST " + at + "/plaid/{accountId}/link", "GET " + at + "/bankaccounts/{accountId}"} {
			p.want(have[want], "%s is not in the document", want)
		}
		e := p.employee()
		id := p.added(e, typed())
		p.same("under /api/v1", p.ok(p.get(p.op, api+e.path+"/bankaccounts/"+id)).text("accountId"), id)
		p.refused(p.get(p.op, "/employees/"+e.id+"/bankaccounts/"+id), 404)
	}},
	{113, "it is not the company's own account flow", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		r := p.post(p.op, "/companies/"+e.company+"/bankaccounts", typed())
		p.want(r.status == 404 || r.status == 405, "a company's own account: %s", r)
		for _, path := range []string{"/bank-accounts/ach/" + id, "/bank-accounts/" + id} {
			p.refused(p.get(p.op, api+path), 404)
		}
		p.same("S1's accounts of that name", len(p.ok(p.get(p.op, api+"/bank-accounts/ach?owner_id="+e.company)).list("data")), 0)
	}},
	{114, "the calls need companyId and employeeId; the first gives accountId", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.want(hex24.MatchString(id), "accountId is %q", id)
		for _, bad := range []string{"/companies//employees/" + e.id, "/companies/" + e.company + "/employees/", "/companies/a%20b/employees/" + e.id, "/companies/" + e.company + "/employees/a%20b"} {
			r := p.post(p.op, bad+"/bankaccounts", typed())
			p.want(r.status == 404 || r.status == 422 || r.status == 405 || r.status == 400, "%s", r)
		}
		p.refused(p.get(p.op, e.path+"/bankaccounts/"+nobody), 404)
	}},
	{115, "the caller acts in the context of that employee, and the log names both", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		for _, role := range []string{"operator", "viewer"} {
			c := p.client(clientSpec{Name: "not", Role: role, Companies: e.company})
			p.refused(p.post(c, e.path+"/bankaccounts", typed()), 403)
			p.refused(p.get(c, e.path+"/plaid/"+id+"/token"), 403)
		}
		outside := p.client(clientSpec{Name: "outside", Role: "operator", Companies: p.id("co"), ActAs: true})
		p.refused(p.get(outside, e.path+"/bankaccounts/"+id), 404)
		r := p.trail("client_id=" + p.op.ID)
		p.same("on_behalf", r.text("data.0.on_behalf"), e.company+"/"+e.id)
		p.same("client_id", r.text("data.0.client_id"), p.op.ID)
	}},
	{116, "PLAID_VERIFY must be on for Plaid verification", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.honest(func() reply {
			return p.ok(p.delete(p.admin, api+"/admin/companies/"+e.company+"/capabilities/PLAID_VERIFY"))
		})
		for _, r := range []reply{p.get(p.op, e.path+"/plaid/"+id+"/token"), p.post(p.op, e.path+"/bankaccounts", but(typed(), "accountNumber", p.number()))} {
			p.want(r.status == 403 && r.text("error.code") == "capability_disabled", "%s", r)
		}
		p.ok(p.post(p.op, e.path+"/bankaccounts", but(typed(), "accountNumber", p.number(), "verificationType", "Manual")))
		p.honest(func() reply {
			return p.ok(p.call(p.admin, http.MethodPut, api+"/admin/companies/"+e.company+"/capabilities/PLAID_VERIFY", nil))
		})
		p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token"))
	}},
	{117, "Hosted Link may be had", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		t := p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token?hosted=true"))
		code, page := p.page(t.text("hostedLinkUrl"))
		p.want(code == 200 && strings.Contains(strings.ToLower(page), "<form"), "the hosted page answers %d", code)
		p.same("hostedLinkUrl without hosted", p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token")).text("hostedLinkUrl"), "")
	}},
	{118, "body accountHolderName", func(p *probe) { p.required2("accountHolderName") }},
	{119, "body accountNumber", func(p *probe) { p.required2("accountNumber", "1234", "123456789012345678", "12345x") }},
	{120, "body routingNumber", func(p *probe) { p.required2("routingNumber", "12345678", "021000022", "0210000210") }},
	{121, "body accountType", func(p *probe) { p.required2("accountType", "Current", "x") }},
	{122, "body verificationType", func(p *probe) { p.required2("verificationType", "None", "x") }},
	{123, "verificationType Plaid where Plaid is used", func(p *probe) {
		e := p.employee()
		r := p.ok(p.post(p.op, e.path+"/bankaccounts", typed()))
		p.same("verificationType", r.text("verificationType"), "Plaid")
		p.want(p.ok(p.get(p.op, e.path+"/plaid/"+r.text("accountId")+"/token")).text("linkToken") != "", "no linkToken")
	}},
	{124, "verificationType Manual where it is not", func(p *probe) {
		e := p.employee()
		r := p.ok(p.post(p.op, e.path+"/bankaccounts", but(typed(), "verificationType", "Manual")))
		p.same("verificationType and isVerified", join(r.at("verificationType"), r.at("isVerified")), "Manual false")
	}},
	{125, "the account comes before any Plaid step", func(p *probe) {
		e := p.employee()
		p.refused(p.get(p.op, e.path+"/plaid/"+nobody+"/token"), 404)
		p.refused(p.post(p.op, e.path+"/plaid/"+nobody+"/link", choice(p.finishedElsewhere())), 404)
		p.added(e, typed())
	}},
	{126, "the reply gives accountId", func(p *probe) {
		e := p.employee()
		r := p.post(p.op, e.path+"/bankaccounts", typed())
		p.same("status", r.status, 201)
		p.want(hex24.MatchString(r.text("accountId")), "%s", r)
		p.ok(p.get(p.op, e.path+"/bankaccounts/"+r.text("accountId")))
	}},
}

// finishedElsewhere is a finished session of another employee.
func (p *probe) finishedElsewhere() reply {
	e := p.employee()
	return p.signedIn(e, p.added(e, typed()), "0000")
}

// linkBody asserts that a key of the link call's body is required, or may be null; a refusal leaves nothing behind.
func (p *probe) linkBody(key string, mayBeNull bool) {
	e := p.employee()
	id := p.added(e, typed())
	good := choice(p.signedIn(e, id, "0000"))
	r := p.saved(e, id, but(good, key, 7))
	p.want(r.status == 400 || r.status == 422, "a number as %s: %s", key, r)
	if !mayBeNull {
		for _, bad := range []any{absent, "", nil} {
			p.refused(p.saved(e, id, but(good, key, bad)), 422, key)
		}
		p.same("isVerified after refusals", p.reloaded(e, id).at("isVerified"), false)
	} else {
		p.ok(p.saved(e, id, but(good, key, nil)))
	}
	p.ok(p.saved(e, id, good))
	p.same("isVerified", p.reloaded(e, id).at("isVerified"), true)
}

var employeeLinkChecks = []check{
	{127, "a token only after the account is made (ours of it: without one, 404)", func(p *probe) {
		e := p.employee()
		p.refused(p.get(p.op, e.path+"/plaid/"+nobody+"/token"), 404)
		id := p.added(e, typed())
		p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token"))
		p.refused(p.get(p.op, "/companies/"+e.company+"/employees/"+p.id("ee")+"/plaid/"+id+"/token"), 404)
	}},
	{128, "the reply gives linkToken", func(p *probe) {
		e := p.employee()
		r := p.ok(p.get(p.op, e.path+"/plaid/"+p.added(e, typed())+"/token"))
		p.want(strings.HasPrefix(r.text("linkToken"), "link-sandbox-"), "%s", r)
	}},
	{129, "linked before: the token may be of update mode", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.same("mode before", p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token")).text("mode"), "new")
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		r := p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token"))
		p.same("mode after", r.text("mode"), "update")
		p.want(strings.HasPrefix(r.text("linkToken"), "link-sandbox-"), "%s", r)
	}},
	{130, "no linkToken: a failure (ours of it: a reply without one is an error)", func(p *probe) { p.tokenFails(false) }},
	{131, "opening Link is no call of this API (ours of it: no such route, and the page is Plaid's)", func(p *probe) {
		for _, r := range p.routes() {
			if strings.Contains(r.path, "/employees/") && strings.Contains(r.path, "/plaid/") {
				p.want(strings.HasSuffix(r.path, "/token") || strings.HasSuffix(r.path, "/link"), "%s %s", r.method, r.path)
			}
		}
		e := p.employee()
		t := p.ok(p.get(p.op, e.path+"/plaid/"+p.added(e, typed())+"/token?hosted=true"))
		u, err := url.Parse(t.text("hostedLinkUrl"))
		p.want(err == nil && u.Host == p.simAddr, "the page is at %q", t.text("hostedLinkUrl"))
	}},
	{132, "success gives publicToken, account metadata, institution metadata (ours of it: the session's reply)", func(p *probe) {
		s := p.finishedElsewhere()
		p.want(strings.HasPrefix(s.text("data.public_token"), "public-sandbox-"), "%s", s)
		p.want(len(s.list("data.accounts")) == 1 && s.at("data.institution") != nil, "%s", s)
	}},
	{133, "account: id, mask, name, type, subtype, verification status", func(p *probe) {
		a, _ := p.finishedElsewhere().at("data.accounts.0").(object)
		p.same("mask, name, type, subtype", join(a["mask"], a["name"], a["type"], a["subtype"]), join("0000", "Plaid Checking", "depository", "checking"))
		p.want(fmt.Sprint(a["id"]) != "" && a["id"] != nil, "no id")
		_, has := a["verification_status"]
		p.want(has, "no verification_status")
	}},
	{134, "institution: institutionId, institutionName", func(p *probe) {
		s := p.finishedElsewhere()
		p.same("institution", s.text("data.institution.institution_id")+" "+s.text("data.institution.name"), platypus+" "+platypusName)
	}},
	{135, "saving only after Link's success", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		good := choice(p.finishedElsewhere())
		p.refused(p.saved(e, id, but(good, "publicToken", "public-sandbox-00000000-0000-0000-0000-000000000000")), 422, "publicToken")
		p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token?hosted=true"))
		p.refused(p.saved(e, id, but(good, "publicToken", absent)), 422, "publicToken")
		r := p.saved(e, id, good)
		p.want(r.status >= 400 && r.status < 500, "another employee's public token: %s", r)
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), false)
	}},
	{136, "body publicToken", func(p *probe) { p.linkBody("publicToken", false) }},
	{137, "body accountId", func(p *probe) { p.linkBody("accountId", false) }},
	{138, "body accountMask", func(p *probe) { p.linkBody("accountMask", true) }},
	{139, "body accountName", func(p *probe) { p.linkBody("accountName", false) }},
	{140, "body accountType", func(p *probe) { p.linkBody("accountType", false) }},
	{141, "body accountSubtype", func(p *probe) { p.linkBody("accountSubtype", true) }},
	{142, "body institutionId", func(p *probe) { p.linkBody("institutionId", false) }},
	{143, "body institutionName", func(p *probe) { p.linkBody("institutionName", false) }},
	{144, "body verificationStatus, which is not believed", func(p *probe) {
		p.linkBody("verificationStatus", true)
		e := p.employee()
		id := p.added(e, but(typed(), "accountNumber", p.number()))
		p.ok(p.saved(e, id, but(choice(p.signedIn(e, id, "0000")), "verificationStatus", "automatically_verified")))
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), false)
	}},
	{145, "the body's accountId is Plaid's, the path's is ours", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		good := choice(p.signedIn(e, id, "0000"))
		p.refused(p.saved(e, id, but(good, "accountId", id)), 422, "accountId")
		p.refused(p.saved(e, fmt.Sprint(good["accountId"]), good), 404)
		p.ok(p.saved(e, id, good))
		r := p.reloaded(e, id)
		p.same("accountId and plaidAccountId", r.text("accountId")+" "+r.text("plaidAccountId"), id+" "+fmt.Sprint(good["accountId"]))
	}},
	{146, "saving joins our account to the chosen Plaid account", func(p *probe) {
		e := p.employee()
		id := p.added(e, but(typed(), "accountNumber", "1111222233331111", "accountType", "Savings"))
		s := p.signedIn(e, id, "0000", "1111")
		p.need(len(s.list("data.accounts")) == 2, "%s", s)
		p.ok(p.saved(e, id, choice(s)))
		p.same("isVerified with another account", p.reloaded(e, id).at("isVerified"), false)
		p.same("plaidAccountId", p.reloaded(e, id).text("plaidAccountId"), s.text("data.accounts.0.id"))
		second, _ := s.at("data.accounts.1").(object)
		p.ok(p.saved(e, id, but(choice(s), "accountId", second["id"], "accountMask", second["mask"], "accountName", second["name"], "accountSubtype", second["subtype"])))
		p.same("plaidAccountId", p.reloaded(e, id).text("plaidAccountId"), fmt.Sprint(second["id"]))
		p.same("isVerified with the right one", p.reloaded(e, id).at("isVerified"), true)
	}},
	{147, "a read right after saving has the result", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.same("isVerified before", p.reloaded(e, id).at("isVerified"), false)
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		p.same("isVerified at once", p.reloaded(e, id).at("isVerified"), true)
	}},
	{148, "that read is the source of truth: every other place says the same", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		for _, want := range []bool{false, true} {
			if want {
				saved := p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
				p.same("the link call's reply", saved.at("isVerified"), want)
			}
			p.same("the read", p.reloaded(e, id).at("isVerified"), want)
			p.same("the employee's list", p.ok(p.get(p.op, e.path+"/bankaccounts")).at("items.0.isVerified"), want)
			p.same("the company's list", len(p.ok(p.get(p.op, fmt.Sprintf("/companies/%s/bankaccounts?isVerified=%v", e.company, want))).list("items")), 1)
			p.same("the company's other list", len(p.ok(p.get(p.op, fmt.Sprintf("/companies/%s/bankaccounts?isVerified=%v", e.company, !want))).list("items")), 0)
		}
	}},
	{149, "it carries isVerified, a boolean", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.want(p.reloaded(e, id).at("isVerified") == false, "isVerified is %v before", p.reloaded(e, id).at("isVerified"))
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		p.want(p.reloaded(e, id).at("isVerified") == true, "isVerified is %v after", p.reloaded(e, id).at("isVerified"))
	}},
	{150, "it carries verificationType", func(p *probe) {
		e := p.employee()
		p.same("verificationType", p.reloaded(e, p.added(e, typed())).text("verificationType"), "Plaid")
		p.same("verificationType", p.reloaded(e, p.added(e, but(typed(), "accountNumber", p.number(), "verificationType", "Manual"))).text("verificationType"), "Manual")
	}},
	{151, "no call completes the verification", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		for _, path := range []string{"/plaid/" + id + "/complete", "/plaid/" + id + "/verify", "/bankaccounts/" + id + "/verify", "/bankaccounts/" + id + "/complete"} {
			p.refused(p.post(p.op, e.path+path, object{}), 404)
		}
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		p.same("isVerified without such a call", p.reloaded(e, id).at("isVerified"), true)
	}},
}

var scenarioChecks = []check{
	{152, "scenario A: add, token, Link, save, read", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		s := p.signedIn(e, id, "0000")
		p.ok(p.saved(e, id, choice(s)))
		r := p.reloaded(e, id)
		p.same("the end", join(r.at("isVerified"), r.at("verificationType"), r.at("accountId")), join(true, "Plaid", id))
		// bankctl's way, from end to end.
		b := p.employee()
		out, errs, code := p.ctlIn(platypusNumber+"\n", "employee", "add", "--company", b.company, "--employee", b.id, "--holder-name", platypusOwner, "--routing-number", platypusRouting,
			"--account-type", "checking", "--account-number-stdin", "-o", "json")
		p.need(code == 0, "bankctl employee add: %d %s", code, errs)
		made := read(reply{raw: []byte(out)})
		out, errs, code = p.ctl("employee", "verify", "--company", b.company, "--employee", b.id, "--account", made.text("accountId"), "--institution", platypus, "--mask", "0000", "--no-browser", "-o", "json")
		p.want(code == 0 && read(reply{raw: []byte(out)}).at("isVerified") == true, "bankctl employee verify: %d %s%s", code, out, errs)
	}},
	{153, "scenario B: an unverified account is tried again: token, Link, save, read", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "1111"))))
		r := p.reloaded(e, id)
		p.same("after the wrong account", join(r.at("isVerified"), r.at("verificationReason")), join(false, "number_mismatch"))
		s := p.signedIn(e, id, "0000")
		body := choice(s)
		if s.text("data.public_token") == "" {
			body = but(body, "publicToken", absent)
		}
		for _, a := range s.list("data.accounts") {
			if o, _ := a.(object); o["mask"] == "0000" {
				body = but(body, "accountId", o["id"], "accountMask", "0000", "accountName", o["name"], "accountSubtype", o["subtype"])
			}
		}
		p.ok(p.saved(e, id, body))
		p.same("after the right one", p.reloaded(e, id).at("isVerified"), true)
	}},
	{154, "a second account is never made: accountId is used again", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		for range 2 {
			p.same("accountId", p.reloaded(e, id).text("accountId"), id)
			p.ok(p.saved(e, id, choice(p.signedIn(e, id, "1111"))))
			r := p.post(p.op, e.path+"/bankaccounts", typed())
			p.want(r.status == 409 && r.text("error.code") == "duplicate" && strings.Contains(string(r.raw), id), "the same account again: %s", r)
			p.same("accounts", len(p.ok(p.get(p.op, e.path+"/bankaccounts")).list("items")), 1)
			if p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token")).text("mode") == "update" {
				break
			}
		}
	}},
	{155, "scenario C, without Plaid: add, read", func(p *probe) {
		e := employee{p.id("co"), p.id("ee"), ""}
		e.path = "/companies/" + e.company + "/employees/" + e.id
		id := p.added(e, but(typed(), "verificationType", "Manual"))
		r := p.reloaded(e, id)
		p.same("the end", join(r.at("isVerified"), r.at("verificationType")), join(false, "Manual"))
	}},
	{156, "the token call fails: Link is not opened (ours of it: no token, no page, no session)", func(p *probe) { p.tokenFails(false) }},
	{157, "the token call fails: an error is shown (ours of it: one that says what and how)", func(p *probe) { p.tokenFails(true) }},
	{158, "the token call fails: it may be tried again", func(p *probe) {
		e, id := p.tokenFails(false)
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), true)
	}},
	{159, "leaving Link keeps the account", func(p *probe) {
		e, id := p.left()
		p.same("accountId", p.reloaded(e, id).text("accountId"), id)
		p.same("accounts", len(p.ok(p.get(p.op, e.path+"/bankaccounts")).list("items")), 1)
	}},
	{160, "leaving Link leaves it not verified", func(p *probe) {
		e, id := p.left()
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), false)
		p.eventually("the reason says exited", func() bool { return p.reloaded(e, id).text("verificationReason") == "exited" })
	}},
	{161, "after leaving Link the same accountId is tried again", func(p *probe) {
		e, id := p.left()
		p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), true)
	}},
	{162, "saving fails: nothing is verified", func(p *probe) {
		e, id, _ := p.saveFails()
		p.same("isVerified", p.reloaded(e, id).at("isVerified"), false)
	}},
	{163, "saving fails: a read tells how to recover (ours of it: it works, and names reason and next step)", func(p *probe) {
		e, id, _ := p.saveFails()
		r := p.reloaded(e, id)
		p.want(r.text("verificationReason") != "" && r.text("nextStep") != "" && r.at("isVerified") == false, "%s", r)
		p.want(r.text("verificationReason") != "not_started", "after Link has ended the reason is not_started")
	}},
	{164, "saving fails: it may be tried again with the same accountId, the token not burnt", func(p *probe) {
		e, id, body := p.saveFails()
		p.ok(p.saved(e, id, body))
		r := p.reloaded(e, id)
		p.same("the end", join(r.at("isVerified"), r.at("accountId")), join(true, id))
	}},
	{165, "Link's success is not yet verified", func(p *probe) {
		e := p.employee()
		id := p.added(e, typed())
		s := p.signedIn(e, id, "0000")
		p.same("state", s.text("data.state"), "succeeded")
		p.same("isVerified after Link, before saving", p.reloaded(e, id).at("isVerified"), false)
		b := p.employee()
		other := p.added(b, but(typed(), "accountNumber", p.number()))
		p.ok(p.saved(b, other, choice(p.signedIn(b, other, "0000"))))
		p.same("isVerified after saving another account than the typed", p.reloaded(b, other).at("isVerified"), false)
	}},
	{166, "a read after saving decides, by isVerified", func(p *probe) {
		for number, want := range map[string]bool{platypusNumber: true, p.number(): false} {
			e := p.employee()
			id := p.added(e, but(typed(), "accountNumber", number))
			p.ok(p.saved(e, id, choice(p.signedIn(e, id, "0000"))))
			r := p.reloaded(e, id)
			p.same("isVerified", r.at("isVerified"), want)
			p.same("verifiedAt is there", r.at("verifiedAt") != nil, want)
		}
	}},
}

// tokenFails asks for a token while Plaid is down, and again when it is back.
func (p *probe) tokenFails(explained bool) (employee, string) {
	e := p.employee()
	id := p.added(e, typed())
	err := p.outage(func() {
		r := p.get(p.op, e.path+"/plaid/"+id+"/token?hosted=true")
		p.want(r.status == 502 || r.status == 504, "while Plaid is down: %s", r)
		p.want(r.at("linkToken") == nil && r.at("hostedLinkUrl") == nil && r.at("sessionId") == nil, "a failed call gives a link: %s", r)
		if explained {
			p.want(r.text("error.message") != "" && r.text("error.code") != "" && r.text("error.request_id") != "" && r.at("error.retryable") == true, "%s", r)
			_, errs, code := p.ctl("employee", "verify", "--company", e.company, "--employee", e.id, "--account", id, "--institution", platypus, "--mask", "0000", "--no-browser")
			p.want(code == 8 && errs != "", "bankctl exits with %d: %s", code, errs)
		}
	})
	p.want(err == nil, "the simulator: %v", err)
	p.want(strings.HasPrefix(p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token")).text("linkToken"), "link-"), "no linkToken afterwards")
	return e, id
}

// left is an account whose employee left Link.
func (p *probe) left() (employee, string) {
	e := p.employee()
	id := p.added(e, typed())
	t := p.ok(p.get(p.op, e.path+"/plaid/"+id+"/token?hosted=true"))
	s := p.ok(p.post(p.op, api+"/plaid/link-sessions/"+t.text("sessionId")+"/complete", object{"institution_id": platypus, "exit": true}))
	p.same("state", s.text("data.state"), "exited")
	return e, id
}

// saveFails is an account whose link call failed because Plaid was down, and that call's body.
func (p *probe) saveFails() (employee, string, object) {
	e := p.employee()
	id := p.added(e, typed())
	body := choice(p.signedIn(e, id, "0000"))
	err := p.outage(func() {
		r := p.saved(e, id, body)
		p.want(r.status == 502 || r.status == 504, "saving while Plaid is down: %s", r)
	})
	p.want(err == nil, "the simulator: %v", err)
	return e, id, body
}
