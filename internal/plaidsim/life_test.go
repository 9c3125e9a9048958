package plaidsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

// memory is a Store that counts its saves and can refuse them.
type memory struct {
	mu    sync.Mutex
	b     []byte
	saves int
	err   error
}

func (m *memory) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.b, nil
}

func (m *memory) Save(_ context.Context, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.b, m.saves = bytes.Clone(b), m.saves+1
	return nil
}

func (m *memory) snapshot() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{b: bytes.Clone(m.b)}
}

// TestNothingToldIsLost copies the store after every reply, as a kill at that moment would leave it, and continues from
// the copy.
func TestNothingToldIsLost(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Seed: 3, Store: store})
	token, hosted := s.link(nil)
	crash := func() {
		t.Helper()
		store = store.snapshot()
		old := s
		s = start(t, plaidsim.Options{Seed: 3, Store: store, Clock: old.clock.now})
		s.clock = old.clock
	}
	follow := func(p *pane) *pane {
		return open(t, s.url+p.url[strings.Index(p.url, "/hl/"):])
	}
	crash()
	p := open(t, s.url+hosted[strings.Index(hosted, "/hl/"):]).want("CONSENT")
	for _, fields := range [][]string{{"continue", "1"}, {"institution_id", "ins_109508"}, {"username", "user_good", "password", "mfa_device"},
		{"mfa_device", "Text message to xxx-xxx-5309"}, {"mfa_code", "1234"}} {
		p = p.post(fields...)
		crash()
		p = follow(p)
	}
	p.want("SELECT_ACCOUNT").post("account_ids", p.account("0000")).want("CONNECTED")
	crash()
	ss := s.session(token, 0)
	public := at(ss, "results", "item_add_results", 0, "public_token")
	access, item := s.exchange(ss)
	crash()
	s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
	if got := at(s.ok("/item/get", object{"access_token": access}), "item", "item_id"); got != item {
		t.Error("the Item is another after a restart")
	}
	fresh := s.ok("/item/access_token/invalidate", object{"access_token": access})["new_access_token"]
	crash()
	s.refused("/item/get", object{"access_token": access}, 400, "INVALID_ACCESS_TOKEN")
	s.ok("/item/remove", object{"access_token": fresh})
	crash()
	s.refused("/item/get", object{"access_token": fresh}, 400, "ITEM_NOT_FOUND")
	if n := s.server.Counts()["items"]; n != 0 {
		t.Errorf("%d items are left", n)
	}
}

func TestSaveFailureIsNotTold(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	store.mu.Lock()
	store.err = errors.New("disk full")
	store.mu.Unlock()
	s.refused("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}}, 500, "INTERNAL_SERVER_ERROR")
	store.mu.Lock()
	store.err = nil
	store.mu.Unlock()
}

func TestReadsDoNotSave(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	access, _ := s.item("ins_109508", "user_good", "auth", "transactions")
	s.clock.add(5 * time.Second)
	s.ok("/auth/get", object{"access_token": access})
	s.drain(access, "", 500)
	eventually(t, "the note of the first sync is saved", func() bool { return bytes.Contains(store.snapshot().b, []byte(`"Synced":true`)) })
	store.mu.Lock()
	before := store.saves
	store.mu.Unlock()
	for range 20 {
		s.drain(access, "", 10)
		s.ok("/item/get", object{"access_token": access})
	}
	store.mu.Lock()
	defer store.mu.Unlock()
	if store.saves != before {
		t.Errorf("%d saves by reads", store.saves-before)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestFileStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	store := plaidsim.FileStore{Path: path}
	s := start(t, plaidsim.Options{Store: store})
	access, _ := s.item("ins_109508", "user_good", "auth")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, error %v", info.Mode(), err)
	}
	again := start(t, plaidsim.Options{Store: store, Clock: s.clock.now})
	again.ok("/item/get", object{"access_token": access})
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, error %v", len(entries), err)
	}
}

func TestStateOfAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"Version":99}`, `{`} {
		if _, err := plaidsim.New(t.Context(), plaidsim.Options{Store: &memory{b: []byte(raw)}}); err == nil {
			t.Errorf("state %s is accepted", raw)
		}
	}
}

// TestSeedDecides plays one script twice with the same seed and once with another.
func TestSeedDecides(t *testing.T) {
	t.Parallel()
	play := func(seed int64) []any {
		s := start(t, plaidsim.Options{Seed: seed})
		token, hosted := s.link(object{"products": []string{"auth", "transactions"}})
		p := s.signIn(hosted, "ins_127287").post("continue", "1").post("username", "user_good", "password", "pass_good", "allow", "1")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		ss := s.session(token, 0)
		access, item := s.exchange(ss)
		s.clock.add(5 * time.Second)
		auth := s.ok("/auth/get", object{"access_token": access})
		rows, _, _, _ := s.drain(access, "", 500)
		return []any{token, access, item, at(ss, "link_session_id"), at(auth, "numbers", "ach"), rows, auth["request_id"]}
	}
	first := play(42)
	if diff := cmp.Diff(first, play(42)); diff != "" {
		t.Error(diff)
	}
	other := play(43)
	for i, v := range first[:4] {
		if v == other[i] {
			t.Errorf("value %d does not depend on the seed", i)
		}
	}
}

func TestRestartNeverRepeatsAnID(t *testing.T) {
	t.Parallel()
	store := &memory{}
	seen := map[string]bool{}
	for range 3 {
		s := start(t, plaidsim.Options{Seed: 7, Store: store})
		for range 5 {
			access, item := s.item("ins_109508", "user_good", "auth")
			if seen[access] || seen[item] {
				t.Fatal("an id came twice")
			}
			seen[access], seen[item] = true, true
		}
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	public := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})["public_token"]
	s.clock.add(30*time.Minute + time.Second)
	s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
	access, _ := s.item("ins_109508", "user_good", "auth")

	tests := []struct {
		name  string
		extra object
		life  time.Duration
	}{
		{"hosted", nil, 30 * time.Minute},
		{"hostedSet", object{"hosted_link": object{"url_lifetime_seconds": 120}}, 2 * time.Minute},
		{"hostedSMS", object{"hosted_link": object{"delivery_method": "sms"}}, 24 * time.Hour},
		{"hostedEmail", object{"hosted_link": object{"delivery_method": "email"}}, 7 * 24 * time.Hour},
		{"plain", object{"hosted_link": nil}, 4 * time.Hour},
		{"update", object{"hosted_link": nil, "products": nil, "access_token": access}, 30 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := s.with(t)
			body := object{"client_name": "Bank Control", "language": "en", "country_codes": []string{"US"}, "products": []string{"auth"},
				"user": object{"client_user_id": "e"}, "hosted_link": object{}}
			for k, v := range tt.extra {
				body[k] = v
				if v == nil {
					delete(body, k)
				}
			}
			got := s.ok("/link/token/create", body)
			expires, err := time.Parse(time.RFC3339, got["expiration"].(string))
			if err != nil {
				t.Fatal(err)
			}
			if life := expires.Sub(s.clock.now()); life != tt.life {
				t.Errorf("lives %s, want %s", life, tt.life)
			}
			if _, hosted := got["hosted_link_url"]; hosted != strings.HasPrefix(tt.name, "hosted") {
				t.Errorf("hosted_link_url present: %v", hosted)
			}
		})
	}
	s.clock.add(31 * 24 * time.Hour)
	s.refused("/auth/get", object{"access_token": access}, 400, "ITEM_LOGIN_REQUIRED")
}

// TestOlderState loads a state of an older version, and goes on.
func TestOlderState(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"user_good", "user_transactions_dynamic", "user_bulk_300"} {
		store := &memory{}
		l, _ := linkedItem(t, store, "ins_109508", user)
		all, _, _, cursor := l.drain(l.access, "", 500)
		var st object
		if err := json.Unmarshal(store.snapshot().b, &st); err != nil {
			t.Fatal(err)
		}
		delete(at(st, "Items", l.item, "Txns").(object), "Shared")
		delete(at(st, "Items", l.item).(object), "Verification")
		raw, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		old := l.restarted(&memory{b: raw})
		if diff := cmp.Diff(len(all), len(old.fresh())); diff != "" {
			t.Errorf("%s: %s", user, diff)
		}
		for _, e := range []plaidsim.Event{{Kind: "account_closed", Mask: "1111"}, {Kind: "verification", Mask: "0000", Status: "verification_expired"}, {Kind: "txn_removed_late"}} {
			e.Item = l.item
			if err := old.server.ApplyEvent(e); err != nil {
				t.Fatal(err)
			}
		}
		mine := &replica{rows: map[string]object{}, cursor: cursor}
		for _, row := range all {
			mine.rows[row["transaction_id"].(string)] = row
		}
		mine.sync(old, 50)
		if diff := cmp.Diff(old.fresh(), mine.shown(old)); diff != "" {
			t.Errorf("%s: %s", user, diff)
		}
	}
}
