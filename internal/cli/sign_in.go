package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// signIn is a link session that somebody finishes on a page, by signing in at a bank.
type signIn struct {
	app       *app
	client    *client.Client
	session   string
	url       string
	expires   time.Time
	noBrowser bool
	patience  time.Duration // how long a delay may last; 0 is the usual time
	words     signInWords

	told    string    // the delay that was last told
	delayed time.Time // since when there is one
	away    time.Time // since when bankd does not answer

	simulated func(context.Context) (bool, error) // whether the page is of a simulated bank
	over      func(connection.Session) bool       // whether the session has reached its end
	outcome   func(connection.Session) error      // nil where the session succeeded
}

// signInWords are the texts of a sign-in.
type signInWords struct {
	plain, opened string                          // the titles: without a browser here, and with one
	unattended    string                          // the title where there is no terminal
	progress      func(connection.Session) string // the line of progress
	left, resume  string                          // if the user stops waiting: the message, and the command that waits on
}

// The daemon may hold one reply about a session this long; short while a screen shows its progress.
const (
	screenPollTimeout = 3 * time.Second
	pollTimeout       = 25 * time.Second
)

// run waits for the session's end. It signs in without a browser if direct.
func (f *signIn) run(ctx context.Context, direct bool, p connection.CompleteParams) (connection.Session, error) {
	if direct {
		return f.complete(ctx, p)
	}
	return f.wait(ctx)
}

// complete ends the session without a browser.
func (f *signIn) complete(ctx context.Context, p connection.CompleteParams) (connection.Session, error) {
	f.app.resume = f.words.resume
	if p.InstitutionID != "" {
		f.app.say("Signing in at %s without a browser …", clean(p.InstitutionID))
	}
	s, err := f.client.CompleteSession(ctx, f.session, p)
	if err != nil {
		return s, err
	}
	return f.poll(ctx, s)
}

// wait shows the page's address, opens it where there is a browser, and waits for the session's end.
func (f *signIn) wait(ctx context.Context) (connection.Session, error) {
	a := f.app
	a.resume = f.words.resume
	if !a.canPrompt() {
		fmt.Fprintf(a.Stderr, "%s (until %s):\n%s\n", f.words.unattended, utc(f.expires), clean(f.url))
		return f.poll(ctx, connection.Session{State: connection.Pending})
	}
	title, open := f.words.plain, a.opener(f.url)
	if f.noBrowser {
		open = nil
	}
	if open != nil {
		title = f.words.opened
		if err := open(); err != nil {
			a.say("The browser could not be started: %v", reason(err))
		}
	}
	simulated, err := f.simulated(ctx)
	if err != nil {
		return connection.Session{}, err
	}
	var last connection.Session
	err = tui.Wait(ctx, a.terminal(), tui.Waiting{
		Title: title, URL: clean(f.url), Expires: f.expires, Simulation: simulated, Open: open, Now: a.Now,
	}, func(ctx context.Context) (bool, string, error) {
		s, err := f.client.GetSession(ctx, f.session, screenPollTimeout)
		if err != nil && f.mayComeBack(ctx, err) {
			return false, "bankd is away; waiting for it to come back", nil
		}
		last, f.away = s, time.Time{}
		if err == nil {
			err = f.tooLong(s)
		}
		return err == nil && f.over(s), progressOf(s, f.words.progress), err
	})
	if errors.Is(err, tui.ErrQuit) {
		return last, exitError{fault.ExitLeft, f.words.left, "`" + f.words.resume + "` goes on waiting until the page expires"}
	}
	if err != nil {
		return last, err
	}
	return last, f.outcome(last)
}

// poll waits without a screen, from what is known of the session on.
func (f *signIn) poll(ctx context.Context, s connection.Session) (connection.Session, error) {
	for !f.over(s) {
		if told := progressOf(s, f.words.progress); s.Delay != nil && told != f.told {
			f.told = told
			f.app.say("%s", told)
		}
		if err := f.tooLong(s); err != nil {
			return s, err
		}
		wait := pollTimeout
		if s.Delay != nil {
			wait = min(screenPollTimeout, cmp.Or(f.patience, usualPatience))
		}
		next, err := f.client.GetSession(ctx, f.session, wait)
		switch {
		case err == nil:
			s, f.away = next, time.Time{}
		case !f.mayComeBack(ctx, err):
			return next, err
		}
	}
	return s, f.outcome(s)
}

// awayPatience is how long a wait outlives bankd, which may be restarting; awayPause is between two looks.
const (
	awayPatience = time.Minute
	awayPause    = 500 * time.Millisecond
)

// mayComeBack waits a little where bankd is away, and reports whether to ask again.
func (f *signIn) mayComeBack(ctx context.Context, err error) bool {
	now := f.app.Now()
	if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil || !f.away.IsZero() && now.Sub(f.away) > awayPatience {
		return false
	}
	if f.away.IsZero() {
		f.away = now
		f.app.say("bankd is away; waiting for it to come back")
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(awayPause):
		return true
	}
}

// usualPatience is how long a delay after the sign-in may last before the command ends.
const usualPatience = 2 * time.Minute

// tooLong ends the command where something has kept the session waiting for longer than its patience.
func (f *signIn) tooLong(s connection.Session) error {
	if s.Delay == nil {
		f.delayed = time.Time{}
		return nil
	}
	now := f.app.Now()
	if f.delayed.IsZero() {
		f.delayed = now
	}
	if now.Sub(f.delayed) < cmp.Or(f.patience, usualPatience) {
		return nil
	}
	return fault.New(s.Delay.Code, "%s", doing(s)+": "+s.Delay.Message).
		WithHint("bankd goes on trying by itself; `%s` waits on", f.words.resume)
}

// doing says what a delay delays.
func doing(s connection.Session) string {
	if s.State == connection.Succeeded {
		return "signed in, but the accounts cannot be read yet"
	}
	return "the sign-in cannot be followed"
}

// progressOf is the line of progress: what keeps the session waiting, if anything does.
func progressOf(s connection.Session, usual func(connection.Session) string) string {
	if s.Delay == nil {
		return usual(s)
	}
	why := s.Delay.PlaidCode
	if why == "" {
		why = string(s.Delay.Code)
	}
	return fmt.Sprintf("%s (%s); bankd tries again", doing(s), clean(why))
}

// ended gives the error of a session that did not succeed.
func ended(s connection.Session, expired, left, hintExpired, hintLeft string) error {
	switch s.State {
	case connection.Expired:
		return exitError{fault.ExitLeft, expired, hintExpired}
	case connection.Exited:
		if s.Exit != nil && s.Exit.ErrorCode != "" {
			left += " (" + s.Exit.ErrorCode + ")"
		}
		return exitError{fault.ExitLeft, left, hintLeft}
	}
	if s.Trouble != nil {
		return s.Trouble
	}
	return nil
}

func (a *app) terminal() tui.Terminal {
	return tui.Terminal{In: a.Stdin, Out: a.Stderr, Color: a.mayColor()}
}
