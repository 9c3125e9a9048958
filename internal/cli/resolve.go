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

// isHexID reports whether a text could be one of our ids, or the start of one.
func isHexID(s string) bool {
	return s != "" && len(s) <= idLength && strings.Trim(s, "0123456789abcdef") == ""
}

const minPrefix = 6

// candidate is an id with a short description.
type candidate struct{ id, name string }

// lister gives one page of candidates.
type lister = getPage[candidate]

// resolve completes a shortened id: it finds the one id that starts with it.
func resolve(ctx context.Context, noun, typed string, all lister) (string, error) {
	start := strings.ToLower(typed)
	if len(start) == idLength || !isHexID(start) {
		return typed, nil // the daemon judges ids of other forms
	}
	return matchPrefix(ctx, noun, start, all, strings.HasPrefix)
}

func matchPrefix(ctx context.Context, noun, typed string, all lister, match func(id, typed string) bool) (string, error) {
	if len(typed) < minPrefix {
		return "", usage("type at least 6 characters of it", "%q is too short for the id of %s", typed, noun)
	}
	var found, described []string
	known, err := allRows(ctx, all)
	if err != nil {
		return "", err
	}
	for _, x := range known {
		if match(x.id, typed) {
			found, described = append(found, x.id), append(described, strings.TrimSpace(x.id+" "+clean(x.name)))
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

// candidates makes a lister of a listing.
func candidates[T any](get getPage[T], id, name func(T) string) lister {
	return func(ctx context.Context, p page.Request) ([]candidate, page.Info, error) {
		rows, info, err := get(ctx, p)
		all := make([]candidate, 0, len(rows))
		for _, r := range rows {
			all = append(all, candidate{id(r), name(r)})
		}
		return all, info, err
	}
}

func connectionIDs(c *client.Client) lister {
	return candidates(filtered(c.ListConnections, connection.Query{}), connectionID, func(x connection.Connection) string {
		return x.Institution.Name + " (" + x.Status + ")"
	})
}

func accountIDs(c *client.Client) lister {
	return candidates(filtered(c.ListAccounts, account.Query{}), accountID, func(x account.Account) string {
		return x.BankName + " " + x.Name + dots(x.Mask)
	})
}

func achIDs(c *client.Client) lister {
	return candidates(filtered(c.ListACH, account.ACHQuery{}), achID, func(x account.ACH) string {
		return x.BankName + " " + x.AccountType + dots(x.AccountLast4) + " (" + x.Status + ")"
	})
}

func clientIDs(c *client.Client) lister {
	return candidates(c.ListClients, clientID, func(x tenant.Client) string { return x.Name })
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
