package server_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/server"
	"github.com/bankctl/bankctl/internal/tenant"
)

// The oracle of this test is written by hand from the contract, not taken from the code under test.

// open routes need no client; the others are allowed to the roles listed, from the least one on.
var allowedFrom = map[string]string{
	"GetStatus": "anyone", "Health": "anyone", "Metrics": "anyone", "Document": "anyone", "Ready": "anyone",
	"GetBalance": "viewer", "ListConnections": "viewer", "GetConnection": "viewer", "GetSession": "viewer",
	"ListAccounts": "viewer", "GetAccount": "viewer", "ListACH": "viewer", "GetACH": "viewer",
	"StartLink": "operator", "UpdateLink": "operator", "Exchange": "operator", "CompleteSession": "operator",
	"SyncAccounts": "operator", "RemoveConnection": "operator", "AddAccount": "operator", "UpdateAccount": "operator",
	"SetDefaultAccount": "operator", "DeleteAccount": "operator", "AddACH": "operator", "AddACHFromPlaid": "operator",
	"UpdateACH": "operator", "VerifyACH": "operator", "DeleteACH": "operator",
	"ListAudit": "admin", "VerifyAudit": "admin", "ListClients": "admin", "AddClient": "admin", "RevokeClient": "admin",
	"ListTenants": "admin", "AddTenant": "owner",
}

var rank = map[string]int{"anyone": 0, "viewer": 1, "support": 1, "operator": 2, "admin": 3, "owner": 4}

// fixture is what one line of the matrix works on, all of it owned by one employer.
type fixture struct {
	employer, account, ach, connection, item, plaidAccount, session, token, client string
}

// probe is how a route is called on a fixture, and what a caller who does not see the fixture's employer gets.
type probe struct {
	path, body string
	outside    int // 404 object, 403 creation, 422 reference in a body, 200 list without rows
	inside     int
}

func probes(f fixture) map[string]probe {
	acct, achID := "/api/v1/bank-accounts/"+f.account, "/api/v1/bank-accounts/ach/"+f.ach
	conn := "/api/v1/plaid/connections/" + f.connection
	item := fmt.Sprintf(`{"item_id":%q}`, f.item)
	return map[string]probe{
		"GetBalance":        {"/api/v1/plaid/balance", fmt.Sprintf(`{"plaid_item_id":%q}`, f.item), 422, 200},
		"ListConnections":   {"/api/v1/plaid/connections?employer_id=" + f.employer, "", 200, 200},
		"GetConnection":     {conn, "", 404, 200},
		"GetSession":        {"/api/v1/plaid/link-sessions/" + f.session, "", 404, 200},
		"CompleteSession":   {"/api/v1/plaid/link-sessions/" + f.session + "/complete", `{"exit":true}`, 404, 200},
		"StartLink":         {"/api/v1/plaid/link-token", fmt.Sprintf(`{"user_id":"u","employer_id":%q}`, f.employer), 403, 200},
		"UpdateLink":        {"/api/v1/plaid/link-token/update", fmt.Sprintf(`{"user_id":"u","item_id":%q}`, f.item), 422, 200},
		"Exchange":          {"/api/v1/plaid/exchange", fmt.Sprintf(`{"user_id":"u","employer_id":%q,"public_token":%q}`, f.employer, f.token), 403, 200},
		"SyncAccounts":      {"/api/v1/plaid/sync-accounts", item, 422, 200},
		"ListAccounts":      {"/api/v1/bank-accounts?employer_id=" + f.employer, "", 200, 200},
		"GetAccount":        {acct, "", 404, 200},
		"AddAccount":        {"/api/v1/bank-accounts", fmt.Sprintf(`{"user_id":"u","name":"n","bank_name":"b","employer_id":%q}`, f.employer), 403, 201},
		"UpdateAccount":     {acct, `{"name":"x"}`, 404, 200},
		"SetDefaultAccount": {acct + "/default", `{"primary":true}`, 404, 200},
		"ListACH":           {"/api/v1/bank-accounts/ach?owner_type=employer&owner_id=" + f.employer, "", 200, 200},
		"GetACH":            {achID, "", 404, 200},
		"AddACH": {"/api/v1/bank-accounts/ach", fmt.Sprintf(
			`{"owner_type":"employer","owner_id":%q,"routing_number":"110000000","account_number":"1111222233330000","bank_name":"b","account_type":"checking"}`, f.employer), 403, 201},
		"AddACHFromPlaid": {"/api/v1/bank-accounts/ach/from-plaid", fmt.Sprintf(
			`{"owner_type":"employer","owner_id":%q,"plaid_account_id":%q,"plaid_item_id":%q}`, f.employer, f.plaidAccount, f.item), 403, 201},
		"UpdateACH":        {achID, `{"nickname":"x"}`, 404, 200},
		"VerifyACH":        {achID + "/verify", `{"plaid_item_id":"` + f.item + `"}`, 404, 409}, // other numbers: seen and compared
		"DeleteACH":        {achID, "", 404, 200},
		"DeleteAccount":    {acct, "", 404, 200},
		"RemoveConnection": {conn, "", 404, 200},
		"ListAudit":        {"/api/v1/admin/audit", "", 200, 200},
		"VerifyAudit":      {"/api/v1/admin/audit/verify", "", 200, 200},
		"ListClients":      {"/api/v1/admin/clients", "", 200, 200},
		"AddClient":        {"/api/v1/admin/clients", `{"name":"n","role":"viewer"}`, 201, 201},
		"RevokeClient":     {"/api/v1/admin/clients/" + f.client, "", 200, 200},
		"ListTenants":      {"/api/v1/admin/tenants", "", 200, 200},
		"AddTenant":        {"/api/v1/admin/tenants", `{"name":"t-` + f.employer + `"}`, 201, 201},
	}
}

