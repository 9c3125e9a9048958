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

// chosenAccount makes the save request for one of the shared accounts: the only one, the one with the mask given, or the user's
// choice.
func (f employeeFlow) chosenAccount(ctx context.Context, s connection.Session) (employee.LinkParams, error) {
	if len(s.Accounts) == 0 {
		return f.joinedAccount(ctx, s)
	}
	if f.mask != "" {
		i := slices.IndexFunc(s.Accounts, func(x connection.MetadataAccount) bool { return x.Mask == f.mask })
		if i < 0 {
			return employee.LinkParams{}, fault.New(fault.NotFound, "no account that the employee shared ends in the mask asked for").
				WithHint("they end in %s: `bankctl employee wait %s %s --mask …`", masksOf(s.Accounts), f.of.asFlags(), s.ID)
		}
		return linkParamsOf(s, s.Accounts[i]), nil
	}
	if len(s.Accounts) == 1 {
		return linkParamsOf(s, s.Accounts[0]), nil
	}
	if s.Mode == employee.ModeUpdate {
		return f.joinedAccount(ctx, s)
	}
	if !f.app.canPrompt() {
		return employee.LinkParams{}, usage("`bankctl employee wait "+f.of.asFlags()+" "+s.ID+" --mask …` names it; they end in "+masksOf(s.Accounts),
			"the employee shared %d accounts: --mask is missing", len(s.Accounts))
	}
	x, err := f.pickOne(ctx, s.Accounts)
	return linkParamsOf(s, x), err
}

func masksOf(accounts []connection.MetadataAccount) string {
	var all []string
	for _, x := range accounts {
		all = append(all, clean(x.Mask))
	}
	return strings.Join(all, ", ")
}

// joinedAccount makes the save request for the account that was linked before: an update session offers no choice (A36).
func (f employeeFlow) joinedAccount(ctx context.Context, s connection.Session) (employee.LinkParams, error) {
	v, err := f.client.GetEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account)
	if err != nil {
		return employee.LinkParams{}, err
	}
	p, ok := linkParamsOfJoined(s, v)
	if !ok {
		return p, exitError{fault.ExitNotVerified, "Plaid named no account that the employee shared", nextCommand(f.of, v)}
	}
	return p, nil
}

// pickOne shows the picker until exactly one account is chosen.
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
				"`bankctl employee wait " + f.of.asFlags() + " " + f.session + "` shows the choice again"}
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
