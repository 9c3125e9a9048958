package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// linkFlow is one session on its way to an end.
type linkFlow struct {
	app       *app
	client    *client.Client
	session   string
	url       string
	expires   time.Time
	noBrowser bool
}

// How long one look at a session lasts: short under a screen that shows what is going on.
const (
	lookOnScreen = 3 * time.Second
	look         = 25 * time.Second
)

// finish ends the session without a browser.
func (f linkFlow) finish(ctx context.Context, p connection.CompleteParams) (connection.Session, error) {
	if p.InstitutionID != "" {
		f.app.say("Signing in at %s without a browser …", clean(p.InstitutionID))
	}
	s, err := f.client.CompleteSession(ctx, f.session, p)
	if err != nil {
		return s, err
	}
	if !f.done(s) {
		return f.poll(ctx)
	}
	return s, outcome(s)
}

// wait shows the page's address, opens it where there is a browser, and waits for the session's end.
func (f linkFlow) wait(ctx context.Context) (connection.Session, error) {
	a := f.app
	open := a.opener(f.url)
	if f.noBrowser {
		open = nil
	}
	if !a.canPrompt() {
		fmt.Fprintf(a.Stderr, "Open this page to sign in at the bank (until %s):\n%s\n", utc(f.expires), f.url)
		return f.poll(ctx)
	}
	if open != nil {
		if err := open(); err != nil {
			a.say("The browser could not be started: %v", reason(err))
		}
	}
	title := "Sign in at your bank on this page:"
	if open != nil {
		title = "Sign in at your bank, in the browser that was opened:"
	}
	st, err := f.client.GetStatus(ctx)
	if err != nil {
		return connection.Session{}, err
	}
	var last connection.Session
	err = tui.Wait(ctx, a.terminal(), tui.Waiting{
		Title: title, URL: clean(f.url), QR: !loopback(f.url), Expires: f.expires, Simulation: st.Simulation, Open: open, Now: a.Now,
	}, func(ctx context.Context) (bool, string, error) {
		s, err := f.client.GetSession(ctx, f.session, lookOnScreen)
		last = s
		return err == nil && f.done(s), progress(s), err
	})
	if errors.Is(err, tui.ErrQuit) {
		return last, exitError{fault.ExitLeft, "you left before the bank was linked", "`bankctl link wait " + f.session + "` goes on waiting until the page expires"}
	}
	if err != nil {
		return last, err
	}
	return last, outcome(last)
}

func (a *app) terminal() tui.Terminal {
	return tui.Terminal{In: a.Stdin, Out: a.Stderr, Color: a.mayColor()}
}

func progress(s connection.Session) string {
	if s.State == connection.Succeeded {
		return "signed in; reading the accounts"
	}
	return "waiting for you to finish at the bank"
}

// poll waits without a screen.
func (f linkFlow) poll(ctx context.Context) (connection.Session, error) {
	for {
		s, err := f.client.GetSession(ctx, f.session, look)
		if err != nil {
			return s, err
		}
		if f.done(s) {
			return s, outcome(s)
		}
	}
}

// done reports whether nothing more will happen. An update mode session has nothing to exchange.
func (f linkFlow) done(s connection.Session) bool { return s.Done(s.Mode != updateMode) }

const updateMode = "update"

// outcome turns the end of a session into an error, unless it succeeded.
func outcome(s connection.Session) error {
	switch s.State {
	case connection.Expired:
		return exitError{fault.ExitLeft, "the link expired before anybody finished it", "start again with `bankctl link`"}
	case connection.Exited:
		why := "the user left before the bank was linked"
		if s.Exit != nil && s.Exit.ErrorCode != "" {
			why += " (" + s.Exit.ErrorCode + ")"
		}
		return exitError{fault.ExitLeft, why, "the page works until it expires; or start again with `bankctl link`"}
	}
	if s.Trouble != nil {
		return s.Trouble
	}
	return nil
}

// offerUpdate turns "linked already" into a new sign-in at the connection that is there, where somebody can say yes.
func (f linkFlow) offerUpdate(ctx context.Context, err error) error {
	dup, is := errors.AsType[*fault.Error](err)
	if !is || dup.Code != fault.Duplicate || dup.ID == "" || !f.app.canPrompt() || f.app.yes {
		return err
	}
	f.app.complain(dup)
	if f.app.ask(ctx, "Sign in again at connection "+dup.ID+" instead?", "") != nil {
		return err
	}
	return runConnectionsReauth(ctx, f.app, dup.ID, connectionsReauthOptions{browserOptions: browserOptions{noBrowser: f.noBrowser}})
}
