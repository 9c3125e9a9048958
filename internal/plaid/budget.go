package plaid

import (
	"cmp"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bankctl/bankctl/internal/fault"
)

// Calls a minute that Plaid allows one Item, by endpoint: in production, and in the sandbox if it allows more. Balances
// are billed, so their lower limit holds everywhere.
var callLimits = map[string]struct{ production, sandbox int }{
	"accounts": {15, 100},
	"auth":     {15, 100},
	"balance":  {5, 5},
	"identity": {15, 100},
	"item":     {15, 40},
	"sync":     {50, 50},
	"refresh":  {2, 2},
	"remove":   {30, 100},
}

// Endpoints that the simulator limits by itself, or on request not at all.
var simulatorLimits = map[string]bool{"sync": true, "refresh": true}

// budgets refuses an Item's calls before Plaid has to.
type budgets struct {
	production bool
	simulated  bool
	mu         sync.Mutex
	limiters   map[string]*rate.Limiter
	swept      time.Time // the last time unused limiters were dropped
}

func newBudgets(environment string) *budgets {
	return &budgets{production: environment == Production, simulated: environment == Simulated, limiters: map[string]*rate.Limiter{}}
}

// perMinute is the limit of an endpoint for one Item; 0 means no limit here.
func (b *budgets) perMinute(endpoint string) int {
	grant := callLimits[endpoint]
	switch {
	case b.simulated && simulatorLimits[endpoint]:
		return 0
	case b.production:
		return grant.production
	}
	return grant.sandbox
}

// left returns the rest of a budget.
func (b *budgets) left(endpoint, label string) Allowance {
	perMinute := b.perMinute(endpoint)
	b.mu.Lock()
	l := b.limiters[endpoint+" "+label]
	b.mu.Unlock()
	if l == nil {
		return Allowance{PerMinute: perMinute, Left: perMinute}
	}
	tokens := min(max(l.Tokens(), 0), float64(perMinute))
	missing := float64(perMinute) - tokens
	return Allowance{perMinute, int(tokens), time.Duration(missing * float64(time.Minute) / float64(perMinute)).Round(time.Second)}
}

// spend takes one call from an Item's budget; its error says when the next one is free.
func (b *budgets) spend(endpoint string, token AccessToken) error {
	perMinute := b.perMinute(endpoint)
	if perMinute == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := endpoint + " " + cmp.Or(token.label, token.Reveal())
	b.sweep(time.Now())
	l := b.limiters[key]
	if l == nil {
		l = rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), perMinute)
		b.limiters[key] = l
	}
	r := l.Reserve()
	wait := r.Delay()
	if wait == 0 {
		return nil
	}
	r.Cancel()
	f := fault.New(fault.RateLimited, "this connection's %d %s calls a minute are used up", perMinute, endpoint)
	f.RetryAfter = int(math.Ceil(wait.Seconds()))
	return f.WithHint("try again in %d s", f.RetryAfter)
}

// sweep drops full limiters once a minute, since a new one would be full as well. Otherwise limiters of tokens no
// longer in use would stay for ever.
func (b *budgets) sweep(now time.Time) {
	if now.Sub(b.swept) < time.Minute {
		return
	}
	b.swept = now
	for key, l := range b.limiters {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(b.limiters, key)
		}
	}
}
