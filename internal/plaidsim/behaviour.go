package plaidsim

import (
	"fmt"
	"strings"
)

// Behaviour is a point on which Plaid's documents are silent, or differ from what one caller has seen. The simulator
// follows the documents unless it is told otherwise.
type Behaviour struct {
	Name       string
	Documented string
	Observed   string
	set        func(*Switches, bool)
}

// Behaviours lists the points that [ParseAs] can choose on, in the order of the documentation.
func Behaviours() []Behaviour {
	return []Behaviour{
		{"re-exchange", "a public token is good for one exchange", "again within 30 minutes it gives the same Item",
			func(s *Switches, on bool) { s.ReExchange = on }},
		{"accounts", "user_good has 12 accounts", "14 accounts, each with apy",
			func(s *Switches, on bool) { s.FourteenAccounts = on }},
		{"balance-age", "Capital One's balances need min_last_updated_datetime", "they do without",
			func(s *Switches, on bool) { s.BalanceOfAnyAge = on }},
		{"phone", "Link begins with the bank", "Link asks for a phone number first",
			func(s *Switches, on bool) { s.PhoneStep = on }},
		{"junk-session", "a hosted page opens one session", "a second one stands beside it, without results or an end",
			func(s *Switches, on bool) { s.JunkSession = on }},
		{"empty-cursor", "every finished sync has a cursor", "without transactions it is empty, at HISTORICAL_UPDATE_COMPLETE",
			func(s *Switches, on bool) { s.EmptyCursor = on }},
		{"sync-early", "a sync before anything is ready is empty", "it is PRODUCT_NOT_READY",
			func(s *Switches, on bool) { s.SyncNotReadyError = on }},
		{"update-token", "a finished update session has no public token", "it has one",
			func(s *Switches, on bool) { s.UpdatePublicToken = on }},
		{"abandoned", "a session that nobody finished has no end", "it ends with the link token",
			func(s *Switches, on bool) { s.CloseAbandoned = on }},
		{"keep-sessions", "sessions are gone after six hours", "they stay",
			func(s *Switches, on bool) { s.KeepSessions = on }},
		{"on-success", "results alone", "on_success and on_exit too, as older clients get them",
			func(s *Switches, on bool) { s.LegacyOnSuccess = on }},
		{"fields-first", "keys are checked before fields", "fields before keys",
			func(s *Switches, on bool) { s.FieldsFirst = on }},
	}
}

// ParseAs reads "NAME=documented|observed,…"; the name "all" stands for every behaviour.
func ParseAs(text string) (Switches, error) {
	var out Switches
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if value != "documented" && value != "observed" {
			return Switches{}, fmt.Errorf("%q: want NAME=documented or NAME=observed", part)
		}
		found := false
		for _, b := range Behaviours() {
			if name == b.Name || name == "all" {
				b.set(&out, value == "observed")
				found = true
			}
		}
		if !found {
			return Switches{}, fmt.Errorf("%q: unknown name, want %s or all", name, strings.Join(behaviourNames(), ", "))
		}
	}
	return out, nil
}

func behaviourNames() []string {
	var out []string
	for _, b := range Behaviours() {
		out = append(out, b.Name)
	}
	return out
}

// SetSwitches replaces the behaviours of a running simulator.
func (s *Server) SetSwitches(switches Switches) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Switches = switches
}

// switches are the behaviours of now, for code that does not hold s.mu.
func (s *Server) switches() Switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.Switches
}
