package server_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/server"
	"github.com/bankctl/bankctl/internal/tenant"
)

// The oracle of this test is written by hand from the contract, not taken from the code under test.

// The roles that may use a route at all; "bound" is a client bound to one employee.
const (
	anyone  = "anyone"
	readers = "viewer support operator admin bound"
	linkers = "operator admin"               // S1 links and writes
	helpers = "support operator admin bound" // S2 tokens and links
	actors  = "operator admin bound"         // S2 creates and deletes; finishes a session
	admins  = "admin"
	owner   = "the local owner"
)

var allowed = map[string]string{
	"GetStatus": anyone, "Health": anyone, "Metrics": anyone, "Document": anyone, "Ready": anyone,
	"GetBalance": readers, "ListConnections": readers, "GetConnection": readers, "GetSession": readers,
	"ListAccounts": readers, "GetAccount": readers, "ListACH": readers, "GetACH": readers,
	"StartLink": linkers, "UpdateLink": linkers, "Exchange": linkers, "CompleteSession": actors,
	"SyncAccounts": linkers, "RemoveConnection": linkers, "AddAccount": linkers, "UpdateAccount": linkers,
	"SetDefaultAccount": linkers, "DeleteAccount": linkers, "AddACH": linkers, "AddACHFromPlaid": linkers,
	"UpdateACH": linkers, "VerifyACH": linkers, "DeleteACH": linkers,
	"ListTransactions": readers, "GetTransaction": readers, "SummarizeTransactions": readers, "SyncTransactions": linkers,
	"ListAudit": admins, "VerifyAudit": admins, "ListClients": admins, "AddClient": admins, "RevokeClient": admins, "RotateClient": admins,
	"ReleaseACH": linkers, "ListRecipients": admins, "AddRecipient": owner, "RemoveRecipient": owner,
	"Backup": owner, "NoteBackupVerified": owner, "ListTenants": admins, "AddTenant": owner, "GetCompany": admins, "EnableCapability": admins, "DisableCapability": admins,
	"ListCompanyAccounts": readers, "ListEmployeeAccounts": readers, "GetEmployeeAccount": readers, "GetEmployeeHistory": readers,
	"GetEmployeeToken": helpers, "LinkEmployeeAccount": helpers, "AddEmployeeAccount": actors, "DeleteEmployeeAccount": actors,
	"AttestEmployeeAccount": admins,
	"StreamEvents":          readers, "GetOwnClient": readers, "SetAsideTransactions": readers, "RemovedTransactions": readers, "ListExpiring": readers, "ListUsage": readers, "SearchInstitutions": readers, "GetInstitution": readers, "CheckConnection": linkers, "RotateToken": linkers, "ImportConnection": linkers,
	"CreateProcessorToken": linkers, "Examine": admins,
	"KeyStatus": owner, "SetEscrow": owner, "RewrapKeys": owner, "RotateKeys": owner, "VerifyKeys": owner, "DeleteTenant": owner,
}

// fixture is the set of objects that one line of the matrix works on, all of them one employer's.
type fixture struct {
	employer, account, ach, connection, item, plaidAccount, session, token, client string
	person                                                                         string // an employee's account, of company c-EMPLOYER
}

// probe is a call of a route on a fixture, with the status for a caller who sees the fixture's employer and for others.
type probe struct {
	path, body string
	outside    int // 404 object, 403 creation, 422 reference in a body, 200 list without rows
	inside     int
}

