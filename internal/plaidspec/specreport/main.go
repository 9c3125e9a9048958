// Command specreport adds up the calls of several packages' tests to the simulator, validated against Plaid's OpenAPI
// document. `make spec-report` runs it; violations end it with 1.
package main

import (
	"fmt"
	"os"

	"github.com/bankctl/bankctl/internal/plaidspec"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: specreport DIR")
		os.Exit(2)
	}
	sum, err := plaidspec.ReadAll(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "specreport: error:", err)
		os.Exit(1)
	}
	fmt.Print(sum.Report())
	if len(sum.Violations()) > 0 {
		os.Exit(1)
	}
}
