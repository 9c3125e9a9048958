package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

var hex24 = regexp.MustCompile(`^[0-9a-f]{24}$`)

var modelChecks = []check{
	{1, "two layers: a bank account is not an ACH account", func(p *probe) {
		meta := p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data._id")
		cred := p.ok(p.post(p.op, api+"/bank-accounts/ach", p.manualACH())).text("data._id")
		p.want(meta != cred && meta != "" && cred != "", "one id for both: %s", meta)
		p.refused(p.get(p.op, api+"/bank-accounts/ach/"+meta), 404)
		p.refused(p.get(p.op, api+"/bank-accounts/"+cred), 404)
	}},
	{2, "a bank account is metadata: name, bank_name, connection_type, status, and no numbers", func(p *probe) {
		body := p.manualAccount()
		made := p.ok(p.post(p.op, api+"/bank-accounts", body)).text("data._id")
		r := p.ok(p.get(p.op, api+"/bank-accounts/"+made))
		for _, k := range []string{"name", "bank_name", "employer_id"} {
			p.same(k, r.text("data."+k), body[k])
		}
		p.same("connection_type", r.text("data.connection_type"), "manual")
		p.same("status", r.text("data.status"), "active")
		o, _ := r.at("data").(object)
		for k := range o {
			p.want(!strings.Contains(k, "number") && !strings.Contains(k, "last4"), "it has %s", k)
		}
		p.refused(p.post(p.op, api+"/bank-accounts", but(body, "account_number", p.number())), 422, "account_number")
	}},
	{3, "an ACH account is the numbers, sealed on disk, and what money is moved with", func(p *probe) {
		body := p.manualACH()
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach", body))
		p.same("account_last4", r.text("data.account_last4"), last4(body["account_number"]))
		p.unseen(p.disk(), "on disk", body["account_number"].(string), body["routing_number"].(string))
		c := p.platypus()
		ach := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c))).text("data._id")
		p.want(p.ok(p.post(p.op, api+"/bank-accounts/ach/"+ach+"/processor-token", object{"processor": "dwolla"})).text("data.processor_token") != "", "no processor token")
		p.want(p.post(p.op, api+"/bank-accounts/ach/"+c.bankAccount("0")+"/processor-token", object{"processor": "dwolla"}).status == 404, "the metadata layer moves money")
	}},
	{4, "accounts come from Link or by hand", func(p *probe) {
		c := p.platypus()
		p.same("connection_type", p.ok(p.get(p.op, api+"/bank-accounts/"+c.bankAccount("0"))).text("data.connection_type"), "plaid")
		p.same("connection_type", p.ok(p.post(p.op, api+"/bank-accounts", p.manualAccount())).text("data.connection_type"), "manual")
	}},
	{5, "Link's way takes no numbers from the caller", func(p *probe) {
		c := p.platypus()
		p.refused(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "account_number", p.number())), 422, "account_number")
		p.refused(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "routing_number", p.routing())), 422, "routing_number")
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c)))
		p.same("last 4", r.text("data.account_last4")+" "+r.text("data.routing_last4"), "0000 1533")
	}},
	{6, "institutions are Plaid's: ours is that any of them links, and that one Plaid does not know is told apart", func(p *probe) {
		for _, ins := range []string{"ins_109509", "ins_109511", "ins_12"} {
			c := p.link(p.op, "employer_id", p.id("emp"), object{"institution_id": ins})
			p.same("institution", c.text("data.institution.institution_id"), ins)
		}
		t := p.ok(p.post(p.op, api+"/plaid/link-token", object{"user_id": "u", "hosted_link": true, "employer_id": p.id("emp")}))
		r := p.post(p.op, api+"/plaid/link-sessions/"+t.text("data.session_id")+"/complete", object{"institution_id": "ins_999999999"})
		p.want(r.status == 404 || r.status == 422, "an unknown institution: %s", r)
	}},
}

func last4(v any) string {
	s := fmt.Sprint(v)
	return s[len(s)-4:]
}

