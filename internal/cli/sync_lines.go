package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
)

// syncLines report a sync connection by connection: with a line that is redrawn on a terminal, and plain lines of data in
// a pipe.
type syncLines struct {
	app    *app
	headed bool
}

func newSyncLines(a *app) *syncLines { return &syncLines{app: a} }

const (
	frames      = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	turnEvery   = 100 * time.Millisecond
	barCells    = 20
	askEvery    = 500 * time.Millisecond
	eraseToLeft = "\r\x1b[K"
)

// canRedraw reports whether lines may be redrawn.
func (l *syncLines) canRedraw() bool {
	return l.app.ErrTTY && !l.app.quiet && l.app.Getenv("TERM") != "dumb"
}

// begin shows the current step until stop is called, which erases the line.
func (l *syncLines) begin(ctx context.Context, c *client.Client, conn connection.Connection) (stop func()) {
	if !l.canRedraw() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var reading atomic.Pointer[connection.Reading]
	var over sync.WaitGroup
	over.Go(func() {
		for ctx.Err() == nil {
			if now, err := c.GetConnection(ctx, conn.ID); err == nil {
				reading.Store(now.Reading)
			}
			select {
			case <-ctx.Done():
			case <-time.After(askEvery):
			}
		}
	})
	over.Go(func() {
		began := l.app.Now()
		tick := time.NewTicker(turnEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			frame := string([]rune(frames)[n%len([]rune(frames))])
			text := frame + " " + clean(conn.Institution.Name) + ": " + readingLine(reading.Load(), began, l.app.Now())
			if w := l.app.Width(); w > 1 {
				text = cut(text, w-1)
			}
			_, _ = io.WriteString(l.app.Stderr, eraseToLeft+text) // a terminal that is gone needs no progress
			select {
			case <-ctx.Done():
				_, _ = io.WriteString(l.app.Stderr, eraseToLeft)
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		cancel()
		over.Wait()
	}
}

// readingLine is the progress line of a sync: a bar, rows, rate and time left, as far as they are known.
func readingLine(r *connection.Reading, began, now time.Time) string {
	if r == nil || r.Rows == 0 {
		return "reading accounts and transactions, " + round(now.Sub(began))
	}
	took := now.Sub(r.Since)
	text := counted(int(r.Rows), "transaction")
	if seconds := took.Seconds(); seconds >= 1 {
		text += ", " + strconv.Itoa(int(float64(r.Rows)/seconds)) + "/s"
	}
	if r.Percent == 0 {
		return text + ", " + round(took)
	}
	left := took * time.Duration(100-r.Percent) / time.Duration(r.Percent)
	return fmt.Sprintf("%-*s %d%%, %s, about %s left", barCells, bar(int64(r.Percent), 100, barCells), r.Percent, text, round(left))
}

// end prints the final line.
func (l *syncLines) end(r syncResult) error {
	a := l.app
	switch {
	case a.output != "table":
		return nil
	case a.OutTTY:
		_, err := fmt.Fprintln(a.Stdout, a.syncLine(r))
		return err
	}
	var b strings.Builder
	columns := syncColumns()
	if err := printTSV(&b, []syncResult{r}, columns); err != nil {
		return err
	}
	text := b.String()
	if l.headed {
		_, text, _ = strings.Cut(text, "\n")
	}
	l.headed = true
	_, err := io.WriteString(a.Stdout, text)
	return err
}

// syncLine summarizes one connection's result for people.
func (a *app) syncLine(r syncResult) string {
	name := clean(r.Institution) + " (" + r.ConnectionID + ")"
	if r.Error != nil {
		text := a.paint(red)("✗ failed") + "  " + name + ": " + clean(r.Error.Message)
		if r.Error.Hint != "" {
			text += " (" + clean(r.Error.Hint) + ")"
		}
		return text
	}
	text := a.paint(green)("✓ synced") + "  " + name + ": " + counted(len(r.Accounts.Accounts), "account")
	if t := r.Transactions; t != nil {
		text += fmt.Sprintf(", %s (%d new, %d changed, %d gone)", counted(t.Total, "transaction"), t.Added, t.Modified, t.Removed)
	}
	if state := syncState(r); state != "complete" {
		text += ", " + state
	}
	return text
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