func newFixture(t *testing.T, b *banktest.Bank, employer string) fixture {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f := fixture{employer: employer}
	a, err := b.Client.AddAccount(ctx, account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: employer})
	must(err)
	p := account.AddACHParams{OwnerType: "employer", OwnerID: employer, BankName: "b", AccountType: "checking"}
	p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("021000021"), ach.NewAccountNumber("1111222233331111")
	h, err := b.Client.AddACH(ctx, p)
	must(err)
	conn := b.Link(employer)
	link, err := b.Client.StartLink(ctx, connection.LinkParams{UserID: "u", EmployerID: employer, HostedLink: true})
	must(err)
	cl, err := b.Client.AddClient(ctx, tenant.ClientParams{Name: "to revoke", Role: tenant.Viewer})
	must(err)
	f.account, f.ach, f.connection, f.item, f.session, f.client = a.ID, h.ID, conn.ID, conn.ItemID, link.SessionID, cl.ID
	f.plaidAccount, f.token = conn.Accounts[0].PlaidAccountID, b.PublicToken("ins_109509")
	return f
}

type matrixCaller struct {
	name string
	role string
	sees func(employer string) bool
	make func(employer string) *client.Client
}

func callers(t *testing.T, b *banktest.Bank) []matrixCaller {
	var all []matrixCaller
	for _, role := range tenant.Roles {
		for name, scope := range map[string]func(string) tenant.Scope{
			"inside":    func(e string) tenant.Scope { return tenant.Scope{IDs: []string{"some-other", e}} },
			"all":       func(string) tenant.Scope { return tenant.Everything },
			"outside":   func(string) tenant.Scope { return tenant.Scope{IDs: []string{"some-other"}} },
			"nothing":   func(string) tenant.Scope { return tenant.Scope{} },
			"elsewhere": func(string) tenant.Scope { return tenant.Everything },
		} {
			all = append(all, matrixCaller{
				name: string(role) + "_" + name, role: string(role),
				sees: func(string) bool { return name == "inside" || name == "all" },
				make: func(e string) *client.Client {
					p := tenant.ClientParams{Name: name, Role: role, Employers: scope(e)}
					if name == "elsewhere" {
						return b.NewClientOf("other-tenant", p)
					}
					return b.NewClient(p)
				},
			})
		}
	}
	return append(all, matrixCaller{
		name: "bound_to_an_employee", role: "viewer", sees: func(string) bool { return false },
		make: func(string) *client.Client {
			return b.NewClient(tenant.ClientParams{Name: "self", Role: tenant.Operator, BindCompany: "c", BindEmployee: "e"})
		},
	})
}

