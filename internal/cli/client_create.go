package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

type clientCreateOptions struct {
	name, role                     string
	employers, carriers, companies string
	actAsEmployee                  bool
	bindCompany, bindEmployee      string
	profile                        string
}

func newClientCreate(a *app) *cobra.Command {
	var o clientCreateOptions
	cmd := &cobra.Command{
		Use: "create", Short: "Make a client; its secret is shown this once, or kept in a profile", Args: none(),
		Example: `  bankctl client create --name payroll-job --role operator --employers acme,globex
  bankctl client create --name desk --role support --companies '*' --save-profile desk`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runClientCreate(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "what it is, for the audit log (required)")
	f.StringVar(&o.role, "role", "", "viewer, support, operator or admin (required)")
	f.StringVar(&o.employers, "employers", "none", "ids between commas, '*' or none")
	f.StringVar(&o.carriers, "carriers", "none", "ids between commas, '*' or none")
	f.StringVar(&o.companies, "companies", "none", "ids between commas, '*' or none")
	f.BoolVar(&o.actAsEmployee, "act-as-employee", false, "may act for any employee of its companies")
	f.StringVar(&o.bindCompany, "bind-company", "", "make it one employee's own: the company, with --bind-employee")
	f.StringVar(&o.bindEmployee, "bind-employee", "", "the employee, with --bind-company")
	f.StringVar(&o.profile, "save-profile", "", "keep the secret in this profile, and show it nowhere")
	var roles []string
	for _, r := range tenant.Roles {
		roles = append(roles, string(r))
	}
	completeWords(cmd, "role", roles...)
	return cmd
}

// params reads the flags into the request, naming the flag that is wrong.
func (o clientCreateOptions) params() (tenant.ClientParams, error) {
	p := tenant.ClientParams{Name: o.name, Role: tenant.Role(o.role), ActAsEmployee: o.actAsEmployee, BindCompany: o.bindCompany, BindEmployee: o.bindEmployee}
	switch {
	case o.name == "":
		return p, usage("it is what the audit log shows", "--name is missing")
	case o.role == "":
		return p, usage("viewer, support, operator or admin", "--role is missing")
	case !slices.Contains(tenant.Roles, p.Role):
		return p, usage("viewer, support, operator or admin", "--role cannot be %q", o.role)
	case (o.bindCompany == "") != (o.bindEmployee == ""):
		return p, usage("", "--bind-company and --bind-employee belong together")
	}
	for _, s := range []struct {
		flag, text string
		scope      *tenant.Scope
	}{{"--employers", o.employers, &p.Employers}, {"--carriers", o.carriers, &p.Carriers}, {"--companies", o.companies, &p.Companies}} {
		var err error
		if *s.scope, err = tenant.ParseScope(s.text); err != nil {
			return p, usage("", "%s %v", s.flag, err)
		}
	}
	return p, nil
}

func runClientCreate(ctx context.Context, a *app, o clientCreateOptions) error {
	p, err := o.params()
	if err != nil {
		return err
	}
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	if err := a.profileFree(o.profile, ""); err != nil {
		return err
	}
	m, err := c.AddClient(ctx, p)
	if err != nil {
		return err
	}
	return a.handOver(m, o.profile)
}
