package server

import (
	"reflect"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/keys"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// route is one line of the table: from it come the mux, the OpenAPI document and the tests over all routes.
type route struct {
	Method, Path string
	Name         string // of the use case in bank and of the method in client
	Summary      string
	Act          tenant.Act // what a role must allow; empty = open to anyone on the socket
	Status       int
	Query        query.Params // without aliases and without the parts of the path
	Body         reflect.Type // nil = none
	Reply        reflect.Type // nil = another form than the API's JSON
	List         bool         // Reply is one of many, with pagination
	Bare         bool         // S2's family: the object itself, no envelope
	Handle       handler
	Raw          func(*call) // used instead of Handle; writes a reply of its own form
	// Stream is used instead of Handle where the reply is a file; it checks the call and returns what writes it.
	Stream func(*call) (streamer, error)
}

func typed[T any]() reflect.Type { return reflect.TypeFor[T]() }

// paged lists the parameters of a filter and of its page.
func paged(filter any) query.Params { return query.Of(filter, page.Request{}) }

// table lists every route, sorted by path and method within its group.
func (s *Server) table() []route {
	all := slices.Concat(s.system(), s.linking(), s.accounts(), s.ach(), s.employees(), s.txns(), s.admin())
	for i := range all {
		if all[i].Status == 0 {
			all[i].Status = 200
		}
		all[i].Query = all[i].Query.Without(pathNames(all[i].Path)...)
		if strings.HasPrefix(all[i].Path, "/companies/") { // S2 names no base path: the daemon answers with and without ours (A33)
			prefixed := all[i]
			prefixed.Path = "/api/v1" + prefixed.Path
			all = append(all, prefixed)
		}
	}
	return all
}

func (s *Server) system() []route {
	return []route{
		{Method: "GET", Path: "/api/v1/status", Name: "GetStatus", Summary: "What the daemon says of itself", Reply: typed[status.Status](), Handle: s.getStatus},
		{Method: "GET", Path: "/api/v1/client", Name: "GetOwnClient", Summary: "Read the client that calls: its role and scopes", Act: tenant.Read,
			Reply: typed[tenant.Client](), Handle: s.getOwnClient},
		{Method: "GET", Path: "/api/v1/events", Name: "StreamEvents", Summary: "Tell what happens as server-sent events: those behind Last-Event-ID or after, then each as it comes", Act: tenant.Read,
			Query: query.Of(trail.EventQuery{}), Stream: s.streamEvents},
		{Method: "GET", Path: "/healthz", Name: "Health", Summary: "Answers while the process lives", Raw: s.health},
		{Method: "GET", Path: "/metrics", Name: "Metrics", Summary: "Metrics in Prometheus' text format", Raw: s.serveMetrics},
		{Method: "GET", Path: "/openapi.json", Name: "Document", Summary: "This document", Raw: s.document},
		{Method: "GET", Path: "/readyz", Name: "Ready", Summary: "Whether calls will be served", Raw: s.ready},
	}
}

func (s *Server) linking() []route {
	b := s.bank
	return []route{
		{Method: "POST", Path: "/api/v1/plaid/balance", Name: "GetBalance", Summary: "Ask the bank for live balances (a paid read)", Act: tenant.Read,
			Body: typed[connection.BalanceParams](), Reply: typed[connection.Balances](), Handle: withBody(b.GetBalance)},
		{Method: "GET", Path: "/api/v1/plaid/connections", Name: "ListConnections", Summary: "List linked institutions, newest first", Act: tenant.Read,
			Query: paged(connection.Query{}), Reply: typed[connection.Connection](), List: true, Handle: withPage(b.ListConnections)},
		{Method: "DELETE", Path: "/api/v1/plaid/connections/{id}", Name: "RemoveConnection", Summary: "Remove the Item at Plaid and close what came from it", Act: tenant.Write,
			Query: query.Of(connection.RemoveParams{}), Reply: typed[connection.RemovedReply](), Handle: withIDAndQuery(b.RemoveConnection)},
		{Method: "GET", Path: "/api/v1/plaid/connections/{id}", Name: "GetConnection", Summary: "Read a connection by our id or Plaid's item id", Act: tenant.Read,
			Reply: typed[connection.Connection](), Handle: withID(b.GetConnection)},
		{Method: "POST", Path: "/api/v1/plaid/connections/{id}/check", Name: "CheckConnection", Summary: "Ask Plaid how a connection is, and bring it in line", Act: tenant.Write,
			Reply: typed[connection.Connection](), Handle: withID(b.CheckConnection)},
		{Method: "POST", Path: "/api/v1/plaid/connections/{id}/rotate-token", Name: "RotateToken", Summary: "Swap the access token for a new one", Act: tenant.Write,
			Reply: typed[connection.Rotated](), Handle: withID(b.RotateToken)},
		{Method: "GET", Path: "/api/v1/plaid/expiring", Name: "ListExpiring", Summary: "List consents, accesses, deposits and balances that end soon; within=720h where left out", Act: tenant.Read,
			Query: query.Of(connection.ExpiringQuery{}), Reply: typed[[]connection.Expiring](), Handle: withQuery(s.listExpiring)},
		{Method: "POST", Path: "/api/v1/plaid/exchange", Name: "Exchange", Summary: "Turn a public token into a connection and read its accounts", Act: tenant.Link, Status: 201,
			Body: typed[connection.ExchangeParams](), Reply: typed[connection.Exchanged](), Handle: withBody(b.Exchange)},
		{Method: "POST", Path: "/api/v1/plaid/import", Name: "ImportConnection", Summary: "Take over an Item that another tool made with the same Plaid keys", Act: tenant.Link, Status: 201,
			Body: typed[connection.ImportParams](), Reply: typed[connection.Connection](), Handle: withBody(b.ImportConnection)},
		{Method: "GET", Path: "/api/v1/plaid/institutions", Name: "SearchInstitutions", Summary: "Find banks of Plaid's catalogue by name", Act: tenant.Read,
			Query: query.Of(connection.BankQuery{}), Reply: typed[[]connection.BankInfo](), Handle: withQuery(b.SearchInstitutions)},
		{Method: "GET", Path: "/api/v1/plaid/institutions/{id}", Name: "GetInstitution", Summary: "Read one bank of Plaid's catalogue", Act: tenant.Read,
			Reply: typed[connection.BankInfo](), Handle: withID(b.GetInstitution)},
		{Method: "GET", Path: "/api/v1/plaid/link-sessions/{id}", Name: "GetSession", Summary: "Read a link session; wait=25s returns as soon as it ends", Act: tenant.Read,
			Query: query.Of(connection.WaitQuery{}), Reply: typed[connection.Session](), Handle: withIDAndQuery(s.getSession)},
		{Method: "POST", Path: "/api/v1/plaid/link-sessions/{id}/complete", Name: "CompleteSession", Summary: "Finish a session without a browser (simulated and sandbox)", Act: tenant.EmployeeLink,
			Body: typed[connection.CompleteParams](), Reply: typed[connection.Session](), Handle: withIDAndBody(b.CompleteSession)},
		{Method: "POST", Path: "/api/v1/plaid/link-token", Name: "StartLink", Summary: "Ask for a link token", Act: tenant.Link,
			Body: typed[connection.LinkParams](), Reply: typed[connection.Link](), Handle: withBody(b.StartLink)},
		{Method: "POST", Path: "/api/v1/plaid/link-token/update", Name: "UpdateLink", Summary: "Ask for a link token that mends or widens a connection", Act: tenant.Link,
			Body: typed[connection.UpdateLinkParams](), Reply: typed[connection.Link](), Handle: withBody(b.UpdateLink)},
		{Method: "POST", Path: "/api/v1/plaid/sync-accounts", Name: "SyncAccounts", Summary: "Read the accounts of a connection anew", Act: tenant.Write,
			Body: typed[connection.ItemParams](), Reply: typed[connection.Synced](), Handle: withBody(b.SyncAccounts)},
		{Method: "GET", Path: "/api/v1/plaid/usage", Name: "ListUsage", Summary: "Count the calls to Plaid by connection and endpoint", Act: tenant.Read,
			Query: query.Of(connection.UsageQuery{}), Reply: typed[[]connection.Usage](), Handle: withQuery(s.listUsage)},
	}
}

func (s *Server) accounts() []route {
	b := s.bank
	return []route{
		{Method: "GET", Path: "/api/v1/bank-accounts", Name: "ListAccounts", Summary: "List bank accounts, newest first", Act: tenant.Read,
			Query: paged(account.Query{}), Reply: typed[account.Account](), List: true, Handle: withPage(b.ListAccounts)},
		{Method: "POST", Path: "/api/v1/bank-accounts", Name: "AddAccount", Summary: "Add a bank account by hand", Act: tenant.Write, Status: 201,
			Body: typed[account.AddParams](), Reply: typed[account.Account](), Handle: withBody(b.AddAccount)},
		{Method: "DELETE", Path: "/api/v1/bank-accounts/{id}", Name: "DeleteAccount", Summary: "Delete a bank account; cascade=true takes joined ACH accounts along", Act: tenant.Write,
			Query: query.Of(account.DeleteQuery{}), Reply: typed[account.Deleted](), Handle: withIDAndQuery(s.deleteAccount)},
		{Method: "GET", Path: "/api/v1/bank-accounts/{id}", Name: "GetAccount", Summary: "Read a bank account", Act: tenant.Read,
			Reply: typed[account.Account](), Handle: withID(b.GetAccount)},
		{Method: "PATCH", Path: "/api/v1/bank-accounts/{id}", Name: "UpdateAccount", Summary: "Change a bank account", Act: tenant.Write,
			Body: typed[account.UpdateParams](), Reply: typed[account.Account](), Handle: withIDAndBody(b.UpdateAccount)},
		{Method: "PATCH", Path: "/api/v1/bank-accounts/{id}/default", Name: "SetDefaultAccount", Summary: "Make a bank account its owner's primary", Act: tenant.Write,
			Body: typed[account.DefaultParams](), Reply: typed[account.Account](), Handle: s.setDefaultAccount},
	}
}

func (s *Server) ach() []route {
	b := s.bank
	return []route{
		{Method: "GET", Path: "/api/v1/bank-accounts/ach", Name: "ListACH", Summary: "List ACH accounts, newest first", Act: tenant.Read,
			Query: paged(account.ACHQuery{}), Reply: typed[account.ACH](), List: true, Handle: withPage(b.ListACH)},
		{Method: "POST", Path: "/api/v1/bank-accounts/ach", Name: "AddACH", Summary: "Add an ACH account by hand; it starts unverified", Act: tenant.Write, Status: 201,
			Body: typed[account.AddACHParams](), Reply: typed[account.ACH](), Handle: withBody(b.AddACH)},
		{Method: "POST", Path: "/api/v1/bank-accounts/ach/from-plaid", Name: "AddACHFromPlaid", Summary: "Add an ACH account of a linked one; its numbers come from Plaid", Act: tenant.Write, Status: 201,
			Body: typed[account.FromPlaidParams](), Reply: typed[account.ACH](), Handle: withBody(b.AddACHFromPlaid)},
		{Method: "POST", Path: "/api/v1/bank-accounts/ach/release", Name: "ReleaseACH", Summary: "Send the numbers of verified ACH accounts to a registered recipient, in an age file that it alone opens", Act: tenant.Write,
			Body: typed[account.ReleaseParams](), Stream: s.releaseACH},
		{Method: "DELETE", Path: "/api/v1/bank-accounts/ach/{id}", Name: "DeleteACH", Summary: "Destroy an ACH account's numbers and delete it", Act: tenant.Write,
			Reply: typed[account.Deleted](), Handle: withID(b.DeleteACH)},
		{Method: "GET", Path: "/api/v1/bank-accounts/ach/{id}", Name: "GetACH", Summary: "Read an ACH account", Act: tenant.Read,
			Reply: typed[account.ACH](), Handle: withID(b.GetACH)},
		{Method: "PATCH", Path: "/api/v1/bank-accounts/ach/{id}", Name: "UpdateACH", Summary: "Change an ACH account's nickname, type or primary mark", Act: tenant.Write,
			Body: typed[account.UpdateACHParams](), Reply: typed[account.ACH](), Handle: withIDAndBody(b.UpdateACH)},
		{Method: "POST", Path: "/api/v1/bank-accounts/ach/{id}/processor-token", Name: "CreateProcessorToken", Summary: "Let one of Plaid's partners move money through a verified account; the token is shown this once", Act: tenant.Write, Status: 201,
			Body: typed[account.ProcessorParams](), Reply: typed[account.ProcessorToken](), Handle: withIDAndBody(b.CreateProcessorToken)},
		{Method: "POST", Path: "/api/v1/bank-accounts/ach/{id}/verify", Name: "VerifyACH", Summary: "Prove an ACH account by comparing it with a linked one, or by an admin's word", Act: tenant.Write,
			Body: typed[account.VerifyACHParams](), Reply: typed[account.VerifyReply](), Handle: withIDAndBody(b.VerifyACH)},
	}
}

func (s *Server) admin() []route {
	b := s.bank
	return []route{
		{Method: "GET", Path: "/api/v1/admin/audit", Name: "ListAudit", Summary: "List audit records, newest first", Act: tenant.Administer,
			Query: query.Of(trail.Query{}), Reply: typed[[]trail.Record](), Handle: withQuery(b.ListAudit)},
		{Method: "GET", Path: "/api/v1/admin/audit/verify", Name: "VerifyAudit", Summary: "Check the tenant's whole audit chain", Act: tenant.Administer,
			Reply: typed[trail.Report](), Handle: s.verifyAudit},
		{Method: "POST", Path: "/api/v1/admin/backup", Name: "Backup", Summary: "Make a backup of all tenants, encrypted to recipients (local owner)", Act: tenant.Administer,
			Body: typed[tenant.BackupParams](), Stream: s.backUp},
		{Method: "POST", Path: "/api/v1/admin/backup/verified", Name: "NoteBackupVerified", Summary: "Tell that a backup was opened and is whole (local owner)", Act: tenant.Administer,
			Body: typed[tenant.BackupVerified](), Reply: typed[tenant.BackupVerified](), Handle: withBody(s.noteBackupVerified)},
		{Method: "GET", Path: "/api/v1/admin/clients", Name: "ListClients", Summary: "List the tenant's clients", Act: tenant.Administer,
			Query: paged(struct{}{}), Reply: typed[tenant.Client](), List: true, Handle: unfiltered(b.ListClients)},
		{Method: "POST", Path: "/api/v1/admin/clients", Name: "AddClient", Summary: "Mint a client; its secret is shown this once", Act: tenant.Administer, Status: 201,
			Body: typed[tenant.ClientParams](), Reply: typed[tenant.Minted](), Handle: withBody(b.AddClient)},
		{Method: "POST", Path: "/api/v1/admin/clients/{id}/rotate", Name: "RotateClient", Summary: "Mint another secret for a client; the old one works on for a while", Act: tenant.Administer,
			Body: typed[tenant.RotateParams](), Reply: typed[tenant.Minted](), Handle: withIDAndBody(b.RotateClient)},
		{Method: "DELETE", Path: "/api/v1/admin/clients/{id}", Name: "RevokeClient", Summary: "End a client", Act: tenant.Administer,
			Reply: typed[tenant.Client](), Handle: withID(b.RevokeClient)},
		{Method: "GET", Path: "/api/v1/admin/companies/{companyId}", Name: "GetCompany", Summary: "What a company has switched on", Act: tenant.Administer,
			Reply: typed[employee.Capabilities](), Handle: s.getCompany},
		{Method: "DELETE", Path: "/api/v1/admin/companies/{companyId}/capabilities/{capability}", Name: "DisableCapability", Summary: "Switch a capability off", Act: tenant.Administer,
			Reply: typed[employee.Capabilities](), Handle: s.disableCapability},
		{Method: "PUT", Path: "/api/v1/admin/companies/{companyId}/capabilities/{capability}", Name: "EnableCapability", Summary: "Switch a capability on, and set the policy for banks that hand out aliases", Act: tenant.Administer,
			Body: typed[employee.CapabilityParams](), Reply: typed[employee.Capabilities](), Handle: s.enableCapability},
		{Method: "GET", Path: "/api/v1/admin/doctor", Name: "Examine", Summary: "Read all data and the audit chain, and list what needs somebody", Act: tenant.Administer,
			Reply: typed[status.Examination](), Handle: s.examine},
		{Method: "GET", Path: "/api/v1/admin/keys", Name: "KeyStatus", Summary: "Which keys wrap the data, who can recover them, how far a rotation is (local owner)", Act: tenant.Administer,
			Reply: typed[keys.Status](), Handle: s.keyStatus},
		{Method: "PUT", Path: "/api/v1/admin/keys/escrow", Name: "SetEscrow", Summary: "Encrypt every tenant's keys to two or more age recipients, who replace those from before (local owner)", Act: tenant.Administer,
			Body: typed[keys.EscrowParams](), Reply: typed[keys.Status](), Handle: withBody(b.SetEscrow)},
		{Method: "POST", Path: "/api/v1/admin/keys/rewrap", Name: "RewrapKeys", Summary: "Wrap all keysets by the newest key of the configured provider (local owner)", Act: tenant.Administer,
			Body: typed[keys.RewrapParams](), Reply: typed[keys.Turned](), Handle: withBody(b.RewrapKeys)},
		{Method: "POST", Path: "/api/v1/admin/keys/rotate", Name: "RotateKeys", Summary: "Turn the key that wraps the data keys, and the data keys; records are sealed anew in the background (local owner)", Act: tenant.Administer,
			Body: typed[keys.RotateParams](), Reply: typed[keys.Turned](), Handle: withBody(b.RotateKeys)},
		{Method: "GET", Path: "/api/v1/admin/keys/verify", Name: "VerifyKeys", Summary: "Unwrap every keyset, decrypt every record, count values by key (local owner)", Act: tenant.Administer,
			Reply: typed[keys.Report](), Handle: s.verifyKeys},
		{Method: "GET", Path: "/api/v1/admin/recipients", Name: "ListRecipients", Summary: "List who may be sent the numbers of ACH accounts", Act: tenant.Administer,
			Query: paged(struct{}{}), Reply: typed[account.Recipient](), List: true, Handle: unfiltered(b.ListRecipients)},
		{Method: "POST", Path: "/api/v1/admin/recipients", Name: "AddRecipient", Summary: "Register who may be sent the numbers of ACH accounts (local owner)", Act: tenant.Administer, Status: 201,
			Body: typed[account.RecipientParams](), Reply: typed[account.Recipient](), Handle: withBody(b.AddRecipient)},
		{Method: "DELETE", Path: "/api/v1/admin/recipients/{name}", Name: "RemoveRecipient", Summary: "End a recipient (local owner)", Act: tenant.Administer,
			Reply: typed[account.Recipient](), Handle: s.removeRecipient},
		{Method: "GET", Path: "/api/v1/admin/tenants", Name: "ListTenants", Summary: "List tenants", Act: tenant.Administer,
			Query: paged(struct{}{}), Reply: typed[tenant.Tenant](), List: true, Handle: unfiltered(b.ListTenants)},
		{Method: "POST", Path: "/api/v1/admin/tenants", Name: "AddTenant", Summary: "Make a tenant (local owner)", Act: tenant.Administer, Status: 201,
			Body: typed[tenant.AddParams](), Reply: typed[tenant.Tenant](), Handle: withBody(b.AddTenant)},
		{Method: "DELETE", Path: "/api/v1/admin/tenants/{id}", Name: "DeleteTenant", Summary: "Delete a tenant with all it has and destroy its keys, once no Item is linked (local owner)", Act: tenant.Administer,
			Reply: typed[tenant.Deleted](), Handle: withID(b.DeleteTenant)},
	}
}
