package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
)

type achAddOptions struct {
	ownerFlags
	routing, file, bank, kind, nickname, bankAccount string
	stdin, primary                                   bool
}

func newACHAdd(a *app) *cobra.Command {
	var o achAddOptions
	cmd := &cobra.Command{
		Use: "add", Short: "Add an ACH account by hand; it starts unverified", Args: none(),
		Long: `Adds an ACH account from its numbers. The account number is asked for twice without
echo, or read from a file or stdin; it is never an argument, where others could see it.`,
		Example: `  bankctl ach add --employer-id acme --bank-name 'First Platypus Bank' --routing-number 021000021 --type checking
  pass show payroll | bankctl ach add --carrier-id c1 --bank-name Platypus --routing-number 021000021 --type savings --account-number-stdin`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runACHAdd(cmd.Context(), a, o) },
	}
	o.ownerFlags.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.bank, "bank-name", "", "the bank (required)")
	f.StringVar(&o.routing, "routing-number", "", "nine digits (asked for where left out)")
	f.StringVar(&o.kind, "type", "", "checking or savings (required)")
	f.StringVar(&o.file, "account-number-file", "", "file that holds the account number")
	f.BoolVar(&o.stdin, "account-number-stdin", false, "read the account number from stdin")
	f.StringVar(&o.nickname, "nickname", "", "what to call it")
	allowEmpty(cmd, "nickname")
	f.StringVar(&o.bankAccount, "account-id", "", "the bank account it belongs to")
	f.BoolVar(&o.primary, "primary", false, "make it its owner's primary")
	completeWords(cmd, "type", account.Checking, account.Savings)
	completeFlagIDs(a, cmd, "account-id", accountIDs)
	return cmd
}

func runACHAdd(ctx context.Context, a *app, o achAddOptions) error {
	p, err := achParams(ctx, a, o)
	if err != nil {
		return err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if o.bankAccount != "" {
		if p.BankAccountID, err = resolve(ctx, "a bank account", o.bankAccount, accountIDs(c)); err != nil {
			return err
		}
	}
	v, err := c.AddACH(ctx, p)
	if err != nil {
		return err
	}
	a.warnOfRouting(p.RoutingNumber)
	return a.showACH(v)
}

// achParams reads the flags and asks for the missing values, the account number last.
func achParams(ctx context.Context, a *app, o achAddOptions) (account.AddACHParams, error) {
	p := account.AddACHParams{BankName: o.bank, AccountType: o.kind, Nickname: o.nickname}
	var err error
	if p.OwnerType, p.OwnerID, err = o.pair(); err != nil {
		return p, err
	}
	if o.stdin && o.file != "" {
		return p, usage("give one of them", "--account-number-file and --account-number-stdin exclude each other")
	}
	if o.primary {
		p.IsPrimary = &o.primary
	}
	for _, v := range []struct {
		value       *string
		label, flag string
	}{{&p.BankName, "Bank", "--bank-name"}, {&p.AccountType, "Type (checking or savings)", "--type"}, {&o.routing, "Routing number", "--routing-number"}} {
		if *v.value != "" {
			continue
		}
		if *v.value, err = a.askLine(ctx, v.label, v.flag); err != nil {
			return p, err
		}
	}
	p.RoutingNumber = ach.NewRoutingNumber(digitsOf(o.routing))
	if err := p.RoutingNumber.Check(); err != nil && o.file == "" && !o.stdin {
		return p, fault.Field("routing_number", err.Error()) // before the user types the longer number twice
	}
	number, err := a.accountNumber(ctx, o.file, o.stdin)
	if err != nil {
		return p, err
	}
	p.AccountNumber = ach.NewAccountNumber(number)
	return p, p.Check()
}

func (a *app) accountNumber(ctx context.Context, file string, stdin bool) (string, error) {
	if file == "" && !stdin {
		return a.askSecret(ctx, "Account number", "--account-number-file or --account-number-stdin")
	}
	text, err := a.readSecretFile(file, stdin)
	return digitsOf(text), err
}

// warnOfRouting says that a routing number which bankd took outside production would be refused there.
func (a *app) warnOfRouting(n ach.RoutingNumber) {
	if !n.Issued() {
		a.say("note: no bank's routing number begins like this one; production refuses it")
	}
}
