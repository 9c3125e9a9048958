package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
)

func newKeysVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Unwrap every keyset and decrypt every record", Args: none(),
		Long: `Has bankd unwrap every keyset by the key-encryption key and decrypt every record, and counts
the values under each data key. Exit code 1 says that something does not open.`,
		Example: "  bankctl keys verify\n  bankctl keys verify --jq .old_values",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysVerify(cmd.Context(), a) },
	}
}

func runKeysVerify(ctx context.Context, a *app) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	r, err := c.VerifyKeys(ctx)
	if err != nil {
		return err
	}
	type t = keys.Report
	columns := []column[t]{
		{name: "ok", value: func(r t) string { return yesNo(r.OK) }},
		{name: "kek", value: func(r t) string { return r.KEK }},
		{name: "keysets", value: func(r t) string { return strconv.Itoa(r.Keysets) }},
		{name: "records", value: func(r t) string { return strconv.Itoa(r.Records) }},
		{name: "old values", value: func(r t) string { return strconv.FormatUint(r.Old, 10) }},
	}
	err = single(a, r, columns[0].value, columns, func() error {
		facts := make([]fact, len(columns))
		for i, c := range columns {
			facts[i] = fact{c.name, c.value(r)}
		}
		return a.card(facts)
	})
	if err == nil && !r.OK {
		err = exitError{fault.ExitInternal, "not everything opens: " + r.Problems[0], "stop bankd, keep a copy of the data directory, and restore a backup"}
	}
	return err
}
