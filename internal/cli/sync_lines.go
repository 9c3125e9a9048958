package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// syncLines tells of one connection after the other: a line that turns and then stands on a terminal, a plain line of
// data through a pipe.
type syncLines struct {
	app    *app
	headed bool
}

func newSyncLines(a *app) *syncLines { return &syncLines{app: a} }

const (
	frames      = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	turnEvery   = 100 * time.Millisecond
	eraseToLeft = "\r\x1b[K"
)

// turning reports whether a line may be drawn over again.
func (l *syncLines) turning() bool {
	return l.app.ErrTTY && !l.app.quiet && l.app.Getenv("TERM") != "dumb"
}

// begin says what is being done until stop is called, which takes the line away.
func (l *syncLines) begin(conn connection.Connection) (stop func()) {
	if !l.turning() {
		return func() {}
	}
	done := make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		began := l.app.Now()
		tick := time.NewTicker(turnEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			frame := string([]rune(frames)[n%len([]rune(frames))])
			text := fmt.Sprintf("%s %s: reading accounts and transactions, %s", frame, clean(conn.Institution.Name), round(l.app.Now().Sub(began)))
			if w := l.app.Width(); w > 1 {
				text = cut(text, w-1)
			}
			_, _ = io.WriteString(l.app.Stderr, eraseToLeft+text) // a terminal that is gone wants no progress
			select {
			case <-done:
				_, _ = io.WriteString(l.app.Stderr, eraseToLeft)
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(done)
		over.Wait()
	}
}

// end leaves the line that stays.
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

// syncLine is one connection's outcome for people.
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
