package cli

import (
	"context"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/page"
)

// completeInstitutions offers the banks that Plaid has for tests, for --institution is of simulated and sandbox alone.
func completeInstitutions(a *app) completer { return completeIDs(a, testBanks) }

func testBanks(c *client.Client) lister {
	return func(ctx context.Context, _ page.Request) ([]candidate, page.Info, error) {
		found, err := c.SearchInstitutions(ctx, "platypus")
		var out []candidate
		for _, b := range found {
			out = append(out, candidate{id: b.ID, name: b.Name})
		}
		return out, page.Info{}, err
	}
}