func probes(f fixture) map[string]probe {
	acct, achID := "/api/v1/bank-accounts/"+f.account, "/api/v1/bank-accounts/ach/"+f.ach
	conn := "/api/v1/plaid/connections/" + f.connection
	item := fmt.Sprintf(`{"item_id":%q}`, f.item)
	company := "/companies/c-" + f.employer
	person := company + "/employees/p1"
	capability := "/api/v1/admin" + company + "/capabilities/PLAID_VERIFY"
	return map[string]probe{
		"GetBalance":            {"/api/v1/plaid/balance", fmt.Sprintf(`{"plaid_item_id":%q}`, f.item), 422, 200},
		"ListTransactions":      {"/api/v1/plaid/transactions?employer_id=" + f.employer, "", 200, 200},
		"SummarizeTransactions": {"/api/v1/plaid/transactions/summary?employer_id=" + f.employer, "", 200, 200},
		"RemovedTransactions":   {"/api/v1/plaid/transactions/removed?employer_id=" + f.employer, "", 200, 200},
		"SetAsideTransactions":  {"/api/v1/plaid/transactions/set-aside?employer_id=" + f.employer, "", 200, 200},
		"GetOwnClient":          {"/api/v1/client", "", 200, 200},
		"StreamEvents":          {"/api/v1/events?follow=false&after=0", "", 200, 200},
		"GetTransaction":        {"/api/v1/plaid/transactions/000000000000000000000000", "", 404, 404},
		"SyncTransactions":      {"/api/v1/plaid/transactions/sync", item, 422, 200},
		"ListConnections":       {"/api/v1/plaid/connections?employer_id=" + f.employer, "", 200, 200},
		"GetConnection":         {conn, "", 404, 200},
		"CheckConnection":       {conn + "/check", "", 404, 200},
		"RotateToken":           {conn + "/rotate-token", "", 404, 200},
		"ListExpiring":          {"/api/v1/plaid/expiring", "", 200, 200},
		"SearchInstitutions":    {"/api/v1/plaid/institutions?query=platypus", "", 200, 200},
		"GetInstitution":        {"/api/v1/plaid/institutions/ins_109508", "", 200, 200},
		"ListUsage":             {"/api/v1/plaid/usage?connection_id=" + f.connection, "", 404, 200},
		"ImportConnection": {"/api/v1/plaid/import", fmt.Sprintf( // seen, and then no Item of ours
			`{"user_id":"u","employer_id":%q,"access_token":"access-sandbox-00000000-0000-0000-0000-000000000000"}`, f.employer), 403, 422},
		"CreateProcessorToken": {achID + "/processor-token", `{"processor":"dwolla"}`, 404, 409}, // seen, and not verified
		"Examine":              {"/api/v1/admin/doctor", "", 200, 200},
		"GetSession":           {"/api/v1/plaid/link-sessions/" + f.session, "", 404, 200},
		"CompleteSession":      {"/api/v1/plaid/link-sessions/" + f.session + "/complete", `{"exit":true}`, 404, 200},
		"StartLink":            {"/api/v1/plaid/link-token", fmt.Sprintf(`{"user_id":"u","employer_id":%q}`, f.employer), 403, 200},
		"UpdateLink":           {"/api/v1/plaid/link-token/update", fmt.Sprintf(`{"user_id":"u","item_id":%q}`, f.item), 422, 200},
		"Exchange":             {"/api/v1/plaid/exchange", fmt.Sprintf(`{"user_id":"u","employer_id":%q,"public_token":%q}`, f.employer, f.token), 403, 201},
		"SyncAccounts":         {"/api/v1/plaid/sync-accounts", item, 422, 200},
		"ListAccounts":         {"/api/v1/bank-accounts?employer_id=" + f.employer, "", 200, 200},
		"GetAccount":           {acct, "", 404, 200},
		"AddAccount":           {"/api/v1/bank-accounts", fmt.Sprintf(`{"user_id":"u","name":"n","bank_name":"b","employer_id":%q}`, f.employer), 403, 201},
		"UpdateAccount":        {acct, `{"name":"x"}`, 404, 200},
		"SetDefaultAccount":    {acct + "/default", `{"primary":true}`, 404, 200},
		"ListACH":              {"/api/v1/bank-accounts/ach?owner_type=employer&owner_id=" + f.employer, "", 200, 200},
		"GetACH":               {achID, "", 404, 200},
		"AddACH": {"/api/v1/bank-accounts/ach", fmt.Sprintf(
			`{"owner_type":"employer","owner_id":%q,"routing_number":"110000000","account_number":"1111222233330000","bank_name":"b","account_type":"checking"}`, f.employer), 403, 201},
		"AddACHFromPlaid": {"/api/v1/bank-accounts/ach/from-plaid", fmt.Sprintf(
			`{"owner_type":"employer","owner_id":%q,"plaid_account_id":%q,"plaid_item_id":%q}`, f.employer, f.plaidAccount, f.item), 403, 201},
		"UpdateACH":            {achID, `{"nickname":"x"}`, 404, 200},
		"VerifyACH":            {achID + "/verify", `{"plaid_item_id":"` + f.item + `"}`, 404, 409}, // other numbers: seen and compared
		"DeleteACH":            {achID, "", 404, 200},
		"DeleteAccount":        {acct, "", 404, 200},
		"RemoveConnection":     {conn, "", 404, 200},
		"ListAudit":            {"/api/v1/admin/audit", "", 200, 200},
		"VerifyAudit":          {"/api/v1/admin/audit/verify", "", 200, 200},
		"ListClients":          {"/api/v1/admin/clients", "", 200, 200},
		"AddClient":            {"/api/v1/admin/clients", `{"name":"n","role":"viewer"}`, 201, 201},
		"RevokeClient":         {"/api/v1/admin/clients/" + f.client, "", 200, 200},
		"RotateClient":         {"/api/v1/admin/clients/" + f.client + "/rotate", "{}", 200, 200},
		"ListTenants":          {"/api/v1/admin/tenants", "", 200, 200},
		"GetCompany":           {"/api/v1/admin" + company, "", 404, 200},
		"EnableCapability":     {capability, "{}", 404, 200},
		"DisableCapability":    {capability, "", 404, 200},
		"ListCompanyAccounts":  {company + "/bankaccounts?isVerified=false", "", 404, 200},
		"ListEmployeeAccounts": {person + "/bankaccounts", "", 404, 200},
		"AddEmployeeAccount": {person + "/bankaccounts", `{"accountHolderName":"Alberta Bobbeth Charleson","accountNumber":"1111222233331111",` +
			`"routingNumber":"011401533","accountType":"Savings","verificationType":"Manual"}`, 404, 201},
		"GetEmployeeAccount":    {person + "/bankaccounts/" + f.person, "", 404, 200},
		"GetEmployeeHistory":    {person + "/bankaccounts/" + f.person + "/history", "", 404, 200},
		"AttestEmployeeAccount": {person + "/bankaccounts/" + f.person + "/attest", `{"reason":"voided check"}`, 404, 200},
		"DeleteEmployeeAccount": {person + "/bankaccounts/" + f.person, "", 404, 200},
		"GetEmployeeToken":      {person + "/plaid/" + f.person + "/token", "", 404, 200},
		"LinkEmployeeAccount": {person + "/plaid/" + f.person + "/link", // seen, and its missing token named
			`{"accountId":"a","accountName":"n","accountType":"depository","institutionId":"i","institutionName":"n"}`, 404, 422},
		"ReleaseACH":         {"/api/v1/bank-accounts/ach/release", `{"to":"nobody","ids":["` + f.ach + `"]}`, 422, 422},
		"ListRecipients":     {"/api/v1/admin/recipients", "", 200, 200},
		"AddRecipient":       {"/api/v1/admin/recipients", `{"name":"n","key":"age1"}`, 422, 422},
		"RemoveRecipient":    {"/api/v1/admin/recipients/n", "", 404, 404},
		"Backup":             {"/api/v1/admin/backup", `{"to":["x"]}`, 422, 422}, // let in, and asked for a recipient
		"NoteBackupVerified": {"/api/v1/admin/backup/verified", `{"db_id":"x","made_at":"2026-01-01T00:00:00Z"}`, 422, 422},
		"KeyStatus":          {"/api/v1/admin/keys", "", 200, 200},
		"SetEscrow":          {"/api/v1/admin/keys/escrow", `{"to":[{"key":"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"},{"key":"age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"}]}`, 200, 200},
		"RewrapKeys":         {"/api/v1/admin/keys/rewrap", "{}", 200, 200},
		"RotateKeys":         {"/api/v1/admin/keys/rotate", "{}", 200, 200},
		"VerifyKeys":         {"/api/v1/admin/keys/verify", "", 200, 200},
		"DeleteTenant":       {"/api/v1/admin/tenants/none", "", 404, 404},
		"AddTenant":          {"/api/v1/admin/tenants", `{"name":"t-` + f.employer + `"}`, 201, 201},
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
	_, err = b.Owner().EnableCapability(ctx, "c-"+employer, employee.VerifyCapability, employee.CapabilityParams{})
	must(err)
	var pp employee.AddParams
	must(json.Unmarshal([]byte(`{"accountHolderName":"Alberta Bobbeth Charleson","accountNumber":"1111222233330000",`+
		`"routingNumber":"011401533","accountType":"Checking","verificationType":"Plaid"}`), &pp))
	e, err := b.Client.AddEmployeeAccount(ctx, "c-"+employer, "p1", pp)
	must(err)
	f.person = e.AccountID
	f.account, f.ach, f.connection, f.item, f.session, f.client = a.ID, h.ID, conn.ID, conn.ItemID, link.SessionID, cl.ID
	f.plaidAccount, f.token = conn.Accounts[0].PlaidAccountID, b.PublicToken("ins_109509")
	return f
}

type matrixCaller struct {
	name, role string
	sees       bool // the fixture's employer and company are in its scopes
	make       func(b *banktest.Bank, f fixture) *client.Client
}

func callers() []matrixCaller {
	ids := func(ids ...string) tenant.Scope { return tenant.Scope{IDs: ids} }
	scopes := []struct {
		name string
		of   func(id string) tenant.Scope
	}{
		{"inside", func(id string) tenant.Scope { return ids("some-other", id) }},
		{"all", func(string) tenant.Scope { return tenant.Everything }},
		{"outside", func(string) tenant.Scope { return ids("some-other") }},
		{"nothing", func(string) tenant.Scope { return tenant.Scope{} }},
		{"elsewhere", func(string) tenant.Scope { return tenant.Everything }},
	}
	var all []matrixCaller
	for _, role := range tenant.Roles {
		for _, scope := range scopes {
			all = append(all, matrixCaller{
				name: string(role) + "_" + scope.name, role: string(role), sees: scope.name == "inside" || scope.name == "all",
				make: func(b *banktest.Bank, f fixture) *client.Client {
					p := tenant.ClientParams{
						Name: scope.name, Role: role, Employers: scope.of(f.employer), Companies: scope.of("c-" + f.employer),
						ActAsEmployee: role == tenant.Operator || role == tenant.Admin,
					}
					if scope.name == "elsewhere" {
						return b.NewClientOf("other-tenant", p)
					}
					return b.NewClient(p)
				},
			})
		}
	}
	bound := func(name, employeeID string, sees bool) matrixCaller {
		return matrixCaller{name: name, role: "bound", sees: sees, make: func(b *banktest.Bank, f fixture) *client.Client {
			return b.NewClient(tenant.ClientParams{Name: "self", Role: tenant.Operator, BindCompany: "c-" + f.employer, BindEmployee: employeeID})
		}}
	}
	return append(all, bound("bound_to_the_employee", "p1", true), bound("bound_to_another", "p2", false))
}

// want is the contract's status of one cell.
func (c matrixCaller) want(line server.Line, p probe) int {
	s2 := strings.Contains(line.Path, "/companies/") && line.Act != "administer"
	switch {
	case !strings.Contains(allowed[line.Name], c.role):
		return 403
	case strings.HasSuffix(c.name, "elsewhere"):
		return elsewhere(line.Name, p)
	case c.role == "bound" && line.Name == "ListCompanyAccounts":
		return 404 // more than its own
	case c.role == "bound" && !s2:
		return p.outside // no employer is its own
	case c.sees:
		return p.inside
	}
	return p.outside
}

// R107, R108, R115, A25: role x scope x route, with no hole.
func TestEveryRoleScopeAndRoute(t *testing.T) {
	t.Parallel()
	table := server.Table()
	var cells atomic.Int64
	t.Cleanup(func() { t.Logf("%d cells", cells.Load()) })
	for _, c := range callers() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := banktest.Start(t)
			f := newFixture(t, b, "e1")
			who := c.make(b, f)
			for _, line := range inOrder(table) {
				if allowed[line.Name] == "" {
					t.Fatalf("%s has no line in this test's oracle", line.Name)
				}
				if allowed[line.Name] == anyone || strings.HasPrefix(line.Path, "/api/v1/companies/") {
					continue // S2's second path is the same route
				}
				p, known := probes(f)[line.Name]
				if !known {
					t.Fatalf("%s has no probe in this test", line.Name)
				}
				cells.Add(1)
				status, reply := b.Call(who, line.Method, p.path, p.body)
				if want := c.want(line, p); status != want {
					t.Errorf("%s %s: %d, want %d: %v", line.Method, line.Path, status, want, reply["error"])
				}
				if rows, isList := reply["data"].([]any); isList && !c.sees && (line.Act == "read" || strings.HasSuffix(c.name, "elsewhere")) {
					for _, r := range rows {
						if id := dig(r, "_id"); id == f.account || id == f.ach || id == f.connection || dig(r, "client_id") == f.client {
							t.Errorf("%s shows another's %v", line.Name, id)
						}
					}
				}
			}
		})
	}
}

