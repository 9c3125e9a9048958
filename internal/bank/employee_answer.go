package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/tenant"
)

// answer collects Plaid's data about an account, using nothing that the caller posted but the choice (A37). An error of
// Plaid's is part of the answer: it becomes a reason.
func (b *Bank) answer(ctx context.Context, c tenant.Caller, a storedEmployee, conn storedConnection) (employee.Answer, connection.Institution, error) {
	token := conn.token()
	said := employee.Answer{Chosen: a.PlaidAccountID}
	auth, err := b.plaid.GetNumbers(ctx, token)
	accounts, item := auth.Accounts, auth.Item
	if err != nil {
		said.Trouble = trouble(err)
		b.noteEmployeeFailure(ctx, c, conn, err)
		// Without numbers Plaid may still know the account's status: a deposit on its way, or a failed one.
		if accounts, item, err = b.plaid.GetAccounts(ctx, token); err != nil {
			accounts = nil
		}
	} else {
		b.stats.NumberFetches.Add(1)
	}
	for _, p := range accounts {
		said.Accounts = append(said.Accounts, plaidAccount(p, auth.Numbers))
	}
	bank := b.bankOf(ctx, item, conn, a)
	said.Institution = employee.Institution{ID: bank.ID, Name: bank.Name}
	for _, digits := range bank.RoutingNumbers {
		said.Institution.Routing = append(said.Institution.Routing, ach.NewRoutingNumber(digits))
	}
	if said.Trouble == "" {
		said.Owners = b.owners(ctx, token, a, said)
	}
	return said, connection.Institution{ID: bank.ID, Name: bank.Name}, nil
}

func trouble(err error) string {
	if code := plaid.Code(err); code != "" {
		return code
	}
	return employee.NoAnswer
}

// noteEmployeeFailure records an error of Plaid's in the connection's own state.
func (b *Bank) noteEmployeeFailure(ctx context.Context, c tenant.Caller, conn storedConnection, why error) {
	if err := b.noteFailure(ctx, c, conn, why); fault.As(err).Code != fault.As(why).Code {
		b.log.Error("cannot note the trouble of a connection", "connection", conn.ID, "code", fault.As(err).Code)
	}
}

func plaidAccount(p plaid.Account, numbers map[string]plaid.Numbers) employee.PlaidAccount {
	out := employee.PlaidAccount{ID: p.ID, Mask: p.Mask, Type: p.Type, Subtype: p.Subtype, Status: p.VerificationStatus}
	if n, ok := numbers[p.ID]; ok {
		out.Numbers = &employee.PlaidNumbers{Numbers: n.Numbers, Tokenized: n.Tokenized}
	}
	return out
}

// bankOf reads the institution with its routing numbers; if Plaid does not answer, it uses the stored data.
func (b *Bank) bankOf(ctx context.Context, item plaid.Item, conn storedConnection, a storedEmployee) plaid.Institution {
	known := plaid.Institution{ID: item.InstitutionID, Name: item.InstitutionName}
	if known.ID == "" && item.ID == "" {
		known = plaid.Institution{ID: conn.Institution.ID, Name: conn.Institution.Name}
	}
	if known.ID == "" {
		return known
	}
	if found, err := b.plaid.GetInstitution(ctx, known.ID); err == nil {
		return found
	}
	if known.Name == "" && a.InstitutionID == known.ID {
		known.Name = a.InstitutionName
	}
	return known
}

// owners returns Plaid's score of the holder's name, or at least the owners' names; nothing if Plaid has neither.
func (b *Bank) owners(ctx context.Context, token plaid.AccessToken, a storedEmployee, said employee.Answer) employee.Owners {
	chosen := said.Chosen
	if chosen == "" && len(said.Accounts) == 1 {
		chosen = said.Accounts[0].ID
	}
	if scores, err := b.plaid.MatchName(ctx, token, a.AccountHolderName); err == nil {
		if score, ok := scores[chosen]; ok {
			return employee.Owners{Score: &score}
		}
	}
	names, err := b.plaid.GetOwners(ctx, token)
	if err != nil {
		return employee.Owners{}
	}
	return employee.Owners{Names: names[chosen]}
}
