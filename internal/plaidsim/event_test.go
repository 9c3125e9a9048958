package plaidsim_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

// linked is an Item for events to change.
type linked struct {
	*sim
	access, item string
	store        *memory
}

func (l *linked) call(path string) object {
	l.t.Helper()
	return l.ok(path, object{"access_token": l.access})
}

func (l *linked) fails(path, code string) {
	l.t.Helper()
	l.refused(path, object{"access_token": l.access}, 400, code)
}

// account is the account with a mask, or nil.
func (l *linked) account(mask string) object {
	l.t.Helper()
	for _, a := range each(l.call("/accounts/get")["accounts"]) {
		if a["mask"] == mask {
			return a
		}
	}
	return nil
}

func (l *linked) numbers(mask string) object {
	l.t.Helper()
	id := l.account(mask)["account_id"]
	for _, n := range each(at(l.call("/auth/get"), "numbers", "ach")) {
		if n["account_id"] == id {
			return n
		}
	}
	return nil
}

func (l *linked) itemError() any {
	l.t.Helper()
	return at(l.call("/item/get"), "item", "error", "error_code")
}

func (l *linked) consentEnds() any {
	l.t.Helper()
	return at(l.call("/item/get"), "item", "consent_expiration_time")
}

// update goes through update mode; with masks the user chooses accounts.
func (l *linked) update(extra object, masks ...string) {
	l.t.Helper()
	body := object{"access_token": l.access, "products": nil}
	for k, v := range extra {
		body[k] = v
	}
	if len(masks) > 0 {
		body["update"] = object{"account_selection_enabled": true}
	}
	_, hosted := l.link(body)
	p := open(l.t, hosted)
	if p.name == "OAUTH" {
		p = p.post("continue", "1").post("username", "user_good", "password", "pass_good", "allow", "1")
	} else {
		p = p.want("CREDENTIAL").post("username", l.user(), "password", "pass_good")
	}
	if len(masks) > 0 {
		var chosen []string
		for _, m := range masks {
			chosen = append(chosen, "account_ids", p.want("SELECT_ACCOUNT").account(m))
		}
		p = p.post(chosen...)
	}
	p.want("CONNECTED")
}

func (l *linked) user() string {
	if _, rows, ok := strings.Cut(l.t.Name(), "user="); ok {
		return rows
	}
	return "user_good"
}

func (l *linked) refusedUpdate(code string) {
	l.t.Helper()
	l.refused("/link/token/create", object{"client_name": "Bank Control", "language": "en", "country_codes": []string{"US"},
		"user": object{"client_user_id": "employee-1"}, "access_token": l.access}, 400, code)
}

// restarted loads the same Item in a new simulator, as after a kill.
func (l *linked) restarted(store *memory) *linked {
	l.t.Helper()
	kept := store.snapshot()
	again := start(l.t, plaidsim.Options{Store: kept, Clock: l.clock.now})
	again.clock = l.clock
	return &linked{again, l.access, l.item, kept}
}

