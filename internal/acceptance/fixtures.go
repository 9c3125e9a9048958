package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const api = "/api/v1"

// The simulator's published bank: its numbers are Plaid's own test numbers.
const (
	platypus        = "ins_109508"
	platypusName    = "First Platypus Bank"
	platypusRouting = "011401533"
	platypusNumber  = "1111222233330000"
	platypusOwner   = "Alberta Bobbeth Charleson"
	customRouting   = "121000248"
	customNumber    = "660198254821"
	customSavings   = "660198254822"
)

// conn is a linked bank as the exchange told of it.
type conn struct {
	reply
	id, item, handle, owner, public, session string
}

func (c conn) account(i string) string     { return c.text("data.accounts." + i + ".plaid_account_id") }
func (c conn) bankAccount(i string) string { return c.text("data.accounts." + i + "._id") }

// session opens Link for a new connection and finishes it at a bank.
func (p *probe) session(by client, body, how object) reply {
	token := p.ok(p.post(by, api+"/plaid/link-token", but(body, "hosted_link", true)))
	return p.ok(p.post(by, api+"/plaid/link-sessions/"+token.text("data.session_id")+"/complete", how))
}

// link links a bank for an owner: key is employer_id or carrier_id.
func (p *probe) link(by client, key, owner string, how object) conn {
	who := object{"user_id": p.id("user"), key: owner}
	s := p.session(by, who, how)
	x := p.ok(p.post(by, api+"/plaid/exchange", but(who, "public_token", s.text("data.public_token"))))
	c := conn{reply: x, id: x.text("data._id"), item: x.text("data.item_id"), handle: x.text("data.access_token"), owner: owner,
		public: s.text("data.public_token"), session: s.text("data.session_id")}
	p.need(c.id != "" && c.item != "", "%s: no ids", x)
	return c
}

// platypus links the published bank for a new employer.
func (p *probe) platypus() conn {
	return p.link(p.op, "employer_id", p.id("emp"), object{"institution_id": platypus})
}

// shared links the published bank once for all checks that only read it.
func (p *probe) shared() conn {
	if c, ok := p.cached["conn"].(conn); ok {
		return c
	}
	c := p.platypus()
	p.cached["conn"] = c
	return c
}

// rows is a connection with known transactions: S1's own example in minor units, 12,500,000 out and 15,200,000 in.
func (p *probe) rows() conn {
	if c, ok := p.cached["rows"].(conn); ok {
		return c
	}
	how := object{"institution_id": "ins_109511", "username": "user_custom", "password": customRows()}
	c := p.link(p.op, "employer_id", p.id("emp"), how)
	p.synced(c, 4)
	p.cached["rows"] = c
	return c
}

// synced waits until at least n transactions have come.
func (p *probe) synced(c conn, n int) {
	p.eventually("transactions come", func() bool {
		p.ok(p.post(p.op, api+"/plaid/transactions/sync", object{"item_id": c.item}))
		return len(p.ok(p.get(p.op, txns+"?employer_id="+c.owner)).list("data")) >= n
	})
}

// day is a date so many days ago.
func day(ago int) string { return time.Now().UTC().AddDate(0, 0, -ago).Format(time.DateOnly) }

// customRows is the simulator's JSON for accounts with known rows; positive is money out.
func customRows() string {
	row := func(ago int, amount float64, what string) object {
		return object{"date_transacted": day(ago + 1), "date_posted": day(ago), "amount": amount, "description": what, "currency": "USD"}
	}
	account := func(subtype, name, mask, number string, rows ...object) object {
		return object{"type": "depository", "subtype": subtype, "starting_balance": 5000, "meta": object{"name": name, "mask": mask},
			"numbers": object{"account": number, "ach_routing": customRouting}, "transactions": rows}
	}
	b, _ := json.Marshal(object{"override_accounts": []object{
		account("checking", "Books", "4821", customNumber, row(80, 100_000, "PAYROLL RUN"), row(70, 25_000, "RENT"), row(60, -150_000, "CUSTOMER WIRE"), row(50, -2_000, "REFUND")),
		account("savings", "Reserve", "4822", customSavings),
	}})
	return string(b)
}

func (p *probe) fromPlaid(c conn) object {
	return object{"owner_type": "employer", "owner_id": c.owner, "plaid_account_id": c.account("0"), "plaid_item_id": c.item, "access_token": c.handle}
}

func (p *probe) manualACH() object {
	return object{"owner_type": "employer", "owner_id": p.id("emp"), "routing_number": p.routing(), "account_number": p.number(), "bank_name": "Chase", "account_type": "checking"}
}

