package plaid

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// calls counts the calls to Plaid by connection and endpoint: some are billed, most are limited.
type calls struct {
	mu   sync.Mutex
	each map[Counted]Count
}

// Counted names a counter: a connection and an endpoint.
type Counted struct {
	ConnectionID string
	Endpoint     string // accounts, auth, balance, identity, item, sync, refresh, …
}

// Count is the number of calls since the counter was last taken.
type Count struct {
	Made    int64 // all attempts
	Refused int64 // attempts that Plaid answered with an error
	Last    time.Time
}

func newCalls() *calls { return &calls{each: map[Counted]Count{}} }

type countedKey struct{}

// ask begins a call about an Item: it spends one call of the endpoint's budget. Attempts under the returned context are
// counted.
func (c *Client) ask(ctx context.Context, endpoint string, token AccessToken) (context.Context, error) {
	if err := c.budgets.spend(endpoint, token); err != nil {
		return ctx, err
	}
	if token.label == "" {
		return ctx, nil
	}
	return context.WithValue(ctx, countedKey{}, Counted{token.label, endpoint}), nil
}

// note counts one attempt of a call begun by ask.
func (c *calls) note(ctx context.Context, err error) {
	what, ok := ctx.Value(countedKey{}).(Counted)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.each[what]
	n.Made++
	if _, refused := errors.AsType[*fault.Error](err); refused {
		n.Refused++
	}
	n.Last = time.Now()
	c.each[what] = n
}

// TakeCounts returns the counts since the last call, and clears them.
func (c *Client) TakeCounts() map[Counted]Count {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	taken := c.calls.each
	c.calls.each = map[Counted]Count{}
	return taken
}

// GiveBack adds counts again that could not be stored.
func (c *Client) GiveBack(counted map[Counted]Count) {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	for what, n := range counted {
		now := c.calls.each[what]
		now.Made, now.Refused = now.Made+n.Made, now.Refused+n.Refused
		if n.Last.After(now.Last) {
			now.Last = n.Last
		}
		c.calls.each[what] = now
	}
}

// Allowance is the rest of an endpoint's calls for one Item.
type Allowance struct {
	PerMinute int
	Left      int
	Reset     time.Duration // until the budget is full; 0 if it is
}

// Allowance returns how many calls of an endpoint a connection may make now.
func (c *Client) Allowance(endpoint, connectionID string) Allowance {
	return c.budgets.left(endpoint, connectionID)
}
