package bank

import (
	"context"
	"strings"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/tenant"
)

// maxInstitutionQuery is longer than any bank's name.
const maxInstitutionQuery = 100

// SearchInstitutions finds banks of Plaid's catalogue by part of their name; ten at most.
func (b *Bank) SearchInstitutions(ctx context.Context, c tenant.Caller, q connection.BankQuery) ([]connection.BankInfo, error) {
	text := strings.TrimSpace(q.Query)
	switch {
	case text == "":
		return nil, fault.Field("query", "is required: part of the bank's name")
	case len(text) > maxInstitutionQuery:
		return nil, fault.Field("query", "is longer than a bank's name")
	}
	if err := b.guards.quotas.take(c); err != nil {
		return nil, err
	}
	found, err := b.plaid.SearchInstitutions(ctx, text)
	if err != nil {
		return nil, err
	}
	out := []connection.BankInfo{}
	for _, i := range found {
		out = append(out, bankInfo(i))
	}
	return out, nil
}

// GetInstitution reads one bank of Plaid's catalogue.
func (b *Bank) GetInstitution(ctx context.Context, c tenant.Caller, id string) (connection.BankInfo, error) {
	if err := b.guards.quotas.take(c); err != nil {
		return connection.BankInfo{}, err
	}
	found, err := b.plaid.GetInstitution(ctx, id)
	if err != nil {
		return connection.BankInfo{}, err
	}
	return bankInfo(found), nil
}

func bankInfo(i plaid.Institution) connection.BankInfo {
	products := i.Products
	if products == nil {
		products = []string{}
	}
	return connection.BankInfo{Institution: connection.Institution{ID: i.ID, Name: i.Name}, Products: products, OAuth: i.OAuth, Status: i.Status}
}
