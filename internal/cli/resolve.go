package cli

import (
	"context"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
)

const idLength = 24

// hexDigits reports whether a text could be an id of ours, or the start of one.
func hexDigits(s string) bool {
	return s != "" && len(s) <= idLength && strings.Trim(s, "0123456789abcdef") == ""
}

const leastPrefix = 6

// lister gives one page of ids with a few words on each.
type lister func(context.Context, page.Request) (ids, names []string, info page.Info, err error)

// resolve turns what was typed into a whole id: itself, or the one id that starts with it.
func resolve(ctx context.Context, noun, typed string, all lister) (string, error) {
	start := strings.ToLower(typed)
	if len(start) == idLength || !hexDigits(start) {
		return typed, nil // an id of another form is the daemon's to judge
	}
	return matchPrefix(ctx, noun, start, all, strings.HasPrefix)
}

func matchPrefix(ctx context.Context, noun, typed string, all lister, match func(id, typed string) bool) (string, error) {
	if len(typed) < leastPrefix {
		return "", usage("type at least 6 characters of it", "%q is too short for the id of %s", typed, noun)
	}
	var found, described []string
	for p := 1; ; p++ {
		ids, names, info, err := all(ctx, page.Request{Page: p, Limit: page.MaxLimit})
		if err != nil {
			return "", err
		}
		for i, id := range ids {
			if match(id, typed) {
				found, described = append(found, id), append(described, strings.TrimSpace(id+" "+clean(names[i])))
			}
		}
		if p >= info.Pages {
			break
		}
	}
	switch len(found) {
	case 0:
		return "", fault.New(fault.NotFound, "no id of %s starts with %s", noun, typed)
	case 1:
		return found[0], nil
	}
	return "", usage("it may be "+strings.Join(described, ", or "), "%q is the start of %d ids", typed, len(found))
}

func each[T any](rows []T, id, name func(T) string) (ids, names []string) {
	for _, r := range rows {
		ids, names = append(ids, id(r)), append(names, name(r))
	}
	return ids, names
}

func connectionIDs(c *client.Client) lister {
	return func(ctx context.Context, p page.Request) ([]string, []string, page.Info, error) {
		rows, info, err := c.ListConnections(ctx, connection.Query{}, p)
		ids, names := each(rows, connectionID, func(x connection.Connection) string { return x.Institution.Name + " (" + x.Status + ")" })
		return ids, names, info, err
	}
}

func accountIDs(c *client.Client) lister {
	return func(ctx context.Context, p page.Request) ([]string, []string, page.Info, error) {
		rows, info, err := c.ListAccounts(ctx, account.Query{}, p)
		ids, names := each(rows, accountID, func(x account.Account) string { return x.BankName + " " + x.Name + dots(x.Mask) })
		return ids, names, info, err
	}
}

func achIDs(c *client.Client) lister {
	return func(ctx context.Context, p page.Request) ([]string, []string, page.Info, error) {
		rows, info, err := c.ListACH(ctx, account.ACHQuery{}, p)
		ids, names := each(rows, achID, func(x account.ACH) string {
			return x.BankName + " " + x.AccountType + dots(x.AccountLast4) + " (" + x.Status + ")"
		})
		return ids, names, info, err
	}
}

func clientIDs(c *client.Client) lister {
	return func(ctx context.Context, p page.Request) ([]string, []string, page.Info, error) {
		rows, info, err := c.ListClients(ctx, p)
		ids, names := each(rows, clientID, func(x tenant.Client) string { return x.Name })
		return ids, names, info, err
	}
}

func dots(mask string) string {
	if mask == "" {
		return ""
	}
	return " ••" + mask
}

func connectionID(c connection.Connection) string { return c.ID }
func accountID(x account.Account) string          { return x.ID }
func achID(x account.ACH) string                  { return x.ID }
func clientID(c tenant.Client) string             { return c.ID }
