package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
)

// makeACH makes an ACH account of each chosen account, and records those that fail. It keeps one that an interrupted run
// of the same link has made.
func (f linkFlow) makeACH(ctx context.Context, r *linkResult, chosen []account.Account, primary string) error {
	if len(chosen) == 0 {
		return nil
	}
	owner := ownerFlags{employer: r.Connection.EmployerID}
	if owner.employer == "" {
		owner.carrier = r.Connection.CarrierID
	}
	kind, id, err := owner.pair()
	if err != nil {
		return err
	}
	made, err := f.existingACH(ctx, kind, id, r.Connection.ID)
	if err != nil {
		return err
	}
	for _, x := range chosen {
		if v, ok := made[x.PlaidAccountID]; ok {
			r.ACH = append(r.ACH, v)
			continue
		}
		p := account.FromPlaidParams{OwnerType: kind, OwnerID: id, PlaidAccountID: x.PlaidAccountID, PlaidItemID: x.PlaidItemID}
		if yes := x.ID == primary; yes {
			p.IsPrimary = &yes
		}
		v, err := f.client.AddACHFromPlaid(ctx, p)
		if err == nil {
			r.ACH = append(r.ACH, v)
			continue
		}
		refused, is := errors.AsType[*fault.Error](err)
		if !is || refused.Code == fault.Unavailable {
			return err
		}
		r.Skipped = append(r.Skipped, refusedAccount(x, refused))
	}
	return nil
}

func (f linkFlow) existingACH(ctx context.Context, kind, id, connectionID string) (map[string]account.ACH, error) {
	all, err := allRows(ctx, filtered(f.client.ListACH, account.ACHQuery{OwnerType: kind, OwnerID: id, Status: account.Active, ConnectionType: account.Plaid}))
	made := map[string]account.ACH{}
	for _, v := range all {
		if v.ConnectionID == connectionID {
			made[v.PlaidAccountID] = v
		}
	}
	return made, err
}

func refusedAccount(x account.Account, e *fault.Error) skipped {
	s := skipped{AccountID: x.ID, Name: x.Name, Mask: x.Mask, Code: e.Code, Reason: e.Message, failed: true}
	if e.Fields["plaid_account_id"] == string(notEligible) {
		s.Code, s.Reason, s.failed = notEligible, "the bank gives no ACH numbers for it", false
	}
	if e.Fields["plaid_account_id"] == "numbers_not_usable" {
		s.Code, s.Reason, s.failed = "numbers_not_usable", "the bank's numbers for it are not a US account's; it stays as metadata", false
	}
	if e.ID != "" {
		s.Reason += " (" + e.ID + ")"
	}
	return s
}

// showLink prints the result, and ends with 10 or 13 where some of it failed.
func (a *app) showLink(r linkResult) error {
	id := func(linkResult) string { return r.Connection.ID }
	rows := achRows(r)
	table := func() error {
		a.say("Linked %s: connection %s", clean(r.Connection.Institution.Name), r.Connection.ID)
		if err := printTable(a, rows, linkColumns()); err != nil {
			return err
		}
		if len(r.ACH) > 0 {
			a.say("next: bankctl ach list, bankctl connections balance %s", r.Connection.ID)
		}
		return nil
	}
	var err error
	if (a.output == "csv" || a.output == "tsv") && a.jq == "" {
		err = show(a, r, rows, func(linkRow) string { return "" }, linkColumns(), table)
	} else {
		err = single(a, r, id, nil, table)
	}
	if err != nil {
		return err
	}
	return r.failure()
}

func (r linkResult) failure() error {
	failed := 0
	for _, s := range r.Skipped {
		if s.Code == fault.RelinkRequired {
			return fault.New(fault.RelinkRequired, "the bank wants you to sign in again before it gives numbers").
				WithHint("`bankctl connections reauth %s`", r.Connection.ID)
		}
		if s.failed {
			failed++
		}
	}
	if failed > 0 {
		return exitError{fault.ExitPartial, fmt.Sprintf("the bank is linked, but %d of the accounts asked for did not become ACH accounts", failed),
			"`bankctl ach add-from-plaid ID` tries one again"}
	}
	return nil
}

// linkRow is one account of the result: its ACH account, or why it has none.
type linkRow struct {
	accountID, name, mask, achID, number, routing, status, note string
}

func achRows(r linkResult) []linkRow {
	byPlaid := map[string]account.ACH{}
	for _, v := range r.ACH {
		byPlaid[v.PlaidAccountID] = v
	}
	var rows []linkRow
	for _, x := range r.Accounts {
		row := linkRow{accountID: x.ID, name: x.Name, mask: x.Mask}
		if v, ok := byPlaid[x.PlaidAccountID]; ok {
			row.achID, row.number, row.routing, row.status = v.ID, "••"+v.AccountLast4, "••"+v.RoutingLast4, v.Status
			if v.IsPrimary {
				row.note = "primary"
			}
		}
		for _, s := range r.Skipped {
			if s.AccountID == x.ID {
				row.note = s.Reason
			}
		}
		rows = append(rows, row)
	}
	for _, s := range r.Skipped {
		if s.AccountID == "" {
			rows = append(rows, linkRow{mask: s.Mask, note: s.Reason})
		}
	}
	return rows
}

func linkColumns() []column[linkRow] {
	return []column[linkRow]{
		{name: "name", value: func(r linkRow) string { return r.name }},
		{name: "mask", value: func(r linkRow) string { return r.mask }},
		{name: "ach account", value: func(r linkRow) string { return r.achID }},
		{name: "number", value: func(r linkRow) string { return r.number }},
		{name: "routing", value: func(r linkRow) string { return r.routing }},
		{name: "status", value: func(r linkRow) string { return r.status }},
		{name: "note", value: func(r linkRow) string { return r.note }},
		{name: "account", value: func(r linkRow) string { return r.accountID }},
	}
}
