package plaidsim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Event changes an Item without a call of its owner, as the bank, the user or Plaid would. The package documentation
// lists the kinds and their fields.
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

// eventKind describes one kind of event. If act returns an error, it has changed nothing.
type eventKind struct {
	apply  func(*Server, *item, Event, time.Time) error
	needs  []string // fields beside item_id that must be given
	takes  []string // fields that can be given
	noItem bool
}

// eventKinds lists the kinds by name.
var eventKinds = map[string]eventKind{
	"login_required":      {apply: (*Server).loginRequired},
	"login_repaired":      {apply: (*Server).loginRepaired},
	"pending_disconnect":  {apply: (*Server).pendingDisconnect, takes: []string{"reason", "after"}},
	"pending_expiration":  {apply: (*Server).pendingExpiration, takes: []string{"after"}},
	"permission_revoked":  {apply: (*Server).permissionRevoked, takes: []string{"relinkable"}},
	"institution_down":    {apply: (*Server).institutionDown, needs: []string{"after"}},
	"gone":                {apply: (*Server).itemGone},
	"token_invalid":       {apply: (*Server).invalidateToken},
	"no_accounts":         {apply: (*Server).noAccounts},
	"no_auth_accounts":    {apply: (*Server).noAuthAccounts},
	"access_not_granted":  {apply: (*Server).accessNotGranted, takes: []string{"product"}},
	"consent_missing":     {apply: (*Server).consentMissing, needs: []string{"product"}},
	"new_accounts":        {apply: (*Server).newAccounts, takes: []string{"mask", "name"}},
	"account_revoked":     {apply: (*Server).accountRevoked, needs: []string{"mask"}},
	"account_closed":      {apply: (*Server).accountClosed, needs: []string{"mask"}},
	"account_renamed":     {apply: (*Server).accountRenamed, needs: []string{"mask", "name"}},
	"account_reissued":    {apply: (*Server).accountReissued, needs: []string{"mask"}},
	"numbers_changed":     {apply: (*Server).numbersChanged, needs: []string{"mask"}, takes: []string{"what"}},
	"verification":        {apply: (*Server).verificationChanged, needs: []string{"mask", "status"}, takes: []string{"unseen"}},
	"txn_redated":         {apply: (*Server).txnRedated, takes: []string{"mask", "transaction_id", "date"}},
	"txn_currency":        {apply: (*Server).txnCurrency, takes: []string{"mask", "transaction_id", "currency"}},
	"txn_removed_late":    {apply: (*Server).txnRemovedLate, takes: []string{"mask", "transaction_id"}},
	"txn_mutation":        {apply: (*Server).txnMutation, takes: []string{"pages"}},
	"webhook_key_rotated": {apply: (*Server).rotateKeyEvent, noItem: true},
}

// EventKinds names the kinds that ApplyEvent knows.
func EventKinds() []string { return sortedKeys(eventKinds) }

// ApplyEvent changes the Item. When it returns, the change and its webhooks are saved. A wrong field gives an
// *EventError and changes nothing.
func (s *Server) ApplyEvent(e Event) error {
	s.mu.Lock()
	err := s.applyEvent(e)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.flushUncancelled(context.Background())
}

func (s *Server) applyEvent(e Event) error {
	h, ok := eventKinds[e.Kind]
	if !ok {
		return wrongField("kind", "must be one of %s", strings.Join(EventKinds(), ", "))
	}
	if err := e.check(h); err != nil {
		return err
	}
	now := s.now()
	s.runDue(now)
	it := s.st.Items[e.Item]
	if !h.noItem && (it == nil || it.Removed) {
		return wrongField("item_id", "must be an Item that was not removed")
	}
	if err := h.apply(s, it, e, now); err != nil {
		return err
	}
	if it != nil {
		s.schedule(it)
	}
	s.markChanged()
	s.log.Info("simulated event", "kind", e.Kind, "item_id", e.Item)
	return nil
}

// setFields names the fields of an Event that are set.
func (e Event) setFields() []string {
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

func (e Event) check(h eventKind) error {
	needs := h.needs
	if !h.noItem {
		needs = slices.Concat([]string{"item_id"}, needs)
	}
	given := e.setFields()
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

func (s *Server) rotateKeyEvent(*item, Event, time.Time) error { return s.rotateKey() }
