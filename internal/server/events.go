package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/trail"
)

const (
	heartbeat     = 15 * time.Second // of a stream with nothing to tell, so that both ends notice a lost one
	longestStream = time.Hour        // then its reader proves its secret again, and resumes
)

// streamEvents answers with server-sent events, each with the id to resume at. A stream ends where its client was revoked,
// the data is damaged, the daemon stops, or an hour has passed.
func (s *Server) streamEvents(c *call) (streamer, error) {
	var q trail.EventQuery
	if err := c.decodeQuery(&q); err != nil {
		return nil, err
	}
	if last := header(c.r, "Last-Event-Id"); last != "" {
		q.After, q.Since = last, time.Time{} // as a browser's EventSource resumes: with the first call's query
	}
	ctx := c.r.Context()
	events, err := s.bank.OpenEvents(ctx, c.caller, q)
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Content-Type", "text/event-stream")
	c.w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(c.w)
	return func(w io.Writer) error {
		defer events.Close()
		_ = control.SetReadDeadline(time.Time{}) // the bound of a request would end the stream
		over := time.NewTimer(longestStream)
		defer over.Stop()
		told := []trail.Event{{ID: events.Cursor(), Time: time.Now().UTC(), Type: trail.Ready}}
		for {
			if err := errors.Join(writeEvents(w, told), control.Flush()); err != nil || !q.Follows() && events.Told() {
				return nil //nolint:nilerr // the reader left
			}
			if events.Told() && !s.waitForEvents(c, events, over.C) || s.damage() != nil {
				return nil
			}
			if told, err = events.Next(ctx); err != nil {
				return unlessOver(ctx, err)
			}
		}
	}, nil
}

// waitForEvents returns false at the end of the stream.
func (s *Server) waitForEvents(c *call, events *bank.Events, over <-chan time.Time) bool {
	select {
	case <-events.Changed():
		return true
	case <-time.After(heartbeat):
		return true
	case <-c.r.Context().Done():
	case <-c.peer.ending():
	case <-over:
	}
	return false
}

// unlessOver turns the reasons for which a stream ends in order into no error: a later call tells the reader.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() == nil && !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	return nil
}

// writeEvents writes events in the form of server-sent events, whose JSON has no line break; for none, a comment that
// keeps the connection alive.
func writeEvents(w io.Writer, events []trail.Event) error {
	var b bytes.Buffer
	if len(events) == 0 {
		b.WriteString(":\n\n")
	}
	for _, e := range events {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, text)
	}
	_, err := w.Write(b.Bytes())
	return err
}