// happen sends an event by HTTP or by Go, as via says.
func (l *linked) happen(via string, body object) (problem string) {
	l.t.Helper()
	if via == "http" {
		return l.happenHTTP(body)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	var e plaidsim.Event
	if err := json.Unmarshal(raw, &e); err != nil {
		l.t.Fatal(err)
	}
	if after, ok := body["after"].(string); ok {
		if e.After, err = time.ParseDuration(after); err != nil {
			l.t.Fatal(err)
		}
	}
	err = l.server.ApplyEvent(e)
	var wrong *plaidsim.EventError
	if err != nil && !errors.As(err, &wrong) {
		l.t.Fatal(err)
	}
	if err != nil {
		return wrong.Field
	}
	return ""
}

func (l *linked) happenHTTP(body object) string {
	l.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	status, out := l.send("/simulator/events", string(raw), nil)
	field, _ := out["field"].(string)
	if (status == http.StatusOK) != (field == "") || (out["ok"] == true) != (field == "") {
		l.t.Fatalf("status %d: %v", status, out)
	}
	return field
}

// eventCase is a kind of event, its parameters, and the state that follows.
type eventCase struct {
	kind  string
	bank  string // empty = ins_109508
	body  object
	hooks []string
	told  func(t *testing.T, l *linked, hooks map[string]object)
	then  func(t *testing.T, l *linked)
}

const tanBank = "ins_127287"

var eventCases = []eventCase{
	{kind: "login_required", hooks: []string{"ERROR"}, told: func(t *testing.T, _ *linked, hooks map[string]object) {
		if at(hooks["ERROR"], "error", "error_code") != "ITEM_LOGIN_REQUIRED" || at(hooks["ERROR"], "error", "status") != 400.0 {
			t.Errorf("error is %v", hooks["ERROR"]["error"])
		}
	}, then: func(t *testing.T, l *linked) {
		l.fails("/auth/get", "ITEM_LOGIN_REQUIRED")
		if l.itemError() != "ITEM_LOGIN_REQUIRED" {
			t.Errorf("item.error is %v", l.itemError())
		}
		if problem := l.happen("go", object{"kind": "login_repaired", "item_id": l.item}); problem != "" {
			t.Fatal(problem)
		}
		l.call("/auth/get")
	}},
	{kind: "pending_disconnect", body: object{"after": "48h", "reason": "INSTITUTION_MIGRATION"}, hooks: []string{"PENDING_DISCONNECT"},
		told: func(t *testing.T, l *linked, hooks map[string]object) {
			if h := hooks["PENDING_DISCONNECT"]; h["reason"] != "INSTITUTION_MIGRATION" || h["disconnect_time"] != l.consentEnds() {
				t.Errorf("webhook is %v", h)
			}
		}, then: endsByTheClock(48 * time.Hour)},
	{kind: "pending_expiration", hooks: []string{"PENDING_EXPIRATION"}, told: func(t *testing.T, l *linked, hooks map[string]object) {
		if h := hooks["PENDING_EXPIRATION"]; h["consent_expiration_time"] != l.consentEnds() {
			t.Errorf("webhook is %v", h)
		}
	}, then: endsByTheClock(7 * 24 * time.Hour)},
	{kind: "new_accounts", hooks: []string{"NEW_ACCOUNTS_AVAILABLE"}, then: func(t *testing.T, l *linked) {
		if l.account("6001") != nil {
			t.Error("the new account is shared already")
		}
		l.update(nil, "0000", "6001")
		if l.account("6001") == nil || l.account("1111") != nil || l.numbers("6001")["account"] != "1111222233336001" {
			t.Error("the new account is not shared")
		}
	}},
	{kind: "permission_revoked", hooks: []string{"USER_PERMISSION_REVOKED"}, told: func(t *testing.T, _ *linked, hooks map[string]object) {
		if at(hooks["USER_PERMISSION_REVOKED"], "error", "error_type") != "ITEM_ERROR" {
			t.Errorf("webhook is %v", hooks)
		}
	}, then: func(t *testing.T, l *linked) {
		l.fails("/accounts/get", "USER_PERMISSION_REVOKED")
		if l.itemError() != "USER_PERMISSION_REVOKED" {
			t.Errorf("item.error is %v", l.itemError())
		}
		l.refusedUpdate("USER_PERMISSION_REVOKED")
		l.call("/item/remove")
	}},
	{kind: "permission_revoked", body: object{"relinkable": true}, hooks: []string{"USER_PERMISSION_REVOKED"}, then: func(_ *testing.T, l *linked) {
		l.fails("/auth/get", "USER_PERMISSION_REVOKED")
		l.update(nil)
		l.call("/auth/get")
	}},
	{kind: "account_revoked", bank: tanBank, body: object{"mask": "0000"}, hooks: []string{"USER_ACCOUNT_REVOKED"},
		told: func(t *testing.T, l *linked, hooks map[string]object) {
			id := hooks["USER_ACCOUNT_REVOKED"]["account_id"]
			l.refused("/accounts/get", object{"access_token": l.access, "options": object{"account_ids": []any{id}}}, 400, "INVALID_ACCOUNT_ID")
		}, then: func(t *testing.T, l *linked) {
			if l.account("0000") != nil || l.account("1111") == nil {
				t.Error("the wrong account vanished")
			}
			l.update(nil)
			if l.account("0000") == nil {
				t.Fatal("the account did not come back")
			}
		}},
	{kind: "account_closed", body: object{"mask": "0000"}, then: func(t *testing.T, l *linked) {
		if l.account("0000") != nil {
			t.Error("the closed account is there")
		}
		l.update(nil)
		if l.account("0000") != nil || l.account("1111") == nil {
			t.Error("an update opens a closed account")
		}
	}},
	{kind: "account_renamed", body: object{"mask": "0000", "name": "Everyday"}, then: func(t *testing.T, l *linked) {
		if got := l.account("0000")["name"]; got != "Everyday" {
			t.Errorf("the name is %v", got)
		}
	}},
	{kind: "account_reissued", bank: tanBank, body: object{"mask": "0000"}, hooks: []string{"TRANSACTIONS_REMOVED", "DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"},
		then: func(t *testing.T, l *linked) {
			if a := l.account("0000"); a["name"] != "Plaid Checking" || a["persistent_account_id"] == nil || l.numbers("0000") == nil {
				t.Errorf("the account is %v", a)
			}
		}},
	{kind: "numbers_changed", body: object{"mask": "0000"}, hooks: []string{"DEFAULT_UPDATE"}, told: func(t *testing.T, l *linked, hooks map[string]object) {
		id := l.account("0000")["account_id"].(string)
		if got := at(hooks["DEFAULT_UPDATE"], "account_ids_with_updated_auth", id); len(got.([]any)) != 2 {
			t.Errorf("updated: %v", got)
		}
	}, then: func(t *testing.T, l *linked) {
		if n := l.numbers("0000"); n["account"] != "1111222233340000" || n["routing"] != "011401546" {
			t.Errorf("numbers are %v %v", n["account"], n["routing"])
		}
	}},
	{kind: "numbers_changed", bank: tanBank, body: object{"mask": "1111", "what": "account"}, hooks: []string{"DEFAULT_UPDATE"}, then: func(t *testing.T, l *linked) {
		if n := l.numbers("1111"); n["routing"] != "011401533" || n["is_tokenized_account_number"] != true {
			t.Errorf("numbers are %v", n)
		}
	}},
	{kind: "no_accounts", then: func(_ *testing.T, l *linked) {
		for _, path := range []string{"/accounts/get", "/auth/get", "/transactions/sync"} {
			l.fails(path, "NO_ACCOUNTS")
		}
		l.update(nil)
		l.fails("/accounts/get", "NO_ACCOUNTS")
		l.update(nil, "0000")
		l.call("/accounts/get")
	}},
	{kind: "no_auth_accounts", then: func(_ *testing.T, l *linked) {
		l.call("/accounts/get")
		l.fails("/auth/get", "NO_AUTH_ACCOUNTS")
		l.update(nil, "0000")
		l.call("/auth/get")
	}},
	{kind: "access_not_granted", then: func(_ *testing.T, l *linked) {
		l.fails("/auth/get", "ACCESS_NOT_GRANTED")
		l.call("/identity/get")
		l.update(object{"products": []string{"auth"}})
		l.call("/auth/get")
	}},
	{kind: "access_not_granted", body: object{"product": "identity"}, then: func(_ *testing.T, l *linked) {
		l.fails("/identity/get", "ACCESS_NOT_GRANTED")
		l.update(nil)
		l.call("/identity/get")
	}},
	{kind: "consent_missing", body: object{"product": "identity"}, then: func(_ *testing.T, l *linked) {
		l.fails("/identity/get", "ADDITIONAL_CONSENT_REQUIRED")
		l.update(nil)
		l.fails("/identity/get", "ADDITIONAL_CONSENT_REQUIRED")
		l.update(object{"additional_consented_products": []string{"identity"}})
		l.call("/identity/get")
	}},
	{kind: "gone", then: func(t *testing.T, l *linked) {
		for _, path := range []string{"/item/get", "/auth/get", "/item/remove"} {
			l.fails(path, "ITEM_NOT_FOUND")
		}
		l.refusedUpdate("ITEM_NOT_FOUND")
		if !l.info().Removed || l.info().TokenHash != "" {
			t.Errorf("the Item is %+v", l.info())
		}
	}},
	{kind: "token_invalid", then: func(t *testing.T, l *linked) {
		l.fails("/item/get", "INVALID_ACCESS_TOKEN")
		l.fails("/item/remove", "INVALID_ACCESS_TOKEN")
		if l.info().Removed || l.info().TokenHash != "" {
			t.Errorf("the Item is %+v", l.info())
		}
	}},
	{kind: "verification", body: object{"mask": "0000", "status": "automatically_verified"}, hooks: []string{"AUTOMATICALLY_VERIFIED"}, then: statusIs("automatically_verified")},
	{kind: "verification", body: object{"mask": "0000", "status": "verification_expired"}, hooks: []string{"VERIFICATION_EXPIRED"}, then: statusIs("verification_expired")},
	{kind: "verification", body: object{"mask": "0000", "status": "manually_verified"}, hooks: []string{"SMS_MICRODEPOSITS_VERIFICATION"}, then: statusIs("manually_verified")},
	{kind: "verification", body: object{"mask": "0000", "status": "verification_failed"}, hooks: []string{"SMS_MICRODEPOSITS_VERIFICATION"}, then: statusIs("verification_failed")},
	{kind: "verification", body: object{"mask": "0000", "status": "database_insights_pass_with_caution"}, then: statusIs("database_insights_pass_with_caution")},
	{kind: "verification", body: object{"mask": "0000", "status": "unsent"}, then: statusIs("unsent")},
	{kind: "verification", body: object{"mask": "0000", "status": "pending_automatic_verification", "unseen": true}, then: func(t *testing.T, l *linked) {
		l.clock.add(6 * 24 * time.Hour)
		statusIs("pending_automatic_verification")(t, l)
		l.clock.add(25 * time.Hour)
		statusIs("verification_expired")(t, l)
	}},
	{kind: "institution_down", body: object{"after": "2h"}, then: func(_ *testing.T, l *linked) {
		l.fails("/auth/get", "INSTITUTION_DOWN")
		l.call("/item/get")
		_, hosted := l.link(object{"access_token": l.access, "products": nil})
		open(l.t, hosted).post("username", "user_good", "password", "pass_good").want("ERROR").complains()
		l.clock.add(2 * time.Hour)
		l.call("/auth/get")
	}},
	{kind: "txn_redated", hooks: []string{"DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}},
	{kind: "txn_currency", body: object{"mask": "0000", "currency": "CAD"}, hooks: []string{"DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}},
	{kind: "txn_removed_late", hooks: []string{"TRANSACTIONS_REMOVED", "DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}},
	{kind: "txn_mutation", body: object{"pages": 2}, hooks: []string{"DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}, then: func(_ *testing.T, l *linked) {
		for range 2 {
			cursor := l.ok("/transactions/sync", object{"access_token": l.access, "count": 10})["next_cursor"]
			l.refused("/transactions/sync", object{"access_token": l.access, "count": 10, "cursor": cursor}, 400, "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")
		}
		l.drain(l.access, "", 10)
	}},
	{kind: "login_repaired", hooks: []string{"LOGIN_REPAIRED"}, then: func(t *testing.T, l *linked) {
		if l.call("/auth/get"); l.itemError() != nil || l.consentEnds() != nil {
			t.Error("the Item is not in order")
		}
	}},
}

func endsByTheClock(after time.Duration) func(*testing.T, *linked) {
	return func(t *testing.T, l *linked) {
		again := func(kind string) {
			if problem := l.happen("http", object{"kind": kind, "item_id": l.item, "after": "1h"}); problem != "" {
				t.Fatal(problem)
			}
		}
		l.call("/auth/get")
		l.clock.add(after)
		l.fails("/auth/get", "ITEM_LOGIN_REQUIRED")
		l.update(nil)
		l.call("/auth/get")
		if l.consentEnds() != nil {
			t.Errorf("the consent ends %v", l.consentEnds())
		}
		again("pending_disconnect")
		l.update(nil)
		l.clock.add(2 * time.Hour)
		l.call("/auth/get")
	}
}

func statusIs(want string) func(*testing.T, *linked) {
	return func(t *testing.T, l *linked) {
		t.Helper()
		if got := l.account("0000")["verification_status"]; got != want {
			t.Errorf("verification_status is %v", got)
		}
	}
}

func (l *linked) info() plaidsim.ItemInfo {
	l.t.Helper()
	all := l.server.Items()
	i := slices.IndexFunc(all, func(it plaidsim.ItemInfo) bool { return it.ID == l.item })
	if i < 0 {
		l.t.Fatal("the Item is not in the list")
	}
	return all[i]
}

// linkedItem is an Item with all its transactions there and synced, and
// its first webhooks delivered.
func linkedItem(t *testing.T, store *memory, bank, user string) (*linked, chan delivery) {
	t.Helper()
	s := start(t, plaidsim.Options{Store: store})
	target, got := receiver(t)
	made := s.ok("/sandbox/public_token/create", object{"institution_id": bank, "initial_products": []string{"auth", "identity", "transactions"},
		"options": object{"webhook": target, "override_username": user, "override_password": "pass_good"}})
	out := s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})
	l := &linked{s, out["access_token"].(string), out["item_id"].(string), store}
	l.ok("/transactions/sync", object{"access_token": l.access})
	s.clock.add(3 * time.Second)
	l.call("/item/get") // any call makes due events happen
	s.collect(got, "INITIAL_UPDATE", "HISTORICAL_UPDATE", "SYNC_UPDATES_AVAILABLE")
	return l, got
}

func TestEventKinds(t *testing.T) {
	t.Parallel()
	for i, c := range eventCases {
		for _, via := range []string{"go", "http"} {
			t.Run(c.kind+"/"+via, func(t *testing.T) {
				store := &memory{}
				bank := c.bank
				if bank == "" {
					bank = "ins_109508"
				}
				l, got := linkedItem(t, store, bank, "user_good")
				if c.kind == "login_repaired" {
					l.ok("/sandbox/item/reset_login", object{"access_token": l.access})
					l.collect(got, "ERROR")
				}
				body := object{"kind": c.kind, "item_id": l.item}
				for k, v := range c.body {
					body[k] = v
				}
				if problem := l.happen(via, body); problem != "" {
					t.Fatalf("case %d: field %s is wrong", i, problem)
				}
				hooks := l.collect(got, c.hooks...)
				if c.told != nil {
					c.told(t, l, hooks)
				}
				if len(c.hooks) == 0 {
					nothingComes(t, got)
				}
				if c.then != nil {
					c.then(t, l.restarted(store))
				}
			})
		}
	}
	for _, kind := range plaidsim.EventKinds() {
		if kind != "webhook_key_rotated" && !slices.ContainsFunc(eventCases, func(c eventCase) bool { return c.kind == kind }) {
			t.Errorf("%s has no case", kind)
		}
	}
}

func nothingComes(t *testing.T, from chan delivery) {
	t.Helper()
	select {
	case d := <-from:
		t.Errorf("a webhook came: %s", d.raw)
	case <-time.After(20 * time.Millisecond):
	}
}

func TestEventKeyRotated(t *testing.T) {
	t.Parallel()
	l := &linked{sim: start(t, plaidsim.Options{})}
	before, err := l.server.SignWebhook(nil)
	if err != nil {
		t.Fatal(err)
	}
	if problem := l.happen("http", object{"kind": "webhook_key_rotated"}); problem != "" {
		t.Fatal(problem)
	}
	after, err := l.server.SignWebhook(nil)
	if err != nil || strings.Split(before, ".")[0] == strings.Split(after, ".")[0] {
		t.Errorf("the key is the same, error %v", err)
	}
}

// After its revocation, an account at a tokenizing bank comes back with another number.
func TestEventTokenizedNumberChanges(t *testing.T) {
	t.Parallel()
	l, _ := linkedItem(t, &memory{}, tanBank, "user_good")
	before, persistent := l.numbers("0000")["account"], l.account("0000")["persistent_account_id"]
	id := l.account("0000")["account_id"]
	for _, kind := range []string{"account_revoked", "account_reissued"} {
		if problem := l.happen("go", object{"kind": kind, "item_id": l.item, "mask": "0000"}); problem != "" {
			t.Fatal(problem)
		}
		if kind == "account_revoked" {
			l.update(nil)
			if l.account("0000")["account_id"] != id {
				t.Error("the account has another id")
			}
		}
	}
	if after := l.numbers("0000")["account"]; after == before {
		t.Error("the tokenized number is the same")
	}
	if l.account("0000")["persistent_account_id"] != persistent || l.account("0000")["account_id"] == id {
		t.Error("the reissued account is not the same account under another id")
	}
	l.refused("/auth/get", object{"access_token": l.access, "options": object{"account_ids": []any{id}}}, 400, "INVALID_ACCOUNT_ID")
}

func TestEventRefusals(t *testing.T) {
	t.Parallel()
	l, _ := linkedItem(t, &memory{}, "ins_109508", "user_good")
	tests := []struct {
		name, field string
		body        object
	}{
		{"noKind", "kind", object{}},
		{"unknownKind", "kind", object{"kind": "flood"}},
		{"noItem", "item_id", object{"kind": "gone"}},
		{"unknownItem", "item_id", object{"kind": "gone", "item_id": "x"}},
		{"noMask", "mask", object{"kind": "account_closed", "item_id": l.item}},
		{"unknownMask", "mask", object{"kind": "account_closed", "item_id": l.item, "mask": "1234"}},
		{"noNumbers", "mask", object{"kind": "numbers_changed", "item_id": l.item, "mask": "3333"}},
		{"otherField", "status", object{"kind": "gone", "item_id": l.item, "status": "unsent"}},
		{"reason", "reason", object{"kind": "pending_disconnect", "item_id": l.item, "reason": "WHIM"}},
		{"negative", "after", object{"kind": "institution_down", "item_id": l.item, "after": "-1h"}},
		{"notBroken", "item_id", object{"kind": "login_repaired", "item_id": l.item}},
		{"status", "status", object{"kind": "verification", "item_id": l.item, "mask": "0000", "status": "fine"}},
		{"unseen", "unseen", object{"kind": "verification", "item_id": l.item, "mask": "0000", "status": "unsent", "unseen": true}},
		{"what", "what", object{"kind": "numbers_changed", "item_id": l.item, "mask": "0000", "what": "name"}},
		{"product", "product", object{"kind": "consent_missing", "item_id": l.item, "product": "liabilities"}},
		{"takenMask", "mask", object{"kind": "new_accounts", "item_id": l.item, "mask": "0000"}},
		{"row", "transaction_id", object{"kind": "txn_redated", "item_id": l.item, "transaction_id": "x"}},
		{"date", "date", object{"kind": "txn_redated", "item_id": l.item, "date": "yesterday"}},
		{"currency", "currency", object{"kind": "txn_currency", "item_id": l.item, "currency": "USD"}},
		{"pages", "pages", object{"kind": "txn_mutation", "item_id": l.item, "pages": -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, via := range []string{"go", "http"} {
				if got := (&linked{l.with(t), l.access, l.item, nil}).happen(via, tt.body); got != tt.field {
					t.Errorf("%s: field %q is wrong, want %q", via, got, tt.field)
				}
			}
		})
	}
	good := `{"kind":"login_required","item_id":"` + l.item + `"}`
	for _, c := range []struct {
		body    string
		headers map[string]string
		status  int
	}{{good, map[string]string{"Origin": "https://evil.example"}, 403}, {`{"kind":"gone","colour":1}`, nil, 400}, {`[]`, nil, 400}, {`{"after":"soon"}`, nil, 400}} {
		if status, out := l.send("/simulator/events", c.body, c.headers); status != c.status || len(out["kinds"].([]any)) != len(plaidsim.EventKinds()) {
			t.Errorf("%s: status %d, %v", c.body, status, out)
		}
	}
	l.call("/auth/get")
}

// A store that cannot save makes an event fail loudly.
func TestEventIsSaved(t *testing.T) {
	t.Parallel()
	store := &memory{}
	l, _ := linkedItem(t, store, "ins_109508", "user_good")
	store.mu.Lock()
	store.err = errors.New("disk full")
	store.mu.Unlock()
	if status, _ := l.send("/simulator/events", `{"kind":"gone","item_id":"`+l.item+`"}`, nil); status != http.StatusInternalServerError {
		t.Errorf("status %d", status)
	}
	store.mu.Lock()
	store.err = nil
	store.mu.Unlock()
}
