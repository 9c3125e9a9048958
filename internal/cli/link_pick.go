package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// choiceOptions says which accounts become ACH accounts.
type choiceOptions struct {
	all      bool
	masks    []string
	primary  string
	patience time.Duration
}

func (o *choiceOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.all, "all", false, "make ACH accounts of all accounts that have numbers")
	f.StringSliceVar(&o.masks, "mask", nil, "make an ACH account of the one with these last digits (repeatable)")
	f.StringVar(&o.primary, "primary", "", "the mask of the one that becomes its owner's primary")
	durationFlag(f, &o.patience, "patience", usualPatience, "how long to wait for the accounts after the sign-in while Plaid is in trouble")
	register(cmd, "mask", cobra.NoFileCompletions)
	register(cmd, "primary", cobra.NoFileCompletions)
}

// check refuses before anything starts if a choice is needed and nobody can be asked.
func (o choiceOptions) check(a *app, owned bool) error {
	chosen := o.all || len(o.masks) > 0
	switch {
	case o.all && len(o.masks) > 0:
		return usage("give one of them", "--all and --mask exclude each other")
	case o.primary != "" && len(o.masks) > 0 && !slices.Contains(o.masks, o.primary):
		return usage("add --mask "+o.primary, "--primary must be one of the accounts named with --mask")
	case chosen && !owned:
		return usage("add --employer-id or --carrier-id", "ACH accounts need an owner: --all and --mask do nothing without one")
	case !chosen && owned && !a.canPrompt():
		return usage("add --all, or --mask with an account's last digits", "which accounts? There is no terminal to pick them on, so --all or --mask is needed")
	}
	return nil
}

// linkResult is the output of a link.
type linkResult struct {
	Connection connection.Connection `json:"connection"`
	Accounts   []account.Account     `json:"accounts"`
	ACH        []account.ACH         `json:"ach_accounts"`
	Skipped    []skipped             `json:"skipped"`
}

// skipped is an account that did not become an ACH account, and why.
type skipped struct {
	AccountID string     `json:"account_id,omitempty"`
	Name      string     `json:"name,omitempty"`
	Mask      string     `json:"mask"`
	Code      fault.Code `json:"code"`
	Reason    string     `json:"reason"`

	failed bool
}

const (
	notChosen   fault.Code = "not_chosen"
	notEligible fault.Code = "account_not_eligible"
)

// pick chooses among the accounts of a finished session and makes ACH accounts of them.
func (f linkFlow) pick(ctx context.Context, s connection.Session, o choiceOptions) error {
	r := linkResult{ACH: []account.ACH{}, Skipped: []skipped{}}
	var err error
	if r.Connection, err = f.client.GetConnection(ctx, s.ConnectionID); err != nil {
		return err
	}
	if r.Accounts, err = allRows(ctx, filtered(f.client.ListAccounts, account.Query{ConnectionID: s.ConnectionID, Status: account.Active})); err != nil {
		return err
	}
	if e := r.Connection.Error; len(r.Accounts) == 0 && e != nil {
		return errors.Join(f.app.showLink(r), exitError{fault.ExitRelink, clean(r.Connection.Institution.Name) + " is linked, but shows no account (" + clean(e.Code) + ")",
			"let the user choose accounts: `bankctl connections reauth " + r.Connection.ID + " --accounts`"})
	}
	slices.SortFunc(r.Accounts, func(a, b account.Account) int { return compareOrder(r.Connection, a.ID, b.ID) })
	chosen, primary, err := f.choose(ctx, &r, o)
	if err != nil {
		return err
	}
	if err := f.makeACH(ctx, &r, chosen, primary); err != nil {
		return err
	}
	return f.app.showLink(r)
}

// compareOrder sorts accounts in the bank's own order.
func compareOrder(c connection.Connection, a, b string) int {
	place := func(id string) int {
		return slices.IndexFunc(c.Accounts, func(x connection.LinkedAccount) bool { return x.ID == id })
	}
	return place(a) - place(b)
}

// choose gives the accounts that become ACH accounts, and records the others as skipped.
func (f linkFlow) choose(ctx context.Context, r *linkResult, o choiceOptions) (chosen []account.Account, primary string, err error) {
	owned := r.Connection.EmployerID != "" || r.Connection.CarrierID != ""
	var wanted func(account.Account) bool
	switch {
	case !owned:
		f.app.say("The connection has no owner, so no ACH accounts are made.")
		wanted = func(account.Account) bool { return false }
	case o.all:
		wanted = func(account.Account) bool { return true }
	case len(o.masks) > 0:
		wanted = func(x account.Account) bool { return slices.Contains(o.masks, x.Mask) }
		for _, mask := range o.masks {
			if !slices.ContainsFunc(r.Accounts, func(x account.Account) bool { return x.Mask == mask }) {
				r.Skipped = append(r.Skipped, skipped{Mask: mask, Code: fault.NotFound, Reason: "no account of this bank ends in it", failed: true})
			}
		}
	default:
		ids, first, err := f.showPicker(ctx, r.Accounts)
		if err != nil {
			return nil, "", err
		}
		primary = first
		wanted = func(x account.Account) bool { return slices.Contains(ids, x.ID) }
	}
	for _, x := range r.Accounts {
		switch why := withoutNumbers(x); {
		case why != "":
			r.Skipped = append(r.Skipped, skipped{AccountID: x.ID, Name: x.Name, Mask: x.Mask, Code: notEligible, Reason: why, failed: len(o.masks) > 0 && wanted(x)})
		case !wanted(x):
			r.Skipped = append(r.Skipped, skipped{AccountID: x.ID, Name: x.Name, Mask: x.Mask, Code: notChosen, Reason: "was not chosen"})
		default:
			chosen = append(chosen, x)
			if o.primary != "" && x.Mask == o.primary && primary == "" {
				primary = x.ID
			}
		}
	}
	return chosen, primary, nil
}

// withoutNumbers gives the reason why an account of its kind has no ACH numbers; "" if only Plaid can tell.
func withoutNumbers(x account.Account) string {
	if x.Type != "" && x.Type != "depository" {
		return "a " + x.Type + " account has no ACH numbers"
	}
	return ""
}

func (f linkFlow) showPicker(ctx context.Context, accounts []account.Account) ([]string, string, error) {
	choices := make([]tui.Choice, len(accounts))
	for i, x := range accounts {
		locked := withoutNumbers(x)
		detail := clean(x.Subtype)
		if balance := current(x.Balance); balance != "" {
			detail += "  " + clean(balance)
		}
		choices[i] = tui.Choice{ID: x.ID, Name: clean(x.Name), Mask: clean(x.Mask), Detail: detail, Locked: locked}
	}
	ids, primary, err := tui.Pick(ctx, f.app.terminal(), "Which accounts may money move through?", choices)
	if errors.Is(err, tui.ErrQuit) {
		return nil, "", exitError{fault.ExitLeft, "the bank is linked, but you left before accounts were chosen",
			"`bankctl link wait " + f.session + "` shows the choice again"}
	}
	return ids, primary, err
}
