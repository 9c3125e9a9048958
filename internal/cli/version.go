package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/status"
)

type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: none(),
		Annotations: map[string]string{offline: "yes"},
		Example:     "  bankctl version\n  bankctl version -o json",
		RunE: func(*cobra.Command, []string) error {
			columns := []column[build]{
				{name: "version", value: func(b build) string { return b.Version }},
				{name: "go", value: func(b build) string { return b.Go }},
			}
			b := build{status.Version, runtime.Version()}
			return single(a, b, columns[0].value, columns, func() error {
				_, err := fmt.Fprintln(a.Stdout, "bankctl", b.Version)
				return err
			})
		},
	}
}
