package plaid

import (
	"context"
	"net/http"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// probed is an institution of every environment; whether Plaid knows it does not matter.
const probed = "ins_109508"

// Probe asks Plaid something that costs and changes nothing: its error says whether Plaid can be reached and takes the
// keys.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.GetInstitution(ctx, probed)
	if Code(err) == connection.InvalidInstitution {
		return nil // it takes the keys
	}
	return err
}

// noteClock compares the date of an answer with our clock.
func (l *live) noteClock(resp *http.Response, now time.Time) {
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		l.ahead.Store(int64(now.Sub(at)) | 1) // never 0, which is unknown
	}
}

// ClockAhead is how far our clock was ahead of Plaid's at its last answer, to about a second; known is false before one.
func (c *Client) ClockAhead() (ahead time.Duration, known bool) {
	n := c.live.Load().ahead.Load()
	return time.Duration(n), n != 0
}
