package cli

import (
	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

func newACH(a *app) *cobra.Command {
	return group("ach", "Look after ACH accounts: the numbers that money moves through",
		newACHAdd(a), newACHAddFromPlaid(a), newACHList(a), newACHGet(a), newACHUpdate(a), newACHVerify(a), newACHProcessor(a), newACHRelease(a), newACHRecipients(a), newACHDelete(a))
}

func achColumns() []column[account.ACH] {
	type x = account.ACH
	return []column[x]{
		{name: "id", value: achID},
		{name: "bank", value: func(v x) string { return v.BankName }},
		{name: "type", value: func(v x) string { return v.AccountType }},
		{name: "account", value: func(v x) string { return "••" + v.AccountLast4 }},
		{name: "routing", value: func(v x) string { return "••" + v.RoutingLast4 }},
		{name: "status", value: func(v x) string { return v.Status }},
		{name: "primary", value: func(v x) string { return yesNo(v.IsPrimary) }, short: func(v x) string { return tick(v.IsPrimary) }},
		{name: "from", value: func(v x) string { return v.ConnectionType }},
		{name: "owner", value: func(v x) string { return v.OwnerType + " " + v.OwnerID }},
		{name: "nickname", value: func(v x) string { return v.Nickname }},
	}
}

func (a *app) showACH(v account.ACH) error {
	return single(a, v, achID, achColumns(), func() error {
		facts := []fact{
			{"ACH account", v.ID}, {"bank", v.BankName}, {"type", v.AccountType}, {"account", "••" + v.AccountLast4}, {"routing", "••" + v.RoutingLast4},
			{"status", v.Status}, {"primary", yesNo(v.IsPrimary)}, {"nickname", v.Nickname}, {"owner", v.OwnerType + " " + v.OwnerID},
			{"from", v.ConnectionType}, {"mask", v.Mask}, {"bank account", v.BankAccountID}, {"connection", v.ConnectionID},
		}
		if v.Tokenized {
			facts = append(facts, fact{"note", "the bank gave an alias that works for ACH alone"})
		}
		if v.Evidence != nil {
			proof := v.Evidence.Method
			if v.Evidence.PlaidStatus != "" {
				proof += " (" + v.Evidence.PlaidStatus + ")"
			}
			facts = append(facts, fact{"evidence", proof})
		}
		return a.card(append(facts, fact{"created", a.moment(v.CreatedAt)}, fact{"updated", a.moment(v.UpdatedAt)}))
	})
}

// ownerFlags name an ACH account's owner: an employer or a carrier.
type ownerFlags struct{ employer, carrier string }

func (o *ownerFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.employer, "employer-id", "", "the employer that owns it")
	cmd.Flags().StringVar(&o.carrier, "carrier-id", "", "the carrier that owns it")
}

// pair gives owner_type and owner_id; exactly one owner must be named.
func (o ownerFlags) pair() (kind, id string, err error) {
	switch {
	case o.employer != "" && o.carrier != "":
		return "", "", usage("give one of them", "--employer-id and --carrier-id exclude each other: an ACH account has one owner")
	case o.employer != "":
		return account.Employer, o.employer, nil
	case o.carrier != "":
		return account.Carrier, o.carrier, nil
	}
	return "", "", usage("", "an ACH account needs an owner: give --employer-id or --carrier-id")
}
