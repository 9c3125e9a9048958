package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/tui"
)

func newEmployeeDesk(a *app) *cobra.Command {
	var companies []string
	cmd := &cobra.Command{
		Use: "desk", Short: "Work through the accounts that are not verified, on one screen", Args: none(), Annotations: map[string]string{noData: "a screen"},
		Long: `Shows the accounts that are not verified, oldest first, and what to do about each. One
key mints a fresh link for the employee, one watches it live to its verdict, one shows
the history, one copies a support bundle. It never makes an account verified by hand.`,
		Example: "  bankctl employee desk --company-id acme\n  bankctl employee desk --company-id acme,globex --profile support",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEmployeeDesk(cmd.Context(), a, companies) },
	}
	cmd.Flags().StringSliceVar(&companies, "company-id", nil, "these companies (left out: those your client may see, where it is a list)")
	register(cmd, "company-id", cobra.NoFileCompletions)
	return cmd
}

// refreshEvery is how often the desk reads its queue.
const refreshEvery = 4 * time.Second

func runEmployeeDesk(ctx context.Context, a *app, companies []string) error {
	if !a.canPrompt() {
		return usage("`bankctl employee list --unverified` prints the same queue", "the desk needs a terminal")
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if len(companies) == 0 {
		if companies, err = companiesInScope(ctx, c); err != nil {
			return err
		}
	}
	d := deskOf(a, c, companies)
	if _, err := d.Queue(ctx); err != nil { // an unknown company fails before the screen opens
		return err
	}
	return tui.ShowDesk(ctx, a.terminal(), d)
}

// companiesInScope reads the companies that the client may see.
func companiesInScope(ctx context.Context, c *client.Client) ([]string, error) {
	own, err := c.GetOwnClient(ctx)
	if err != nil {
		return nil, err
	}
	return companiesOf(own)
}

func companiesOf(c tenant.Client) ([]string, error) {
	switch {
	case c.BindEmployee != "":
		return nil, usage("`bankctl employee list` shows your own accounts", "this client is one employee's own")
	case c.Companies.All:
		return nil, usage("for instance --company-id acme,globex", "--company-id is missing: your client may see every company, and the desk must know which")
	case len(c.Companies.IDs) == 0:
		return nil, usage("use a client with --companies", "your client may see no company")
	}
	return c.Companies.IDs, nil
}

// deskOf connects the desk to the API.
func deskOf(a *app, c *client.Client, companies []string) tui.Desk {
	d := tui.Desk{
		Companies: companies, Version: status.Version, Every: refreshEvery, Now: a.Now,
		Queue: func(ctx context.Context) ([]employee.BankAccount, error) { return unverified(ctx, a, c, companies) },
		Reload: func(ctx context.Context, v employee.BankAccount) (employee.BankAccount, error) {
			return c.GetEmployeeAccount(ctx, v.CompanyID, v.EmployeeID, v.AccountID)
		},
		History: func(ctx context.Context, v employee.BankAccount) ([]trail.Record, error) {
			rows, _, err := c.GetEmployeeHistory(ctx, v.CompanyID, v.EmployeeID, v.AccountID, page.Request{Limit: page.MaxLimit})
			return rows, err
		},
		NewLink: func(ctx context.Context, v employee.BankAccount) (employee.TokenReply, error) {
			return employeeToken(ctx, c, accountFlags{personFlags{v.CompanyID, v.EmployeeID}, v.AccountID})
		},
		PollSession: func(ctx context.Context, session string) (connection.Session, error) {
			return c.GetSession(ctx, session, screenPollTimeout)
		},
		Save: func(ctx context.Context, v employee.BankAccount, s connection.Session, chosen int) (employee.BankAccount, error) {
			return saveFromDesk(ctx, c, v, s, chosen)
		},
	}
	if a.opener("") != nil {
		d.Open = func(url string) error { return a.opener(url)() }
	}
	return d
}

// unverified reads the whole queue of several companies.
func unverified(ctx context.Context, a *app, c *client.Client, companies []string) ([]employee.BankAccount, error) {
	var queue []employee.BankAccount
	no := false
	for _, company := range companies {
		rows, err := allRows(ctx, filtered(c.ListCompanyAccounts, employee.Query{CompanyID: company, IsVerified: &no}))
		if err != nil {
			return nil, err
		}
		queue = append(queue, rows...)
	}
	return queue, nil
}

// saveFromDesk saves a finished session as verify does, and reads the account anew.
func saveFromDesk(ctx context.Context, c *client.Client, v employee.BankAccount, s connection.Session, chosen int) (employee.BankAccount, error) {
	if !alreadySaved(s) {
		var p employee.LinkParams
		if chosen < len(s.Accounts) {
			p = linkParamsOf(s, s.Accounts[chosen])
		} else {
			latest, err := c.GetEmployeeAccount(ctx, v.CompanyID, v.EmployeeID, v.AccountID)
			if err != nil {
				return v, err
			}
			var ok bool
			if p, ok = linkParamsOfJoined(s, latest); !ok {
				return v, fault.New(fault.Conflict, "Plaid named no account that the employee shared").WithHint("ask for a new link")
			}
		}
		if _, err := c.LinkEmployeeAccount(ctx, v.CompanyID, v.EmployeeID, v.AccountID, p); err != nil {
			return v, err
		}
	}
	return c.GetEmployeeAccount(ctx, v.CompanyID, v.EmployeeID, v.AccountID)
}
