package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"

	"net/http"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/trail"
)

const (
	longestLine    = 1 << 20          // of a stream of events
	silentPatience = 45 * time.Second // bankd sends something every 15 s
)

// StreamEvents calls tell with each event of one stream, until bankd or ctx ends it. It begins with one of type
// trail.Ready, which has the id to resume at.
func (c *Client) StreamEvents(ctx context.Context, q trail.EventQuery, tell func(trail.Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	path := "/api/v1/events"
	if values := query.Encode(q); len(values) > 0 {
		path += "?" + values.Encode()
	}
	resp, err := c.Raw(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, err := decode(resp, nil, nil)
		return err
	}
	silent := time.AfterFunc(silentPatience, cancel)
	defer silent.Stop()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		silent.Reset(silentPatience)
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue // the id and type stand in the data too
		}
		var e trail.Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return fault.New(fault.Internal, "bankd's event has another form than this bankctl knows").
				WithHint("compare `bankctl version` with `bankctl status`").Because(err)
		}
		if err := tell(e); err != nil {
			return err
		}
	}
	return nil //nolint:nilerr // however the stream ended, the caller resumes it
}

// eventsPause is between the end of a stream and the next.
const eventsPause = 500 * time.Millisecond

// FollowEvents is StreamEvents over the ends of streams and of bankd: it resumes behind the last event. away is called,
// with the reason, when bankd does not answer; it returns false to give up.
func (c *Client) FollowEvents(ctx context.Context, q trail.EventQuery, tell func(trail.Event) error, away func(error) bool) error {
	for {
		err := c.StreamEvents(ctx, q, func(e trail.Event) error {
			q.After, q.Since = e.ID, time.Time{}
			if err := tell(e); err != nil {
				return stopError{err}
			}
			return nil
		})
		if stop, ok := errors.AsType[stopError](err); ok {
			return stop.error
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && (!fault.Is(err, fault.Unavailable) || !away(err)) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(eventsPause):
		}
	}
}

// stopError carries the error of the one who is told.
type stopError struct{ error }

func (e stopError) Unwrap() error { return e.error }
