package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
)

type employeeAddOptions struct {
	personFlags
	holder, routing, kind, by, file string
	stdin                           bool
}

func newEmployeeAdd(a *app) *cobra.Command {
	var o employeeAddOptions
	cmd := &cobra.Command{
		Use: "add", Short: "Add an employee's bank account; it starts unverified", Args: none(),
		Long: `Adds the account that an employee entered. The account number is asked for twice
without echo, or read from a file or stdin; it is never an argument, where others could
see it. Spaces and dashes in it do not matter.`,
		Example: `  bankctl employee add --company-id acme --employee-id e42 --holder-name 'Ana Diaz' --routing-number 011401533 --type checking
  pass show ana | bankctl employee add --company-id acme --employee-id e42 --holder-name 'Ana Diaz' \
    --routing-number 011401533 --type checking --account-number-stdin`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEmployeeAdd(cmd.Context(), a, o) },
	}
	o.personFlags.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.holder, "holder-name", "", "the name the account is held in (asked for where left out)")
	f.StringVar(&o.routing, "routing-number", "", "nine digits (asked for where left out)")
	f.StringVar(&o.kind, "type", "", "checking or savings (asked for where left out)")
	f.StringVar(&o.by, "verification-type", "plaid", "plaid, or manual for none")
	f.StringVar(&o.file, "account-number-file", "", "file that holds the account number")
	f.BoolVar(&o.stdin, "account-number-stdin", false, "read the account number from stdin")
	completeWords(cmd, "type", "checking", "savings")
	completeWords(cmd, "verification-type", "plaid", "manual")
	register(cmd, "holder-name", cobra.NoFileCompletions)
	register(cmd, "routing-number", cobra.NoFileCompletions)
	return cmd
}

func runEmployeeAdd(ctx context.Context, a *app, o employeeAddOptions) error {
	p, err := employeeParams(ctx, a, o)
	if err != nil {
		return err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	v, err := c.AddEmployeeAccount(ctx, o.company, o.employee, p)
	if err != nil {
		return err
	}
	a.warnOfRouting(p.Numbers().Routing)
	if v.VerificationType == employee.Manual { // R155: without Plaid, create and then reload
		if v, err = c.GetEmployeeAccount(ctx, o.company, o.employee, v.AccountID); err != nil {
			return err
		}
	}
	if err := a.showEmployeeAccount(v); err != nil {
		return err
	}
	if a.output == "table" && v.VerificationType == employee.ByPlaid {
		a.say("next: bankctl employee verify --company-id %s --employee-id %s --account-id %s", v.CompanyID, v.EmployeeID, v.AccountID)
	}
	return nil
}

// employeeParams reads the flags and asks for the missing values, the account number last.
func employeeParams(ctx context.Context, a *app, o employeeAddOptions) (employee.AddParams, error) {
	var p employee.AddParams
	if err := o.personFlags.check(); err != nil {
		return p, err
	}
	if o.stdin && o.file != "" {
		return p, usage("give one of them", "--account-number-file and --account-number-stdin exclude each other")
	}
	var err error
	if p.VerificationType, err = parseChoice("--verification-type", o.by, employee.ByPlaid, employee.Manual); err != nil {
		return p, err
	}
	for _, v := range []struct {
		value       *string
		label, flag string
	}{{&o.holder, "Account holder's name", "--holder-name"}, {&o.kind, "Type (checking or savings)", "--type"}, {&o.routing, "Routing number", "--routing-number"}} {
		if *v.value != "" {
			continue
		}
		if *v.value, err = a.askLine(ctx, v.label, v.flag); err != nil {
			return p, err
		}
	}
	if p.AccountType, err = parseChoice("--type", o.kind, employee.Checking, employee.Savings); err != nil {
		return p, err
	}
	p.AccountHolderName, p.RoutingNumber = o.holder, ach.NewRoutingNumber(digitsOf(o.routing))
	if err := p.RoutingNumber.Check(); err != nil && o.file == "" && !o.stdin {
		return p, fault.Field("routingNumber", err.Error()) // before the user types the longer number twice
	}
	number, err := a.accountNumber(ctx, o.file, o.stdin)
	if err != nil {
		return p, err
	}
	p.AccountNumber = ach.NewAccountNumber(number)
	return p, p.Check()
}

// parseChoice parses one of two words in any case.
func parseChoice[T ~string](flag, given string, words ...T) (T, error) {
	var known []string
	for _, w := range words {
		if strings.EqualFold(string(w), strings.TrimSpace(given)) {
			return w, nil
		}
		known = append(known, strings.ToLower(string(w)))
	}
	return "", usage(strings.Join(known, " or "), "%s cannot be %q", flag, given)
}
