package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

func newAccounts(a *app) *cobra.Command {
	return group("accounts", "Look after bank accounts: names, owners, which one is primary",
		newAccountsList(a), newAccountsGet(a), newAccountsAdd(a), newAccountsUpdate(a), newAccountsSetPrimary(a), newAccountsDelete(a))
}

func accountColumns() []column[account.Account] {
	type x = account.Account
	return []column[x]{
		{name: "id", value: accountID},
		{name: "bank", value: func(v x) string { return v.BankName }},
		{name: "name", value: func(v x) string { return v.Name }},
		{name: "mask", value: func(v x) string { return v.Mask }},
		{name: "type", value: func(v x) string { return v.Subtype }},
		{name: "status", value: func(v x) string { return v.Status }},
		{name: "primary", value: primaryFor, short: func(v x) string {
			if v.Primary && v.PrimaryNotFor != "" {
				return primaryFor(v)
			}
			return tick(v.Primary)
		}},
		{name: "from", value: func(v x) string { return v.ConnectionType }},
		{name: "owner", value: func(v x) string { return ownerOf(v.EmployerID, v.CarrierID) }},
		{name: "balance", value: func(v x) string { return current(v.Balance) }},
	}
}

func (a *app) showAccount(v account.Account) error {
	return single(a, v, accountID, accountColumns(), func() error {
		return a.card([]fact{
			{"account", v.ID}, {"bank", v.BankName}, {"name", v.Name}, {"official name", v.OfficialName}, {"mask", v.Mask},
			{"type", strings.TrimSpace(v.Type + " " + v.Subtype)}, {"status", v.Status}, {"primary", primaryFor(v)}, {"from", v.ConnectionType},
			{"connection", v.ConnectionID}, {"owner", ownerOf(v.EmployerID, v.CarrierID)}, {"user", v.UserID},
			{"balance", current(v.Balance)}, {"available", available(v.Balance)}, {"created", a.moment(v.CreatedAt)}, {"updated", a.moment(v.UpdatedAt)},
		})
	})
}

func deletedColumns() []column[account.Deleted] {
	type x = account.Deleted
	return []column[x]{
		{name: "id", value: func(v x) string { return v.ID }},
		{name: "deleted", value: func(v x) string { return yesNo(v.Deleted) }},
		{name: "was primary", value: func(v x) string { return yesNo(v.PrimaryRemoved) }},
		{name: "also deleted", value: func(v x) string { return strings.Join(v.AlsoDeletedIDs, " ") }},
	}
}

// primaryFor says for which owner an account is primary, where it has two and is primary for one alone.
func primaryFor(v account.Account) string {
	switch {
	case v.Primary && v.PrimaryNotFor == account.Employer:
		return "for carrier"
	case v.Primary && v.PrimaryNotFor == account.Carrier:
		return "for employer"
	}
	return yesNo(v.Primary)
}

// showDeleted reports a deletion, and whether the owner has no primary account now (A10).
func (a *app) showDeleted(d account.Deleted) error {
	err := single(a, d, func(d account.Deleted) string { return d.ID }, deletedColumns(), func() error {
		return printTable(a, []account.Deleted{d}, deletedColumns())
	})
	if d.PrimaryRemoved && a.output == "table" {
		a.say("It was the primary: its owner has none now.")
	}
	return err
}