var envelopeChecks = []check{
	{7, "S1's routes stand under /api/v1 and nowhere else", func(p *probe) {
		for _, route := range []string{"/bank-accounts", "/bank-accounts/ach", "/plaid/connections", "/plaid/transactions", "/plaid/transactions/summary"} {
			p.ok(p.get(p.op, api+route))
			p.refused(p.get(p.op, route), 404)
			p.refused(p.get(p.op, "/api/v2"+route), 404)
		}
	}},
	{8, "every data route wants X-Client-ID and X-Client-Secret", func(p *probe) {
		victim := p.client(clientSpec{Name: "victim", Role: "viewer", Employers: "*"})
		n := 0
		for _, r := range p.routes() {
			if r.open {
				continue
			}
			n++
			if strings.HasPrefix(r.path, api+"/admin/") || strings.HasSuffix(r.path, "/attest") { // the local owner administers without a client, but not with a false one
				p.refused(p.send(request{method: r.method, path: r.filled("x"), body: []byte("{}"), by: client{victim.ID, p.op.Secret}}), 401)
				victim = p.client(clientSpec{Name: "victim", Role: "viewer", Employers: "*"})
				continue
			}
			if got := p.send(request{method: r.method, path: r.filled("x"), body: []byte("{}"), header: http.Header{"X-No-Retry": {"1"}}}); got.status != 401 {
				p.want(got.status == 429, "%s without a client", got)
			}
		}
		p.want(n > 45, "only %d routes want a client", n)
		p.refused(p.get(client{}, api+"/bank-accounts"), 401)
		p.refused(p.get(client{ID: victim.ID}, api+"/bank-accounts"), 401)
		p.refused(p.get(client{Secret: victim.Secret}, api+"/bank-accounts"), 401)
		p.refused(p.get(client{victim.ID, p.op.Secret}, api+"/bank-accounts"), 401)
		p.refused(p.get(client{p.op.ID, victim.Secret}, api+"/bank-accounts"), 401)
		p.ok(p.get(victim, api+"/bank-accounts"))
	}},
	{9, `success is {"ok":true,"data":…}`, func(p *probe) {
		c := p.shared()
		for _, r := range []reply{
			p.get(p.op, api+"/bank-accounts"), p.get(p.op, api+"/bank-accounts/ach"), p.get(p.op, api+"/plaid/connections"), p.get(p.op, api+"/plaid/connections/"+c.id),
			p.get(p.op, api+"/plaid/transactions"), p.get(p.op, api+"/plaid/transactions/summary"), p.post(p.op, api+"/plaid/link-token", object{"user_id": "u"}),
			p.post(p.op, api+"/bank-accounts", p.manualAccount()), p.post(p.op, api+"/bank-accounts/ach", p.manualACH()), p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": c.item}),
		} {
			p.ok(r)
			o, _ := r.body.(object)
			_, has := o["data"]
			p.want(o["ok"] == true && has && o["error"] == nil, "%s", r)
		}
		r := p.get(p.op, api+"/bank-accounts/"+strings.Repeat("0", 24))
		p.want(r.at("ok") == false && r.at("data") == nil && r.text("error.code") == "not_found", "a failure: %s", r)
	}},
	{10, "bodies are JSON objects", func(p *probe) {
		for _, body := range []string{`[{"user_id":"u"}]`, `"user_id"`, `7`, `null`, `true`, `user_id=u`, `{"user_id":"u"`, `{"user_id":"u"} {}`, `{"user_id":"u","user_id":"v"}`, ``} {
			r := p.send(request{method: "POST", path: api + "/plaid/link-token", by: p.op, body: []byte(body)})
			p.want(r.status == 400 || body == "" && r.status == 422, "%q: %s", body, r)
		}
		p.ok(p.send(request{method: "POST", path: api + "/plaid/link-token", by: p.op, body: []byte(" {\n\"user_id\" : \"u\" }\n")}))
	}},
	{11, "curl -d, which sends a form's content type, works", func(p *probe) {
		for _, kind := range []string{"application/x-www-form-urlencoded", "", "text/plain", "application/json; charset=utf-8", "nonsense"} {
			q := request{method: "POST", path: api + "/plaid/link-token", by: p.op, body: []byte(`{ "user_id": "your_internal_user_id" }`), header: http.Header{}}
			if kind != "" {
				q.header.Set("Content-Type", kind)
			}
			r := p.send(q)
			p.want(r.status == 200 && r.text("data.link_token") != "", "as %q: %s", kind, r)
		}
	}},
}

