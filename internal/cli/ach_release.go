package cli

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

type achReleaseOptions struct {
	ownerFlags
	to, out   string
	overwrite bool
}

func newACHRelease(a *app) *cobra.Command {
	var o achReleaseOptions
	cmd := &cobra.Command{
		Use: "release [ID…]", Short: "Send the numbers of verified ACH accounts to a registered recipient, sealed",
		Args: arguments(0, -1, "ids of ACH accounts, or an owner"),
		Long: `Write the numbers of verified ACH accounts into a file that only the recipient can open:
JSON, a line an account, encrypted with age to the key that the local owner registered
for that name. bankctl and bankd never show the numbers; the audit log says which account
went to whom, when, and by whom. The recipient opens it with ` + "`age --decrypt -i KEY FILE`" + `.`,
		Example: "  bankctl ach recipients add payroll --key age1…\n" +
			"  bankctl ach release --to payroll --employer-id acme --out acme.age\n  bankctl ach release 6a1f0e 6a1f12 --to payroll --out two.age",
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.refuseTwoOnStdout(cmd, o.out); err != nil {
				return err
			}
			return runACHRelease(cmd.Context(), a, o, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "", "name of a registered recipient (required)")
	f.StringVar(&o.out, "out", "", "file to write, - for stdout (required)")
	f.StringVar(&o.employer, "employer-id", "", "all verified accounts of this employer")
	f.StringVar(&o.carrier, "carrier-id", "", "all verified accounts of this carrier")
	f.BoolVar(&o.overwrite, "overwrite", false, "replace the file if it is there")
	return cmd
}

func runACHRelease(ctx context.Context, a *app, o achReleaseOptions, typed []string) error {
	p := account.ReleaseParams{To: o.to}
	switch {
	case o.to == "":
		return usage("`bankctl ach recipients list` lists them", "--to is missing")
	case len(typed) == 0 && o.employer == "" && o.carrier == "":
		return usage("", "say what to release: ids of ACH accounts, or --employer-id or --carrier-id")
	case len(typed) > 0 && (o.employer != "" || o.carrier != ""):
		return usage("give one of them", "ids and an owner exclude each other")
	}
	if err := a.mayWrite(o.out, o.overwrite); err != nil {
		return err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if len(typed) == 0 {
		if p.OwnerType, p.OwnerID, err = o.pair(); err != nil {
			return err
		}
	}
	for _, t := range typed {
		id, err := resolve(ctx, "an ACH account", t, achIDs(c))
		if err != nil {
			return err
		}
		p.IDs = append(p.IDs, id)
	}
	done := written{Path: o.out}
	err = a.writeFileAtomically(o.out, func(w io.Writer) (err error) {
		size := &countingWriter{w: w}
		done.Accounts, err = c.ReleaseACH(ctx, p, size)
		done.Bytes = size.n
		return err
	})
	if err != nil {
		return err
	}
	a.say("released %s to %s; the audit log says so", counted(done.Accounts, "account"), clean(o.to))
	return a.showWritten(done)
}

// mayWrite refuses an --out that is missing, is a terminal, or is there already.
func (a *app) mayWrite(out string, overwrite bool) error {
	switch {
	case out == "":
		return usage("name a file, or - for stdout", "--out is missing")
	case out == "-" && a.OutTTY:
		return usage("redirect stdout, or name a file", "an encrypted file is no text for a terminal")
	}
	if _, err := os.Stat(out); err == nil && out != "-" && !overwrite {
		return usage("name another file, or add --overwrite", "%s is there already", clean(out))
	}
	return nil
}
