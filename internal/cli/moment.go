package cli

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/money"
)

// utc writes a time for data.
func utc(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// moment writes a time for a card; on a terminal it adds how long ago that was.
func (a *app) moment(t time.Time) string {
	if t.IsZero() || !a.OutTTY {
		return utc(t)
	}
	return utc(t) + " (" + a.ago(t) + ")"
}

// ago writes a time for a terminal's table.
func (a *app) ago(t time.Time) string {
	d := a.Now().Sub(t)
	switch {
	case t.IsZero():
		return ""
	case d < 0:
		return "in " + round(-d)
	case d < 10*time.Second:
		return "just now"
	}
	return round(d) + " ago"
}

func round(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// parseSince reads 30m, 12h, 30d, 2w, a day in the terminal's zone, or a whole time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if n, err := strconv.ParseUint(strings.TrimRight(text, "mhdw"), 10, 16); err == nil {
		span := int(n)
		switch strings.TrimLeft(text, "0123456789") {
		case "m":
			return now.Add(-time.Duration(span) * time.Minute), nil
		case "h":
			return now.Add(-time.Duration(span) * time.Hour), nil
		case "d":
			return now.AddDate(0, 0, -span), nil
		case "w":
			return now.AddDate(0, 0, -7*span), nil
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, usage("for instance 30d, 12h, 2026-11-01 or 2026-11-01T08:00:00Z", "--since cannot be %q", text)
	}
	return t, nil
}

// amount writes minor units for people; "" for an unknown amount.
func amount(minor *int64, currency string) string {
	if minor == nil {
		return ""
	}
	return money.Amount{Minor: *minor, Currency: currency}.String()
}

// current writes a balance, and of a debt that it is owed.
func current(b *account.Balance) string {
	own, ok := b.Own()
	if !ok {
		return ""
	}
	if b.Owed && own < 0 {
		return amount(b.Current, b.Currency) + " owed"
	}
	return amount(&own, b.Currency)
}

// noCurrency stands in text for people where there is no code.
const noCurrency = "(no currency)"

// codeText is a currency's code for people.
func codeText(currency string) string { return cmp.Or(clean(currency), noCurrency) }

func available(b *account.Balance) string {
	if b == nil {
		return ""
	}
	return amount(b.Available, b.Currency)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// tick is a check mark for true, and empty for false.
func tick(b bool) string {
	if b {
		return "✓"
	}
	return ""
}
