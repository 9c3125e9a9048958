package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/page"
)

// paging holds the flags of every listing.
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

// fetch reads the page asked for, or all of them, and reports on stderr how many rows it left out.
func fetch[T any](ctx context.Context, a *app, p paging, get getPage[T]) ([]T, error) {
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
	return allRows(ctx, get)
}

// getPage reads one page of a listing.
type getPage[T any] func(context.Context, page.Request) ([]T, page.Info, error)

// filtered gives the pages of a listing under a filter.
func filtered[Q, T any](list func(context.Context, Q, page.Request) ([]T, page.Info, error), q Q) getPage[T] {
	return func(ctx context.Context, p page.Request) ([]T, page.Info, error) { return list(ctx, q, p) }
}

// allRows reads every page of a listing.
func allRows[T any](ctx context.Context, get getPage[T]) ([]T, error) {
	all := []T{}
	err := eachPage(byNumber(ctx, get), func(rows []T) error {
		all = append(all, rows...)
		return nil
	})
	return all, err
}

// byNumber reads a listing's pages by their numbers.
func byNumber[T any](ctx context.Context, get getPage[T]) nextPage[T] {
	p := page.Request{Limit: page.MaxLimit}
	return func() ([]T, bool, error) {
		p.Page++
		rows, info, err := get(ctx, p)
		return rows, p.Page < info.Pages, err
	}
}

// nextPage reads one page after the other, and reports whether there are more.
type nextPage[T any] func() (rows []T, more bool, err error)

// eachPage visits the rows of a listing page by page.
func eachPage[T any](next nextPage[T], visit func([]T) error) error {
	for {
		rows, more, err := next()
		if err == nil {
			err = visit(rows)
		}
		if err != nil || !more {
			return err
		}
	}
}
