package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/page"
)

// paging is the flags of every listing.
type paging struct {
	page, limit int
	all         bool
}

func (p *paging) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.limit, "limit", page.DefaultLimit, "rows of a page, at most 200")
	cmd.Flags().IntVar(&p.page, "page", 1, "which page")
	cmd.Flags().BoolVar(&p.all, "all", false, "every page")
}

func (p paging) check() error {
	switch {
	case p.limit < 1 || p.limit > page.MaxLimit:
		return usage("use 1 to 200, or --all", "--limit cannot be %d", p.limit)
	case p.page < 1:
		return usage("pages start at 1", "--page cannot be %d", p.page)
	}
	return nil
}

// fetch reads the page asked for, or all of them, and says what it left out.
func fetch[T any](ctx context.Context, a *app, p paging, get func(context.Context, page.Request) ([]T, page.Info, error)) ([]T, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if !p.all {
		rows, info, err := get(ctx, page.Request{Page: p.page, Limit: p.limit})
		if err == nil && a.OutTTY && info.Total > len(rows) {
			a.say("showing %d of %d; --page N or --all shows the rest", len(rows), info.Total)
		}
		return rows, err
	}
	all := []T{}
	for n := 1; ; n++ {
		rows, info, err := get(ctx, page.Request{Page: n, Limit: page.MaxLimit})
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if n >= info.Pages {
			return all, nil
		}
	}
}
