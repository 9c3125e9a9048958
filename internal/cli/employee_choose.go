package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// chosen gives what is posted: the one account shared, the one with the mask asked for, or the one picked.
func (f employeeFlow) chosen(ctx context.Context, s connection.Session) (employee.LinkParams, error) {
	if len(s.Accounts) == 0 {
		return f.joined(ctx, s)
	}
	if f.mask != "" {
		i := slices.IndexFunc(s.Accounts, func(x connection.MetadataAccount) bool { return x.Mask == f.mask })
		if i < 0 {
			return employee.LinkParams{}, fault.New(fault.NotFound, "no account that the employee shared ends in the mask asked for").
				WithHint("they end in %s: `bankctl employee wait %s %s --mask …`", masksOf(s.Accounts), f.of.same(), s.ID)
		}
		return claim(s, s.Accounts[i]), nil
	}
	if len(s.Accounts) == 1 {
		return claim(s, s.Accounts[0]), nil
	}
	if s.Mode == employee.ModeUpdate {
		return f.joined(ctx, s)
	}
	if !f.app.canPrompt() {
		return employee.LinkParams{}, usage("`bankctl employee wait "+f.of.same()+" "+s.ID+" --mask …` names it; they end in "+masksOf(s.Accounts),
			"the employee shared %d accounts: --mask is missing", len(s.Accounts))
	}
	x, err := f.pickOne(ctx, s.Accounts)
	return claim(s, x), err
}

func masksOf(accounts []connection.MetadataAccount) string {
	var all []string
	for _, x := range accounts {
		all = append(all, clean(x.Mask))
	}
	return strings.Join(all, ", ")
}

// joined is the account of the Item that bankd has joined already; an update session is asked for no choice (A36).
func (f employeeFlow) joined(ctx context.Context, s connection.Session) (employee.LinkParams, error) {
	v, err := f.client.GetEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account)
	if err != nil {
		return employee.LinkParams{}, err
	}
	p, ok := claimJoined(s, v)
	if !ok {
		return p, exitError{fault.ExitNotVerified, "Plaid named no account that the employee shared", nextCommand(f.of, v)}
	}
	return p, nil
}

// pickOne asks which of the accounts is the one entered, until it is one.
func (f employeeFlow) pickOne(ctx context.Context, accounts []connection.MetadataAccount) (connection.MetadataAccount, error) {
	choices := make([]tui.Choice, len(accounts))
	for i, x := range accounts {
		choices[i] = tui.Choice{ID: x.ID, Name: clean(x.Name), Mask: clean(x.Mask), Detail: clean(x.Subtype)}
	}
	title := "The employee shared several accounts. Which one is the account entered?"
	for {
		ids, _, err := tui.Pick(ctx, f.app.terminal(), title, choices)
		if errors.Is(err, tui.ErrQuit) {
			return connection.MetadataAccount{}, exitError{fault.ExitLeft, "the employee has finished, but you left before the account was chosen",
				"`bankctl employee wait " + f.of.same() + " " + f.session + "` shows the choice again"}
		}
		if err != nil {
			return connection.MetadataAccount{}, err
		}
		if len(ids) == 1 {
			i := slices.IndexFunc(accounts, func(x connection.MetadataAccount) bool { return x.ID == ids[0] })
			return accounts[i], nil
		}
		title = "Only one of them can be the account entered. Which one is it?"
	}
}
