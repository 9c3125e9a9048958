package plaid

import (
	"context"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/bankctl/bankctl/internal/fault"
)

// Number and pauses of the retries of a read.
const (
	readAttempts = 3
	firstPause   = 200 * time.Millisecond
	longestPause = 2 * time.Second
)

// read makes a call that changes nothing at Plaid. It retries after passing faults: no reply, a proxy's reply,
// API_ERROR. Refusals, rate limits and a bank that is down return at once: waiting is the caller's choice.
func read[T any](ctx context.Context, c *Client, slow bool, call func(context.Context) (T, *http.Response, error)) (T, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstPause, longestPause
	return backoff.Retry(ctx, func() (T, error) {
		out, err := once(ctx, c, slow, call)
		if err != nil && (!OutcomeUnknown(err) || ctx.Err() != nil || fault.Is(err, fault.PlaidTimeout)) {
			return out, backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(readAttempts))
}

// once makes a call that must not be retried blindly.
func once[T any](ctx context.Context, c *Client, slow bool, call func(context.Context) (T, *http.Response, error)) (T, error) {
	ctx, cancel := c.timeout(ctx, slow)
	defer cancel()
	out, resp, err := call(ctx) //nolint:bodyclose // the SDK has read and closed it
	if err != nil {
		err = explain(ctx, resp, err)
		c.calls.note(ctx, err)
		return out, err
	}
	c.calls.note(ctx, nil)
	// The SDK accepts an empty 200 as a reply, which would mean no accounts or no token.
	if r, ok := any(&out).(interface{ GetRequestId() string }); ok && r.GetRequestId() == "" {
		return out, unknownOutcome{fault.New(fault.PlaidError, "Plaid's answer is not whole").WithHint("try again")}
	}
	return out, nil
}