// R107, R108, A25: role x scope x route, with no hole. Deleting routes come last in the probes' order of use.
func TestEveryRoleScopeAndRoute(t *testing.T) {
	b := banktest.Start(t)
	table := server.Table()
	cells := 0
	for n, c := range callers(t, b) {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, b, fmt.Sprintf("e%d", n))
			who := c.make(f.employer)
			for _, line := range inOrder(table) {
				least, known := allowedFrom[line.Name]
				if !known {
					t.Fatalf("%s has no line in this test's oracle", line.Name)
				}
				if least == "anyone" {
					continue
				}
				p, known := probes(f)[line.Name]
				if !known {
					t.Fatalf("%s has no probe in this test", line.Name)
				}
				cells++
				want := p.outside
				switch {
				case rank[c.role] < rank[least]:
					want = 403
				case c.sees(f.employer):
					want = p.inside
				case strings.HasSuffix(c.name, "elsewhere"):
					want = elsewhere(line.Name, p)
				}
				status, reply := b.Call(who, line.Method, p.path, p.body)
				if status != want {
					t.Errorf("%s %s: %d, want %d: %v", line.Method, line.Path, status, want, reply["error"])
				}
				if rows, isList := reply["data"].([]any); isList && !c.sees(f.employer) && (line.Act == "read" || strings.HasSuffix(c.name, "elsewhere")) {
					for _, r := range rows {
						if id := dig(r, "_id"); id == f.account || id == f.ach || id == f.connection || dig(r, "client_id") == f.client {
							t.Errorf("%s shows another's %v", line.Name, id)
						}
					}
				}
			}
		})
	}
	t.Logf("%d cells", cells)
}

// elsewhere is what a client of all scopes in another tenant gets: there the same employer's id is its own to use, and
// none of the fixture's objects exists.
func elsewhere(route string, p probe) int {
	switch route {
	case "StartLink", "Exchange", "AddAccount", "AddACH":
		return p.inside
	case "AddACHFromPlaid":
		return 422
	case "RevokeClient":
		return 404
	}
	return p.outside
}

// inOrder puts what takes an object away behind everything else, the connection last.
func inOrder(table []server.Line) []server.Line {
	var first, last []server.Line
	for _, l := range table {
		if l.Method == "DELETE" {
			last = append(last, l)
		} else {
			first = append(first, l)
		}
	}
	return append(first, last...)
}

// Without a client, with half of one, or with a wrong one, no data route answers; nor for the local owner.
func TestNoRouteWithoutAClient(t *testing.T) {
	b := banktest.Start(t)
	f := newFixture(t, b, "e1")
	wrong := client.New(b.Config.Socket)
	wrong.ClientID, wrong.Secret = b.Client.ClientID, b.Client.Secret[:len(b.Client.Secret)-1]+"!"
	unknown := client.New(b.Config.Socket)
	unknown.ClientID, unknown.Secret = strings.Replace(b.Client.ClientID, "cli_", "cli_x", 1), b.Client.Secret
	for _, line := range server.Table() {
		p, known := probes(f)[line.Name]
		if !known || line.Act == "" {
			continue
		}
		for name, c := range map[string]*client.Client{"none": b.Owner(), "wrong_secret": wrong, "unknown_id": unknown} {
			if name == "none" && line.Act == "administer" {
				continue // the local owner's own
			}
			if status, reply := b.Call(c, line.Method, p.path, p.body); status != 401 || dig(reply, "error.code") != "unauthenticated" {
				t.Errorf("%s %s with %s: %d", line.Method, line.Path, name, status)
			}
		}
	}
}

// The client has one method of the same name for every route of the table (style habit 15).
func TestTheClientCoversTheTable(t *testing.T) {
	typ := reflect.TypeFor[*client.Client]()
	for _, line := range server.Table() {
		if line.Name == "Health" || line.Name == "Metrics" || line.Name == "Document" || line.Name == "Ready" {
			continue // plain text for other programs
		}
		if _, ok := typ.MethodByName(line.Name); !ok {
			t.Errorf("%s %s: the client has no method %s", line.Method, line.Path, line.Name)
		}
	}
}
