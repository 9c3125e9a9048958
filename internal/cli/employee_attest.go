package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
)

func newEmployeeAttest(a *app) *cobra.Command {
	var f accountFlags
	var why string
	cmd := &cobra.Command{
		Use: "attest", Short: "Vouch for an account by hand, as an administrator", Args: none(),
		Long: `Makes an account verified by an administrator's word. The reason goes into the audit log
with your client's name; it must not hold an account number.`,
		Example: "  bankctl employee attest --company-id acme --employee-id e42 --account-id 6a1f0b --reason 'voided check seen by J. Doe'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEmployeeAttest(cmd.Context(), a, f, why) },
	}
	f.flags(a, cmd)
	cmd.Flags().StringVar(&why, "reason", "", "why you vouch for it, for the audit log (required)")
	register(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}

func runEmployeeAttest(ctx context.Context, a *app, f accountFlags, why string) error {
	if why == "" {
		return usage("for instance which paper was seen; it goes into the audit log", "--reason is missing")
	}
	p := employee.AttestParams{Reason: why}
	if err := p.Check(); err != nil {
		return err
	}
	c, err := f.open(ctx, a)
	if err != nil {
		return err
	}
	v, err := c.AttestEmployeeAccount(ctx, f.company, f.employee, f.account, p)
	if err != nil {
		return err
	}
	return a.showEmployeeAccount(v)
}
