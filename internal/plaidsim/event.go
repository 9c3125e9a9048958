package plaidsim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Event is something that happens to an Item and that none of its owner's
// calls brings about. Which fields a kind takes is in the list of this
// package's documentation.
type Event struct {
	Kind        string        `json:"kind"`
	Item        string        `json:"item_id"`
	Mask        string        `json:"mask"`       // of the account
	Name        string        `json:"name"`       // of the account, from now on
	After       time.Duration `json:"-"`          // in JSON "after", as "168h"
	Reason      string        `json:"reason"`     // INSTITUTION_MIGRATION or INSTITUTION_TOKEN_EXPIRATION
	Relinkable  bool          `json:"relinkable"` // update mode can give the permission again
	What        string        `json:"what"`       // account, routing or both
	Product     string        `json:"product"`
	Status      string        `json:"status"`         // a verification_status
	Unseen      bool          `json:"unseen"`         // an automatic deposit never shows
	Transaction string        `json:"transaction_id"` // a posted row; empty chooses one
	Date        string        `json:"date"`
	Currency    string        `json:"currency"`
	Pages       int           `json:"pages"` // how many pages break
}

// EventError says which field of an Event is wrong.
type EventError struct{ Field, Reason string }

func (e *EventError) Error() string { return fmt.Sprintf("event: field %q %s", e.Field, e.Reason) }

func wrongField(field, format string, args ...any) error {
	return &EventError{field, fmt.Sprintf(format, args...)}
}

// happening is how a kind of event is acted out. It changes nothing where it
// returns an error.
type happening struct {
	act      func(*Server, *item, Event, time.Time) error
	needs    []string // fields beside item_id that must be given
	takes    []string // fields that can be given
	itemless bool
}

// happenings is the list of events.
var happenings = map[string]happening{
	"login_required":      {act: (*Server).happenLoginRequired},
	"login_repaired":      {act: (*Server).happenLoginRepaired},
	"pending_disconnect":  {act: (*Server).happenPendingDisconnect, takes: []string{"reason", "after"}},
	"pending_expiration":  {act: (*Server).happenPendingExpiration, takes: []string{"after"}},
	"permission_revoked":  {act: (*Server).happenPermissionRevoked, takes: []string{"relinkable"}},
	"institution_down":    {act: (*Server).happenInstitutionDown, needs: []string{"after"}},
	"gone":                {act: (*Server).happenGone},
	"token_invalid":       {act: (*Server).happenTokenInvalid},
	"no_accounts":         {act: (*Server).happenNoAccounts},
	"no_auth_accounts":    {act: (*Server).happenNoAuthAccounts},
	"access_not_granted":  {act: (*Server).happenAccessNotGranted, takes: []string{"product"}},
	"consent_missing":     {act: (*Server).happenConsentMissing, needs: []string{"product"}},
	"new_accounts":        {act: (*Server).happenNewAccounts, takes: []string{"mask", "name"}},
	"account_revoked":     {act: (*Server).happenAccountRevoked, needs: []string{"mask"}},
	"account_closed":      {act: (*Server).happenAccountClosed, needs: []string{"mask"}},
	"account_renamed":     {act: (*Server).happenAccountRenamed, needs: []string{"mask", "name"}},
	"account_reissued":    {act: (*Server).happenAccountReissued, needs: []string{"mask"}},
	"numbers_changed":     {act: (*Server).happenNumbersChanged, needs: []string{"mask"}, takes: []string{"what"}},
	"verification":        {act: (*Server).happenVerification, needs: []string{"mask", "status"}, takes: []string{"unseen"}},
	"txn_redated":         {act: (*Server).happenTxnRedated, takes: []string{"mask", "transaction_id", "date"}},
	"txn_currency":        {act: (*Server).happenTxnCurrency, takes: []string{"mask", "transaction_id", "currency"}},
	"txn_removed_late":    {act: (*Server).happenTxnRemovedLate, takes: []string{"mask", "transaction_id"}},
	"txn_mutation":        {act: (*Server).happenTxnMutation, takes: []string{"pages"}},
	"webhook_key_rotated": {act: (*Server).happenKeyRotated, itemless: true},
}

// EventKinds are the kinds that Happen knows.
func EventKinds() []string { return sortedKeys(happenings) }

// Happen acts out an event: the Item changes, and its webhooks are on their
// way and in the saved state when Happen returns. A field that does not fit
// gives an *EventError, and then nothing has happened.
func (s *Server) Happen(e Event) error {
	s.mu.Lock()
	err := s.happen(e)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.keep(context.Background())
}

func (s *Server) happen(e Event) error {
	h, ok := happenings[e.Kind]
	if !ok {
		return wrongField("kind", "must be one of %s", strings.Join(EventKinds(), ", "))
	}
	if err := e.check(h); err != nil {
		return err
	}
	now := s.now()
	s.runDue(now)
	it := s.st.Items[e.Item]
	if !h.itemless && (it == nil || it.Removed) {
		return wrongField("item_id", "must be an Item that was not removed")
	}
	if err := h.act(s, it, e, now); err != nil {
		return err
	}
	if it != nil {
		s.schedule(it)
	}
	s.touch()
	s.log.Info("simulated event", "kind", e.Kind, "item_id", e.Item)
	return nil
}

// given are the fields of an Event that are set.
func (e Event) given() []string {
	var out []string
	for _, f := range []struct {
		name string
		set  bool
	}{{"item_id", e.Item != ""}, {"mask", e.Mask != ""}, {"name", e.Name != ""}, {"after", e.After != 0}, {"reason", e.Reason != ""},
		{"relinkable", e.Relinkable}, {"what", e.What != ""}, {"product", e.Product != ""}, {"status", e.Status != ""}, {"unseen", e.Unseen},
		{"transaction_id", e.Transaction != ""}, {"date", e.Date != ""}, {"currency", e.Currency != ""}, {"pages", e.Pages != 0}} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}

func (e Event) check(h happening) error {
	needs := h.needs
	if !h.itemless {
		needs = slices.Concat([]string{"item_id"}, needs)
	}
	given := e.given()
	for _, name := range needs {
		if !slices.Contains(given, name) {
			return wrongField(name, "is needed by %s", e.Kind)
		}
	}
	for _, name := range given {
		if !slices.Contains(needs, name) && !slices.Contains(h.takes, name) {
			return wrongField(name, "is not a field of %s", e.Kind)
		}
	}
	if e.After < 0 {
		return wrongField("after", "must not be negative")
	}
	return nil
}

func (s *Server) happenKeyRotated(*item, Event, time.Time) error { return s.rotateKey() }
