package plaidsim_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
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

// TestNothingToldIsLost copies the store after every reply, as a kill right
// after the reply would leave it, and goes on from the copy.
func TestNothingToldIsLost(t *testing.T) {
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
	for deadline := time.Now().Add(10 * time.Second); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestFileStore(t *testing.T) {
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
	for _, raw := range []string{`{"Version":99}`, `{`} {
		if _, err := plaidsim.New(t.Context(), plaidsim.Options{Store: &memory{b: []byte(raw)}}); err == nil {
			t.Errorf("state %s is accepted", raw)
		}
	}
}

// TestSeedDecides plays one script with equal and with other seeds.
func TestSeedDecides(t *testing.T) {
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

func TestRateLimits(t *testing.T) {
	tests := []struct {
		limits plaidsim.Limits
		path   string
		n      int
		code   string
	}{
		{plaidsim.LimitsSandbox, "/accounts/get", 100, "ACCOUNTS_LIMIT"},
		{plaidsim.LimitsSandbox, "/accounts/balance/get", 25, "BALANCE_LIMIT"},
		{plaidsim.LimitsSandbox, "/auth/get", 100, "AUTH_LIMIT"},
		{plaidsim.LimitsSandbox, "/identity/get", 100, "IDENTITY_LIMIT"},
		{plaidsim.LimitsSandbox, "/item/get", 40, "ITEM_GET_LIMIT"},
		{plaidsim.LimitsSandbox, "/transactions/sync", 50, "TRANSACTIONS_SYNC_LIMIT"},
		{plaidsim.LimitsSandbox, "/transactions/refresh", 2, "TRANSACTIONS_REFRESH_LIMIT"},
		{plaidsim.LimitsProduction, "/accounts/balance/get", 5, "BALANCE_LIMIT"},
		{plaidsim.LimitsProduction, "/auth/get", 15, "AUTH_LIMIT"},
		{plaidsim.LimitsProduction, "/identity/get", 15, "IDENTITY_LIMIT"},
	}
	for _, tt := range tests {
		t.Run(string(tt.limits)+strings.ReplaceAll(tt.path, "/", "-"), func(t *testing.T) {
			s := start(t, plaidsim.Options{Limits: tt.limits})
			access, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
			for range tt.n {
				s.ok(tt.path, object{"access_token": access})
			}
			s.refused(tt.path, object{"access_token": access}, 429, tt.code)
			other, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
			s.ok(tt.path, object{"access_token": other})
			s.clock.add(time.Minute)
			s.ok(tt.path, object{"access_token": access})
		})
	}
	t.Run("client", func(t *testing.T) {
		s := start(t, plaidsim.Options{Limits: plaidsim.LimitsSandbox})
		body := object{"count": 1, "offset": 0, "country_codes": []string{"US"}}
		for range 10 {
			s.ok("/institutions/get", body)
		}
		s.refused("/institutions/get", body, 429, "INSTITUTIONS_GET_LIMIT")
	})
}

func TestSwitches(t *testing.T) {
	t.Run("syncNotReady", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{SyncNotReadyError: true}})
		access, _ := s.item("ins_109508", "user_good", "transactions")
		s.refused("/transactions/sync", object{"access_token": access}, 400, "PRODUCT_NOT_READY")
	})
	t.Run("closeAbandoned", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{CloseAbandoned: true, LegacyOnSuccess: true}})
		token, hosted := s.link(nil)
		open(t, hosted).want("CONSENT")
		s.clock.add(time.Hour)
		if ss := s.session(token, 0); ss["finished_at"] == nil || ss["exit"] == nil || ss["on_exit"] == nil {
			t.Error("an abandoned session is still open")
		}
	})
	t.Run("missingProducts", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{MissingProductsInvalid: true}})
		s.refused("/link/token/create", object{"client_name": "x", "language": "en", "country_codes": []string{"US"}, "user": object{"client_user_id": "e"}}, 400, "INVALID_FIELD")
	})
	t.Run("fieldsFirst", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{FieldsFirst: true}})
		_, out := s.send("/item/get", `{"client_id":"c","secret":""}`, map[string]string{"Content-Type": "application/json"})
		if out["error_code"] != "MISSING_FIELDS" {
			t.Errorf("code is %v", out["error_code"])
		}
	})
	t.Run("reExchange", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{ReExchange: true}})
		public := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})["public_token"]
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		if again := s.ok("/item/public_token/exchange", object{"public_token": public}); again["access_token"] != first["access_token"] {
			t.Error("a second exchange gives another token")
		}
	})
	t.Run("keepSessions", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{KeepSessions: true}})
		token, hosted := s.link(nil)
		open(t, hosted).post("exit", "1").want("EXIT")
		s.clock.add(10 * time.Hour)
		s.session(token, 0)
	})
	t.Run("onSuccess", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{LegacyOnSuccess: true}})
		token, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		ss := s.session(token, 0)
		if at(ss, "on_success", "public_token") != at(ss, "results", "item_add_results", 0, "public_token") {
			t.Error("on_success and results differ")
		}
	})
	t.Run("production", func(t *testing.T) {
		s := start(t, plaidsim.Options{Limits: plaidsim.LimitsProduction, Switches: plaidsim.Switches{Production: true}})
		s.refused("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}}, 400, "SANDBOX_ONLY")
		_, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		if again := open(t, hosted); again.name != "ERROR" || again.status != http.StatusGone {
			t.Error("a production link token is good twice")
		}
	})
}