// Without act_as_employee an operator reads a company's employees, and neither creates, deletes nor links (R115).
func TestNotInTheEmployeesContext(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	f := newFixture(t, b, "e1")
	who := b.NewClient(tenant.ClientParams{Name: "not acting", Role: tenant.Operator, Companies: tenant.Everything})
	for _, line := range server.Table() {
		p := probes(f)[line.Name]
		if !strings.HasPrefix(line.Path, "/companies/") || line.Act == "administer" {
			continue
		}
		want := 403
		if line.Act == "read" {
			want = 200
		}
		if status, _ := b.Call(who, line.Method, p.path, p.body); status != want {
			t.Errorf("%s %s: %d, want %d", line.Method, line.Path, status, want)
		}
	}
}

// elsewhere is the status for a client of all scopes in another tenant: there the same employer's id is its own to use, and
// none of the fixture's objects exists.
func elsewhere(route string, p probe) int {
	switch route {
	case "StartLink", "Exchange", "ImportConnection", "AddAccount", "AddACH":
		return p.inside
	case "GetCompany", "EnableCapability", "DisableCapability", "ListCompanyAccounts", "ListEmployeeAccounts":
		return 200 // its own tenant's, and empty
	case "AddEmployeeAccount":
		return 201
	case "AddACHFromPlaid":
		return 422
	case "RevokeClient", "RotateClient":
		return 404
	}
	return p.outside
}

// inOrder puts routes that delete behind all others, the connection's last.
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
	t.Parallel()
	var minutes atomic.Int64 // pass between calls: whoever sends many wrong secrets in one is slowed down
	b := banktest.Start(t, banktest.Clock(func() time.Time { return time.Now().Add(time.Duration(minutes.Load()) * time.Minute) }))
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
			minutes.Add(1)
			if status, reply := b.Call(c, line.Method, p.path, p.body); status != 401 || dig(reply, "error.code") != "unauthenticated" {
				t.Errorf("%s %s with %s: %d", line.Method, line.Path, name, status)
			}
		}
	}
}

// The client has one method of the same name for every route of the table (style habit 15).
func TestTheClientCoversTheTable(t *testing.T) {
	t.Parallel()
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
