package server_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/tenant"
)

// holder is an owner pair as objects and scopes have them.
type holder struct{ employer, carrier string }

func (h holder) String() string { return fmt.Sprintf("%s+%s", h.employer, h.carrier) }

// pairCaller is a client with the scopes that an oracle can compare.
type pairCaller struct {
	name                string
	employers, carriers []string // nil and all: everything
	all, elsewhere      bool
}

func (c pairCaller) has(list []string, id string) bool {
	if c.all {
		return true
	}
	for _, x := range list {
		if x == id {
			return true
		}
	}
	return false
}

func (c pairCaller) sees(h holder) bool {
	if c.elsewhere {
		return false
	}
	if h == (holder{}) {
		return c.all
	}
	return h.employer != "" && c.has(c.employers, h.employer) || h.carrier != "" && c.has(c.carriers, h.carrier)
}

func (c pairCaller) owns(h holder) bool {
	if h == (holder{}) {
		return c.sees(h)
	}
	return !c.elsewhere && (h.employer == "" || c.has(c.employers, h.employer)) && (h.carrier == "" || c.has(c.carriers, h.carrier))
}

// A2, A25, R108: every act that brings two objects together, over every pair of owners and every caller. The oracle is
// written by hand here; the rule itself stands in one place of bank.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.NoQuotas)
	holders := []holder{{"e1", ""}, {"e2", ""}, {"", "c1"}, {"e1", "c1"}, {"e1", "c2"}, {}}
	single := []holder{{"e1", ""}, {"e2", ""}, {"", "c1"}, {"", "c2"}}
	callers := []pairCaller{
		{name: "all", all: true}, {name: "elsewhere", all: true, elsewhere: true}, {name: "e1", employers: []string{"e1"}},
		{name: "e2", employers: []string{"e2"}}, {name: "c1", carriers: []string{"c1"}}, {name: "e1_c1", employers: []string{"e1"}, carriers: []string{"c1"}},
		{name: "e1_e2", employers: []string{"e1", "e2"}}, {name: "nothing"},
	}
	full := os.Getenv("BANKD_PAIRS") == "all" // make check; otherwise a part of it, which takes seconds
	if !full {
		callers = callers[1:4]
	}
	clients := map[string]*client.Client{}
	for _, c := range callers {
		p := tenant.ClientParams{Name: c.name, Role: tenant.Operator, Employers: only(c.employers...), Carriers: only(c.carriers...)}
		if c.all {
			p.Employers, p.Carriers = tenant.Everything, tenant.Everything
		}
		if c.elsewhere {
			clients[c.name] = b.NewClientOf("elsewhere", p)
		} else {
			clients[c.name] = b.NewClient(p)
		}
	}
	conns := map[holder]connection.Connection{}
	for _, h := range holders {
		conns[h] = b.LinkAt(connection.LinkParams{UserID: "u" + h.String(), EmployerID: h.employer, CarrierID: h.carrier, AllowDuplicate: true}, platypus)
	}
	typed := map[holder]account.ACH{}
	for _, h := range single {
		p := account.AddACHParams{BankName: "b", AccountType: "checking"}
		p.OwnerType, p.OwnerID = ownerOf(h)
		p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("011401533"), ach.NewAccountNumber("1111222233330000")
		a, err := b.Client.AddACH(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		typed[h] = a
	}
	cells, holes := 0, 0
	check := func(what string, passes bool, status int) {
		cells++
		// A call that passes the rule may still meet a conflict: a duplicate, or numbers that do not match.
		if got := status < 300 || status == 409; got != passes {
			holes++
			t.Errorf("%s: %d, the rule says %v", what, status, passes)
		}
	}
	for _, c := range callers {
		who := clients[c.name]
		for _, owner := range single {
			kind, id := ownerOf(owner)
			for _, h := range holders {
				conn := conns[h]
				same := h == (holder{}) || owner.employer != "" && h.employer == owner.employer || owner.carrier != "" && h.carrier == owner.carrier
				what := fmt.Sprintf("%s: ACH of %s, connection of %s", c.name, owner, h)
				status, _ := b.Call(who, "POST", "/api/v1/bank-accounts/ach/from-plaid", fmt.Sprintf(
					`{"owner_type":%q,"owner_id":%q,"plaid_account_id":%q,"plaid_item_id":%q}`, kind, id, conn.Accounts[1].PlaidAccountID, conn.ItemID))
				check("from-plaid, "+what, c.owns(owner) && c.sees(h) && same, status)
				status, _ = b.Call(who, "POST", "/api/v1/bank-accounts/ach/"+typed[owner].ID+"/verify", fmt.Sprintf(`{"plaid_item_id":%q}`, conn.ItemID))
				check("verify, "+what, c.sees(owner) && c.sees(h) && same, status)
			}
			status, _ := b.Call(who, "POST", "/api/v1/bank-accounts/ach/"+typed[owner].ID+"/processor-token", `{"processor":"dwolla"}`)
			check("processor token, "+c.name+": ACH of "+owner.String(), c.owns(owner), status)
		}
		for _, meta := range holders {
			a, err := b.Client.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: meta.employer, CarrierID: meta.carrier})
			if err != nil {
				t.Fatal(err)
			}
			for i, owner := range single {
				kind, id := ownerOf(owner)
				same := owner.employer != "" && meta.employer == owner.employer || owner.carrier != "" && meta.carrier == owner.carrier
				status, _ := b.Call(who, "POST", "/api/v1/bank-accounts/ach", fmt.Sprintf(
					`{"owner_type":%q,"owner_id":%q,"routing_number":"110000000","account_number":"%d","bank_name":"b","account_type":"checking","bank_account_id":%q}`, kind, id, 77000000+cells*10+i, a.ID))
				check(fmt.Sprintf("join, %s: ACH of %s, account of %s", c.name, owner, meta), c.owns(owner) && c.sees(meta) && same, status)
			}
		}
		for i, h := range holders {
			for j, asked := range append([]holder{{}}, single...) {
				if !full && (i+j)%3 != 0 {
					continue
				}
				s := finished(t, b.Client, connection.LinkParams{EmployerID: h.employer, CarrierID: h.carrier, AllowDuplicate: true}, connection.CompleteParams{InstitutionID: "ins_109509"})
				status, _ := b.Call(who, "POST", "/api/v1/plaid/exchange", fmt.Sprintf(
					`{"public_token":%q,"user_id":"u","employer_id":%q,"carrier_id":%q,"allow_duplicate":true}`, s.PublicToken, asked.employer, asked.carrier))
				if asked.employer == "" && asked.carrier == "" {
					status, _ = b.Call(who, "POST", "/api/v1/plaid/exchange", fmt.Sprintf(`{"public_token":%q,"user_id":"u","allow_duplicate":true}`, s.PublicToken))
				} else if status == 422 {
					status, _ = b.Call(who, "POST", "/api/v1/plaid/exchange", fmt.Sprintf(
						`{"public_token":%q,"user_id":"u"%s,"allow_duplicate":true}`, s.PublicToken, ownerFields(asked)))
				}
				result := h
				if h == (holder{}) {
					result = asked
				}
				passes := c.sees(h) && c.owns(result) && (h == (holder{}) || asked == (holder{}) || asked == h)
				if status == 409 { // another owner's token
					status = 422
				}
				check(fmt.Sprintf("exchange, %s: session of %s for %s", c.name, h, asked), passes, status)
			}
		}
	}
	t.Logf("%d cells, %d holes", cells, holes)
}

func ownerOf(h holder) (kind, id string) {
	if h.employer != "" {
		return account.Employer, h.employer
	}
	return account.Carrier, h.carrier
}

func ownerFields(h holder) string {
	if h.employer != "" {
		return fmt.Sprintf(`,"employer_id":%q`, h.employer)
	}
	return fmt.Sprintf(`,"carrier_id":%q`, h.carrier)
}
