package cli

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

// linkFlow links a bank, or signs in at one again: a sign-in, and then the choice of accounts.
type linkFlow struct{ signIn }

func newLinkFlow(a *app, c *client.Client, session, url string, expires time.Time, noBrowser bool) linkFlow {
	return linkFlow{signIn{
		app: a, client: c, session: session, url: url, expires: expires, noBrowser: noBrowser,
		words: signInWords{
			plain: "Sign in at your bank on this page:", opened: "Sign in at your bank, in the browser that was opened:",
			unattended: "Open this page to sign in at the bank", progress: linkProgress,
			left: "you left before the bank was linked", resume: "bankctl link wait " + session,
		},
		simulated: func(ctx context.Context) (bool, error) {
			st, err := c.GetStatus(ctx)
			return st.Simulation, err
		},
		over: linkOver, outcome: linkOutcome,
	}}
}

func linkProgress(s connection.Session) string {
	if s.State == connection.Succeeded {
		return "signed in; reading the accounts"
	}
	return "waiting for you to finish at the bank"
}

// linkOver reports whether nothing more will happen. An update mode session has nothing to exchange.
func linkOver(s connection.Session) bool { return s.Done(s.Mode != updateMode) }

const updateMode = "update"

func linkOutcome(s connection.Session) error {
	return ended(s, "the link expired before anybody finished it", "the user left before the bank was linked",
		"start again with `bankctl link`", "the page works until it expires; or start again with `bankctl link`")
}

// offerUpdate turns "linked already" into a new sign-in at the connection that is there, where somebody can say yes.
func (f linkFlow) offerUpdate(ctx context.Context, err error) error {
	dup, is := errors.AsType[*fault.Error](err)
	if !is || dup.Code != fault.Duplicate || dup.ID == "" || !f.app.canPrompt() || f.app.yes {
		return err
	}
	f.app.printError(dup)
	if f.app.ask(ctx, "Sign in again at connection "+dup.ID+" instead?", "") != nil {
		return err
	}
	return runConnectionsReauth(ctx, f.app, dup.ID, connectionsReauthOptions{browserOptions: browserOptions{noBrowser: f.noBrowser}})
}