func TestFaults(t *testing.T) {
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "auth")
	call := func(path string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(`{"client_id":"client-a","secret":"s","access_token":"`+access+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		return (&http.Client{Timeout: 5 * time.Second}).Do(req)
	}
	set := func(text string) {
		t.Helper()
		faults, err := plaidsim.ParseFaults(text)
		if err != nil {
			t.Fatal(err)
		}
		s.server.SetFaults(faults)
	}
	for text, want := range map[string]int{"/auth/get:500:1": 500, "/auth/get:429:1": 429, "*:html502:1": 502, "/auth/*:slow:1ms": 200} {
		set(text)
		resp, err := call("/auth/get")
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: status %d", text, resp.StatusCode)
		}
		if strings.Contains(text, "429") && !strings.Contains(string(raw), "AUTH_LIMIT") {
			t.Errorf("%s: body %s", text, raw)
		}
		if strings.HasSuffix(text, ":1") {
			resp, err := call("/auth/get")
			if err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: the fault outlives its count", text)
			}
			resp.Body.Close()
		}
	}
	for _, text := range []string{"/auth/get:reset:1", "/auth/get:lost:1", "/auth/get:hang:1ms"} {
		set(text)
		if resp, err := call("/auth/get"); err == nil {
			resp.Body.Close()
			t.Errorf("%s: a reply came", text)
		}
	}
	set("/auth/get:500:1m")
	s.clock.add(2 * time.Minute)
	if resp, err := call("/auth/get"); err != nil || resp.StatusCode != 200 {
		t.Error("a fault outlives its duration")
	} else {
		resp.Body.Close()
	}
}

func TestLostReplyHasItsEffect(t *testing.T) {
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "auth")
	s.server.SetFaults([]plaidsim.Fault{{Route: "/item/remove", Kind: "lost", Count: 1}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/item/remove", strings.NewReader(`{"client_id":"client-a","secret":"s","access_token":"`+access+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("a lost reply came")
	}
	s.refused("/item/get", object{"access_token": access}, 400, "ITEM_NOT_FOUND")
}

func TestParse(t *testing.T) {
	faults, err := plaidsim.ParseFaults("/auth/get:500:3, *:slow:2s,/item/get:reset")
	want := []plaidsim.Fault{{Route: "/auth/get", Kind: "500", Count: 3}, {Route: "*", Kind: "slow", For: 2 * time.Second}, {Route: "/item/get", Kind: "reset"}}
	if diff := cmp.Diff(want, faults); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, text := range []string{"x", "auth:500", "/a:nope", "/a:500:0", "/a:500:x", "/a:500:1:2"} {
		if _, err := plaidsim.ParseFaults(text); err == nil {
			t.Errorf("fault %q is accepted", text)
		}
	}
	ready, err := plaidsim.ParseReady("initial=10s,history=60s")
	if err != nil || ready != (plaidsim.Ready{Initial: 10 * time.Second, History: time.Minute}) {
		t.Error(ready, err)
	}
	for _, text := range []string{"initial", "initial=x", "later=1s", "initial=5s,history=1s"} {
		if _, err := plaidsim.ParseReady(text); err == nil {
			t.Errorf("ready %q is accepted", text)
		}
	}
	for text, want := range map[string]plaidsim.Limits{"": "sandbox", "off": "off", "production": "production"} {
		if got, err := plaidsim.ParseLimits(text); err != nil || got != want {
			t.Errorf("limits %q: %v %v", text, got, err)
		}
	}
	if _, err := plaidsim.ParseLimits("none"); err == nil {
		t.Error("limits none are accepted")
	}
}
