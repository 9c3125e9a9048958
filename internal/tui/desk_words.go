package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
)

// short are the reasons for a narrow column.
var short = map[employee.Reason]string{
	employee.NotStarted: "no bank linked yet", employee.Exited: "left before finishing", employee.RelinkRequired: "must sign in again",
	employee.AccountMissing: "account no longer shared", employee.DepositFailed: "bank's proof failed", employee.DepositExpired: "test deposit lapsed",
	employee.DepositPending: "bank's proof is on its way", employee.InstitutionDown: "bank does not answer",
	employee.PlaidUnavailable: "Plaid did not answer", employee.NotEligible: "not for direct deposit",
	employee.TokenizedStrict: "alias, policy is strict", employee.TokenizedMaskMismatch: "alias, other last digits",
	employee.NumberMismatch: "chose another account", employee.RoutingReview: "routing number to check",
	employee.RoutingMismatch: "routing of another bank", employee.NameUnavailable: "alias, no owner's name",
	employee.NameMismatch: "alias, other owner's name", employee.Attested: "vouched for by hand",
}

// reasonWords says in a few words why an account is not verified.
func reasonWords(a employee.BankAccount) string {
	if a.VerificationType == employee.Manual && a.VerificationReason == employee.NotStarted {
		return "added without Plaid"
	}
	if words, ok := short[a.VerificationReason]; ok {
		return words
	}
	return strings.ReplaceAll(sanitize(string(a.VerificationReason)), "_", " ")
}

// verdict summarizes an account's state.
func verdict(a employee.BankAccount) string {
	if a.IsVerified {
		return "verified"
	}
	return "not verified, " + reasonWords(a)
}

// outcomeWord is a link's outcome for a narrow column.
func outcomeWord(s *employee.Session) string {
	if s == nil {
		return "none"
	}
	switch s.Outcome {
	case connection.Pending:
		return "open"
	case connection.Succeeded:
		return "finished"
	case connection.Exited:
		return "left"
	}
	return sanitize(s.Outcome)
}

func dots(last4 string) string {
	if last4 == "" {
		return ""
	}
	return "••" + sanitize(last4)
}

// age writes a duration in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// countdown writes the time until a link expires.
func countdown(d time.Duration) string {
	d = d.Truncate(time.Second)
	if d <= 0 {
		return "it has expired"
	}
	return fmt.Sprintf("%d:%02d:%02d left", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// sanitize removes characters that move the cursor, change a colour or turn the reading direction.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		bidi := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == 0x2028 || r == 0x2029:
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || bidi || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// cell pads or cuts a text to a width.
func cell(s string, width int) string {
	s = ansi.Truncate(sanitize(s), width, "…")
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// wrap breaks a text at spaces, and within a word that is longer than a line.
func wrap(s string, width int) []string {
	return strings.Split(ansi.Wrap(sanitize(s), max(10, width), " "), "\n")
}

func joined(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// details writes an audit event's details in a fixed order, without ids that tell a reader nothing.
func details(d map[string]string) string {
	var parts []string
	for _, k := range []string{"verified", "reason", "comparison", "strength", "session", "mode", "plaid_error_code", "plaid_request_id"} {
		if v := d[k]; v != "" {
			parts = append(parts, strings.ReplaceAll(k, "_", " ")+" "+sanitize(v))
		}
	}
	return strings.Join(parts, ", ")
}