// required asserts that a key must be there and a text with something in it.
func (p *probe) required(path, key string, good object) {
	p.refused(p.post(p.op, path, but(good, key, absent)), 422, key)
	p.refused(p.post(p.op, path, but(good, key, "")), 422, key)
	p.refused(p.post(p.op, path, but(good, key, "   ")), 422, key)
	r := p.post(p.op, path, but(good, key, 7))
	p.want(r.status == 400 || r.status == 422, "a number as %s: %s", key, r)
	p.ok(p.post(p.op, path, good))
}

// optional asserts that a call goes with a key and without it, and not with a value of another kind.
func (p *probe) optional(path, key string, with object, wrong any) {
	r := p.post(p.op, path, but(with, key, wrong))
	p.want(r.status == 400 || r.status == 422, "%v as %s: %s", wrong, key, r)
}

var linkChecks = []check{
	{12, "link-token: user_id is required", func(p *probe) {
		p.required(api+"/plaid/link-token", "user_id", object{"user_id": "u1"})
	}},
	{13, "link-token replies data.link_token", func(p *probe) {
		a := p.ok(p.post(p.op, api+"/plaid/link-token", object{"user_id": "u1"})).text("data.link_token")
		b := p.ok(p.post(p.op, api+"/plaid/link-token", object{"user_id": "u1"})).text("data.link_token")
		p.want(strings.HasPrefix(a, "link-sandbox-") && len(a) > 20, "link_token is %q", a)
		p.want(a != b, "two calls give one token")
	}},
	{14, "the client opens Link with the token: the hosted page answers and ends the session it belongs to", func(p *probe) {
		t := p.ok(p.post(p.op, api+"/plaid/link-token", object{"user_id": "u1", "hosted_link": true, "employer_id": p.id("emp")}))
		code, page := p.page(t.text("data.hosted_link_url"))
		p.want(code == 200 && strings.Contains(strings.ToLower(page), "<form"), "the page answers %d", code)
		at := api + "/plaid/link-sessions/" + t.text("data.session_id")
		p.same("state", p.ok(p.get(p.op, at)).text("data.state"), "pending")
		p.ok(p.post(p.op, at+"/complete", object{"institution_id": platypus}))
		p.same("state", p.ok(p.get(p.op, at)).text("data.state"), "succeeded")
	}},
	{15, "success yields a public token and metadata, which the exchange takes", func(p *probe) {
		who := object{"user_id": "u1", "employer_id": p.id("emp")}
		s := p.session(p.op, who, object{"institution_id": platypus, "masks": []string{"0000"}})
		p.want(strings.HasPrefix(s.text("data.public_token"), "public-sandbox-"), "public_token is %q", s.text("data.public_token"))
		p.same("institution", s.text("data.institution.institution_id"), platypus)
		p.same("masks", s.column("data.accounts", "mask"), []string{"0000"})
		r := p.ok(p.post(p.op, api+"/plaid/exchange", but(who, "public_token", s.text("data.public_token"), "metadata",
			object{"institution": s.at("data.institution"), "accounts": s.at("data.accounts"), "link_session_id": "x"})))
		p.same("accounts", r.column("data.accounts", "mask"), []string{"0000"})
	}},
	{16, "exchange: public_token is required, and must be one", func(p *probe) {
		who := object{"user_id": "u1", "employer_id": p.id("emp")}
		s := p.session(p.op, who, object{"institution_id": platypus, "masks": []string{"0000"}})
		p.refused(p.post(p.op, api+"/plaid/exchange", object{"user_id": "u1", "public_token": "public-sandbox-00000000-0000-0000-0000-000000000000"}), 422, "public_token")
		p.required(api+"/plaid/exchange", "public_token", but(who, "public_token", s.text("data.public_token")))
	}},
	{17, "exchange: user_id is required", func(p *probe) {
		who := object{"user_id": "u1", "employer_id": p.id("emp")}
		s := p.session(p.op, who, object{"institution_id": platypus})
		p.required(api+"/plaid/exchange", "user_id", but(who, "public_token", s.text("data.public_token")))
	}},
	{18, "exchange: employer_id is optional", func(p *probe) { p.ownerIsOptional("employer_id") }},
	{19, "exchange: carrier_id is optional", func(p *probe) { p.ownerIsOptional("carrier_id") }},
	{20, "exchange makes a connection that lasts: over a restart, and its token works only once more as a replay", func(p *probe) {
		c := p.platypus()
		p.same("status", c.status, 201)
		err := p.restart()
		p.need(err == nil, "bankd does not start again: %v", err)
		r := p.ok(p.get(p.op, api+"/plaid/connections/"+c.id))
		p.same("item_id", r.text("data.item_id"), c.item)
		p.ok(p.post(p.op, api+"/plaid/sync-accounts", object{"item_id": c.item}))
		again := p.post(p.op, api+"/plaid/exchange", object{"user_id": c.text("data.user_id"), "employer_id": c.owner, "public_token": c.public})
		p.want(again.status == 200 && again.text("data._id") == c.id, "the same token again: %s", again)
	}},
	{21, "exchange brings the bank accounts into the metadata layer by itself", func(p *probe) {
		c := p.platypus()
		r := p.ok(p.get(p.op, api+"/bank-accounts?employer_id="+c.owner))
		p.want(len(c.list("data.accounts")) == 3, "%d accounts were shared", len(c.list("data.accounts")))
		p.same("accounts", len(r.list("data")), len(c.list("data.accounts")))
		for i := range r.list("data") {
			at := fmt.Sprintf("data.%d.", i)
			p.same("connection_id", r.text(at+"connection_id"), c.id)
			p.same("bank_name", r.text(at+"bank_name"), platypusName)
			p.same("linked", r.at(at+"linked"), true)
		}
	}},
	{22, "the connection belongs to the employer or carrier given", func(p *probe) {
		for _, key := range []string{"employer_id", "carrier_id"} {
			c := p.link(p.op, key, p.id("own"), object{"institution_id": platypus})
			p.same(key, p.ok(p.get(p.op, api+"/plaid/connections/"+c.id)).text("data."+key), c.owner)
			p.same("listed", p.ok(p.get(p.op, api+"/plaid/connections?"+key+"="+c.owner)).column("data", "_id"), []string{c.id})
			p.same("its accounts' "+key, p.ok(p.get(p.op, api+"/bank-accounts/"+c.bankAccount("0"))).text("data."+key), c.owner)
			s := p.session(p.op, object{"user_id": "u", key: p.id("own")}, object{"institution_id": platypus})
			p.refused(p.post(p.op, api+"/plaid/exchange", object{"user_id": "u", key: p.id("own"), "public_token": s.text("data.public_token")}), 409)
		}
	}},
}

