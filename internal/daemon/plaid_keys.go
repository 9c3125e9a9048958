package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/private"
)

// How long Plaid has to say whether it takes the keys, and how soon it is asked again after it did not.
const (
	probePatience = 20 * time.Second
	probeAgain    = time.Minute
)

// plaidProblem says what keeps bankd from working with Plaid.
type plaidProblem struct{ what, hint string }

// probePlaid asks Plaid something that costs and changes nothing. It returns nil if Plaid takes the keys.
func (d *Daemon) probePlaid(ctx context.Context) *plaidProblem {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	err := d.plaid.Probe(ctx)
	if err == nil {
		return nil
	}
	f := fault.As(err)
	p := &plaidProblem{what: f.Message, hint: f.Hint}
	if plaid.Code(err) == connection.InvalidKeys {
		p.what = "Plaid refuses the keys for " + d.config.Plaid + " (" + connection.InvalidKeys + ")"
		p.hint = "set PLAID_CLIENT_ID and PLAID_SECRET, or the files of PLAID_CLIENT_ID_FILE and PLAID_SECRET_FILE, to those of " + d.config.Plaid + "; a changed file is read at SIGHUP"
	}
	return p
}

// watchPlaid finds out at the start, and after a reload, whether Plaid takes the keys, and says so: everything else works
// without, and a user would be the first to notice.
func (d *Daemon) watchPlaid(ctx context.Context) {
	if d.config.Plaid == config.Simulated {
		return
	}
	for {
		p := d.probePlaid(ctx)
		if ctx.Err() != nil {
			return
		}
		before := d.plaidState.Swap(p)
		var again <-chan time.Time
		switch {
		case p == nil && before != nil:
			d.log.Info("Plaid takes the keys")
		case p != nil:
			if before == nil || *before != *p {
				d.log.Error(p.what, "hint", p.hint)
			}
			again = time.After(probeAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-d.keysChanged:
		case <-again:
		}
	}
}

// unsafe gives the problem of permissions in an error.
func unsafe(err error) (*private.Problem, bool) { return errors.AsType[*private.Problem](err) }