func (p *probe) manualAccount() object {
	return object{"user_id": p.id("user"), "name": "Payroll Account", "bank_name": "Chase", "employer_id": p.id("emp")}
}

// plaid calls the simulator as Plaid's API, with credentials that bankd uses there.
func (p *probe) plaid(path string, body object) reply {
	b, _ := json.Marshal(but(body, "client_id", "simulated", "secret", "simulated"))
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+p.simAddr+path, bytes.NewReader(b))
	p.need(err == nil, "%v", err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	p.need(err == nil, "Plaid's simulator: %v", err)
	defer res.Body.Close()
	var raw bytes.Buffer
	_, _ = raw.ReadFrom(res.Body)
	return read(reply{call: "Plaid " + path, status: res.StatusCode, raw: raw.Bytes()})
}

// someoneElse is another tenant's client, which may do everything there.
func (p *probe) someoneElse() client {
	if c, ok := p.cached["else"].(client); ok {
		return c
	}
	name := p.id("tenant")
	_, errs, code := p.ctl("tenant", "create", name)
	p.need(code == 0, "bankctl tenant create: %d %s", code, errs)
	c, err := p.ctlClient("--name", "else", "--tenant", name, "--role", "operator", "--employers", "*", "--carriers", "*", "--companies", "*", "--act-as-employee")
	p.need(err == nil, "%v", err)
	p.cached["else"] = c
	return c
}

// narrow is a client of one employer.
func (p *probe) narrow(employer string) client {
	return p.client(clientSpec{Name: p.id("narrow"), Role: "operator", Employers: employer})
}

// page of a hosted link is read as a browser does.
func (p *probe) page(url string) (int, string) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	var raw bytes.Buffer
	_, _ = raw.ReadFrom(res.Body)
	return res.StatusCode, raw.String()
}

// filtered asserts that a list with a filter has the row with id `in` and not `out`, and that an empty or unknown value
// of it is refused.
func (p *probe) filtered(path, name, value, in, out string) {
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	r := p.ok(p.get(p.op, path+join+name+"="+value+"&limit=200"))
	ids := strings.Join(r.column("data", "_id"), " ")
	p.want(strings.Contains(ids, in), "%s=%s leaves out %s", name, value, in)
	p.want(out == "" || !strings.Contains(ids, out), "%s=%s lets %s through", name, value, out)
	p.refused(p.get(p.op, path+join+name+"="), 422, name)
}

// companies

type employee struct{ company, id, path string }

// company returns a company with the capability.
func (p *probe) company() string {
	id := p.id("co")
	p.honest(func() reply {
		return p.ok(p.call(p.admin, http.MethodPut, api+"/admin/companies/"+id+"/capabilities/PLAID_VERIFY", nil))
	})
	return id
}

func (p *probe) employee() employee {
	e := employee{company: p.company(), id: p.id("ee")}
	e.path = "/companies/" + e.company + "/employees/" + e.id
	return e
}

// typed is what an employee types who has the published bank.
func typed() object {
	return object{"accountHolderName": platypusOwner, "accountNumber": platypusNumber, "routingNumber": platypusRouting, "accountType": "Checking", "verificationType": "Plaid"}
}

// added adds an account and returns its id.
func (p *probe) added(e employee, body object) string {
	return p.ok(p.post(p.op, e.path+"/bankaccounts", body)).text("accountId")
}

// signedIn asks for a token and finishes Link; masks choose accounts.
func (p *probe) signedIn(e employee, account string, masks ...string) reply {
	token := p.ok(p.get(p.op, e.path+"/plaid/"+account+"/token?hosted=true"))
	how := object{"institution_id": platypus}
	if len(masks) > 0 {
		how["masks"] = masks
	}
	return p.ok(p.post(p.op, api+"/plaid/link-sessions/"+token.text("sessionId")+"/complete", how))
}

// choice is the link call's body for the first account of a finished session.
func choice(s reply) object {
	a, _ := s.at("data.accounts.0").(object)
	if a == nil {
		a = object{}
	}
	return object{"publicToken": s.text("data.public_token"), "accountId": a["id"], "accountMask": a["mask"], "accountName": a["name"], "accountType": a["type"],
		"accountSubtype": a["subtype"], "institutionId": s.text("data.institution.institution_id"), "institutionName": s.text("data.institution.name"),
		"verificationStatus": a["verification_status"]}
}

func (p *probe) saved(e employee, account string, body object) reply {
	return p.post(p.op, e.path+"/plaid/"+account+"/link", body)
}

func (p *probe) reloaded(e employee, account string) reply {
	return p.ok(p.get(p.op, e.path+"/bankaccounts/"+account))
}