func (p *probe) ownerIsOptional(key string) {
	owner := p.id("own")
	s := p.session(p.op, object{"user_id": "u"}, object{"institution_id": "ins_109509"})
	without := p.ok(p.post(p.op, api+"/plaid/exchange", object{"user_id": "u", "public_token": s.text("data.public_token"), "allow_duplicate": true}))
	p.same(key, without.text("data."+key), "")
	c := p.link(p.op, key, owner, object{"institution_id": platypus})
	p.same(key, c.text("data."+key), owner)
	s = p.session(p.op, object{"user_id": "u", key: owner}, object{"institution_id": "ins_109511"})
	for _, bad := range []any{7, "", "a b", "../x", strings.Repeat("a", 65)} {
		r := p.post(p.op, api+"/plaid/exchange", object{"user_id": "u", key: bad, "public_token": s.text("data.public_token")})
		p.want(r.status == 400 || r.status == 422, "%v as %s: %s", bad, key, r)
	}
}

var fromPlaidChecks = []check{
	{23, "from-plaid: owner_type is required, employer or carrier", func(p *probe) {
		p.oneOf(api+"/bank-accounts/ach/from-plaid", "owner_type", p.fromPlaid(p.platypus()))
	}},
	{24, "from-plaid: owner_id is required", func(p *probe) {
		c := p.platypus()
		r := p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "owner_id", p.id("emp")))
		p.want(r.status >= 400 && r.status < 500, "another owner than the connection's: %s", r)
		p.required(api+"/bank-accounts/ach/from-plaid", "owner_id", p.fromPlaid(c))
	}},
	{25, "from-plaid: plaid_account_id is required and of the connection", func(p *probe) {
		c, other := p.platypus(), p.shared()
		p.refused(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "plaid_account_id", other.account("0"))), 422, "plaid_account_id")
		p.required(api+"/bank-accounts/ach/from-plaid", "plaid_account_id", p.fromPlaid(c))
	}},
	{26, "from-plaid: plaid_item_id is required and of the connection", func(p *probe) {
		c := p.platypus()
		r := p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "plaid_item_id", "nope"))
		p.want(r.status == 422 || r.status == 404, "an unknown Item: %s", r)
		p.required(api+"/bank-accounts/ach/from-plaid", "plaid_item_id", p.fromPlaid(c))
	}},
	{27, "from-plaid: access_token comes from the exchange; it may be left out (A2), and a wrong one is refused", func(p *probe) {
		c, other := p.platypus(), p.shared()
		p.want(c.handle != "" && !strings.Contains(c.handle, "access-"), "the exchange's access_token is %q", c.handle)
		for _, bad := range []any{"x", "", "access-sandbox-00000000-0000-0000-0000-000000000000", other.handle, c.handle + "A"} {
			p.refused(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "access_token", bad)), 422, "access_token")
		}
		p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c)))
		p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "access_token", absent, "plaid_account_id", c.account("1"))))
	}},
	{28, "from-plaid: nickname is optional", func(p *probe) {
		c := p.platypus()
		p.optional(api+"/bank-accounts/ach/from-plaid", "nickname", p.fromPlaid(c), 7)
		p.same("nickname", p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "nickname", "Operating Account"))).text("data.nickname"), "Operating Account")
		p.same("nickname", p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "plaid_account_id", c.account("1")))).text("data.nickname"), "")
	}},
	{29, "from-plaid: is_primary is an optional boolean", func(p *probe) {
		c := p.platypus()
		p.optional(api+"/bank-accounts/ach/from-plaid", "is_primary", p.fromPlaid(c), "yes")
		one := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "is_primary", true)))
		p.same("is_primary", one.at("data.is_primary"), true)
		two := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "plaid_account_id", c.account("1"))))
		p.same("is_primary", two.at("data.is_primary"), false)
	}},
	{30, "from-plaid: the numbers are the bank's, not the caller's", func(p *probe) {
		c := p.platypus()
		for i, want := range []string{"0000", "1111"} {
			r := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), "plaid_account_id", c.account(fmt.Sprint(i)))))
			p.same("last 4", r.text("data.account_last4")+" "+r.text("data.routing_last4"), want+" 1533")
		}
		for _, k := range []string{"account_number", "routing_number", "mask"} {
			p.refused(p.post(p.op, api+"/bank-accounts/ach/from-plaid", but(p.fromPlaid(c), k, "0021")), 422, k)
		}
	}},
	{31, "from-plaid: the result is verified at once", func(p *probe) {
		c := p.platypus()
		r := p.ok(p.post(p.op, api+"/bank-accounts/ach/from-plaid", p.fromPlaid(c)))
		p.same("status", r.text("data.status"), "verified")
		p.same("status", p.ok(p.get(p.op, api+"/bank-accounts/ach/"+r.text("data._id"))).text("data.status"), "verified")
	}},
}

// oneOf asserts owner_type: required, and one of two words.
func (p *probe) oneOf(path, key string, good object) {
	for _, bad := range []any{"company", "Employer", "EMPLOYER", " employer", "employee"} {
		p.refused(p.post(p.op, path, but(good, key, bad)), 422, key)
	}
	p.required(path, key, good)
	if good["plaid_item_id"] == nil {
		p.ok(p.post(p.op, path, but(good, key, "carrier", "owner_id", p.id("car"))))
		return
	}
	c := p.link(p.op, "carrier_id", p.id("car"), object{"institution_id": platypus})
	p.same("owner_type", p.ok(p.post(p.op, path, but(p.fromPlaid(c), key, "carrier"))).text("data.owner_type"), "carrier")
}
