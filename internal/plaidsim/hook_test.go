package plaidsim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/golang-jwt/jwt/v5"
)

type delivery struct {
	raw   []byte
	token string
}

// receiver is a webhook endpoint. It answers with the statuses in turn, then always with 200.
func receiver(t *testing.T, statuses ...int) (string, chan delivery) {
	t.Helper()
	got := make(chan delivery, 10_000) // more than any test sends, so that the receiver never blocks
	var n atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- delivery{raw, r.Header.Get("Plaid-Verification")}
		if i := int(n.Add(1)) - 1; i < len(statuses) {
			w.WriteHeader(statuses[i])
		}
	}))
	t.Cleanup(web.Close)
	return web.URL, got
}

func next(t *testing.T, from chan delivery) (delivery, object) {
	t.Helper()
	select {
	case d := <-from:
		var body object
		if err := json.Unmarshal(d.raw, &body); err != nil {
			t.Fatal(err)
		}
		return d, body
	case <-time.After(time.Minute):
		t.Fatal("no webhook came")
	}
	return delivery{}, nil
}

// hookSchemas names the schema of a webhook in Plaid's document.
var hookSchemas = map[string]string{
	"ITEM/ERROR": "ItemErrorWebhook", "ITEM/LOGIN_REPAIRED": "ItemLoginRepairedWebhook", "ITEM/NEW_ACCOUNTS_AVAILABLE": "NewAccountsAvailableWebhook",
	"ITEM/PENDING_DISCONNECT": "PendingDisconnectWebhook", "ITEM/PENDING_EXPIRATION": "PendingExpirationWebhook",
	"ITEM/USER_PERMISSION_REVOKED": "UserPermissionRevokedWebhook", "ITEM/USER_ACCOUNT_REVOKED": "UserAccountRevokedWebhook",
	"ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED": "WebhookUpdateAcknowledgedWebhook",
	"AUTH/AUTOMATICALLY_VERIFIED":      "AutomaticallyVerifiedWebhook", "AUTH/VERIFICATION_EXPIRED": "VerificationExpiredWebhook",
	"AUTH/SMS_MICRODEPOSITS_VERIFICATION": "HostedMMDVerificationWebhook", "AUTH/DEFAULT_UPDATE": "AuthDefaultUpdateWebhook",
	"TRANSACTIONS/SYNC_UPDATES_AVAILABLE": "SyncUpdatesAvailableWebhook", "TRANSACTIONS/INITIAL_UPDATE": "InitialUpdateWebhook",
	"TRANSACTIONS/HISTORICAL_UPDATE": "HistoricalUpdateWebhook", "TRANSACTIONS/DEFAULT_UPDATE": "DefaultUpdateWebhook",
	"TRANSACTIONS/TRANSACTIONS_REMOVED": "TransactionsRemovedWebhook", "TRANSACTIONS/RECURRING_TRANSACTIONS_UPDATE": "RecurringTransactionsUpdateWebhook",
	"LINK/ITEM_ADD_RESULT": "ItemAddResultWebhook", "LINK/SESSION_FINISHED": "LinkSessionFinishedWebhook", "LINK/EVENTS": "LinkEventsWebhook",
}

// fits checks a webhook against Plaid's document.
func fits(t *testing.T, body object) {
	t.Helper()
	doc, err := plaidspec.Spec()
	if err != nil {
		t.Fatal(err)
	}
	kind := body["webhook_type"].(string) + "/" + body["webhook_code"].(string)
	schema := doc.Components.Schemas[hookSchemas[kind]]
	if schema == nil {
		t.Fatalf("%s has no schema", kind)
	}
	if body = maps.Clone(body); body["reason"] == "INSTITUTION_TOKEN_EXPIRATION" {
		body["reason"] = "INSTITUTION_MIGRATION" // the other reason is newer than the document
	}
	if err := schema.Value.VisitJSON(body, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s: %v", kind, err)
	}
}

// collect waits for webhooks with the codes, in any order, and returns them by code.
func (s *sim) collect(from chan delivery, codes ...string) map[string]object {
	s.t.Helper()
	out := map[string]object{}
	for range codes {
		d, body := next(s.t, from)
		s.verify(d)
		fits(s.t, body)
		code := body["webhook_code"].(string)
		if !slices.Contains(codes, code) || out[code] != nil {
			s.t.Fatalf("webhook %s came, want each of %v once", code, codes)
		}
		out[code] = body
	}
	return out
}

// verify checks a webhook as Plaid's documentation asks of a receiver.
func (s *sim) verify(d delivery) {
	s.t.Helper()
	unverified, _, err := jwt.NewParser().ParseUnverified(d.token, jwt.MapClaims{})
	if err != nil {
		s.t.Fatal(err)
	}
	key := s.ok("/webhook_verification_key/get", object{"key_id": unverified.Header["kid"]})["key"].(object)
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		raw, err := base64.RawURLEncoding.DecodeString(key[name].(string))
		if err != nil {
			s.t.Fatal(err)
		}
		point = append(point, raw...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := jwt.Parse(d.token, func(*jwt.Token) (any, error) { return public, nil }, jwt.WithValidMethods([]string{"ES256"}), jwt.WithTimeFunc(s.clock.now))
	if err != nil {
		s.t.Fatal(err)
	}
	claims := token.Claims.(jwt.MapClaims)
	sum := sha256.Sum256(d.raw)
	if claims["request_body_sha256"] != hex.EncodeToString(sum[:]) {
		s.t.Error("the body's hash is wrong")
	}
	if iat := int64(claims["iat"].(float64)); s.clock.now().Unix()-iat > 300 {
		s.t.Error("the webhook is old")
	}
	if !strings.HasPrefix(string(d.raw), "{\n  \"") {
		s.t.Error("the body is not indented by two")
	}
}

func TestWebhooksOfAnItem(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: time.Second, History: 2 * time.Second}})
	target, got := receiver(t)
	made := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth", "transactions"},
		"options": object{"webhook": target, "override_username": "user_transactions_dynamic", "override_password": "x"}})
	access := s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"]
	expect := func(codes ...string) map[string]object {
		t.Helper()
		return s.collect(got, codes...)
	}
	s.clock.add(1500 * time.Millisecond)
	s.ok("/transactions/sync", object{"access_token": access})
	expect("INITIAL_UPDATE")
	s.clock.add(time.Second)
	if body := expect("HISTORICAL_UPDATE", "SYNC_UPDATES_AVAILABLE")["SYNC_UPDATES_AVAILABLE"]; body["historical_update_complete"] != true {
		t.Errorf("body is %v", body)
	}
	s.ok("/transactions/refresh", object{"access_token": access})
	expect("TRANSACTIONS_REMOVED", "DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE")
	s.ok("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_code": "NEW_ACCOUNTS_AVAILABLE"})
	expect("NEW_ACCOUNTS_AVAILABLE")
	s.refused("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_type": "LIABILITIES", "webhook_code": "DEFAULT_UPDATE"}, 400, "SANDBOX_PRODUCT_NOT_ENABLED")
	s.ok("/sandbox/item/reset_login", object{"access_token": access})
	if body := expect("ERROR")["ERROR"]; at(body, "error", "error_code") != "ITEM_LOGIN_REQUIRED" {
		t.Errorf("error is %v", body["error"])
	}
	s.ok("/item/webhook/update", object{"access_token": access, "webhook": target + "/new"})
	expect("WEBHOOK_UPDATE_ACKNOWLEDGED")
	if got := at(s.ok("/item/get", object{"access_token": access}), "status", "last_webhook", "code_sent"); got != "WEBHOOK_UPDATE_ACKNOWLEDGED" {
		t.Errorf("last webhook is %v", got)
	}
	for _, code := range []string{"PENDING_DISCONNECT", "USER_ACCOUNT_REVOKED", "RECURRING_TRANSACTIONS_UPDATE", "LOGIN_REPAIRED", "USER_PERMISSION_REVOKED"} {
		s.ok("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_code": code})
		expect(code)
	}
	s.refused("/auth/get", object{"access_token": access}, 400, "USER_PERMISSION_REVOKED")
}

func TestWebhooksOfALink(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	target, got := receiver(t, 500)
	token, hosted := s.link(object{"webhook": target})
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	want := at(s.session(token, 0), "results", "item_add_results", 0, "public_token")
	seen := map[string]int{}
	for range 4 { // the first is refused and sent again
		d, body := next(t, got)
		s.verify(d)
		fits(t, body)
		code := body["webhook_code"].(string)
		seen[code]++
		if body["link_token"] != token {
			t.Errorf("webhook %s is of %v", code, body["link_token"])
		}
		if code == "SESSION_FINISHED" && (body["status"] != "SUCCESS" || at(body, "public_tokens", 0) != want) {
			t.Errorf("session ended %v", body["status"])
		}
	}
	if len(seen) != 3 {
		t.Errorf("webhooks are %v", seen)
	}
	open(t, hosted).post("exit", "1").want("EXIT")
	if body := s.collect(got, "SESSION_FINISHED", "EVENTS")["SESSION_FINISHED"]; body["status"] != "EXITED" {
		t.Errorf("webhook is %v", body["status"])
	}
}

// A session left without an end is announced once, ten minutes later.
func TestWebhookOfAnAbandonedLink(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	target, got := receiver(t)
	_, hosted := s.link(object{"webhook": target, "hosted_link": object{"url_lifetime_seconds": 7200}})
	s.signIn(hosted, "ins_109508").want("CREDENTIAL")
	s.clock.add(11 * time.Minute)
	if body := s.collect(got, "EVENTS")["EVENTS"]; len(each(body["events"])) < 3 {
		t.Errorf("events are %v", body["events"])
	}
	s.clock.add(11 * time.Minute)
	open(t, hosted).post("exit", "1").want("EXIT")
	s.collect(got, "SESSION_FINISHED", "EVENTS")
	select {
	case d := <-got:
		t.Errorf("another webhook came: %s", d.raw)
	case <-time.After(300 * time.Millisecond):
	}
}

// A webhook that its receiver did not take is kept in the state, and sent after a restart.
func TestWebhooksSurviveARestart(t *testing.T) {
	t.Parallel()
	store := &memory{}
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	s := start(t, plaidsim.Options{Store: store})
	access := s.hooked(gone.URL, "auth")
	s.ok("/sandbox/item/reset_login", object{"access_token": access})
	eventually(t, "an attempt failed", func() bool { return strings.Contains(string(store.snapshot().b), `"Tries":`) })
	target, got := receiver(t)
	kept := store.snapshot()
	kept.b = []byte(strings.ReplaceAll(string(kept.b), gone.URL, target))
	again := start(t, plaidsim.Options{Store: kept, Clock: s.clock.now})
	again.clock = s.clock
	again.collect(got, "ERROR")
	eventually(t, "nothing waits", func() bool { return !strings.Contains(string(kept.snapshot().b), `"Hooks"`) })
}

func TestWebhookRetryEnds(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store, WebhookRetry: plaidsim.WebhookRetry{First: time.Millisecond, Factor: 2, Cap: 100 * time.Millisecond, For: 2 * time.Second}})
	target, got := receiver(t, slices.Repeat([]int{503}, 100)...)
	s.ok("/sandbox/item/reset_login", object{"access_token": s.hooked(target, "auth")})
	eventually(t, "it is given up", func() bool { return len(got) > 2 && !strings.Contains(string(store.snapshot().b), `"Hooks"`) })
}

func TestWebhookDuplicatesAndShuffle(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{WebhookDuplicate: 1, WebhookShuffle: 20 * time.Millisecond})
	target, got := receiver(t)
	access := s.hooked(target, "auth")
	codes := []string{"NEW_ACCOUNTS_AVAILABLE", "LOGIN_REPAIRED", "ERROR", "PENDING_DISCONNECT"}
	for _, code := range codes {
		s.ok("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_code": code})
	}
	seen := map[any]int{}
	for range 2 * len(codes) {
		_, body := next(t, got)
		seen[body["webhook_code"]]++
	}
	for _, code := range codes {
		if seen[code] != 2 {
			t.Errorf("%s came %d times", code, seen[code])
		}
	}
}

// One receiver that hangs does not hold up the others.
func TestWebhooksAreConcurrent(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	release := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer stuck.Close()
	defer close(release)
	target, got := receiver(t)
	s.ok("/sandbox/item/reset_login", object{"access_token": s.hooked(stuck.URL, "auth")})
	s.ok("/sandbox/item/reset_login", object{"access_token": s.hooked(target, "auth")})
	s.collect(got, "ERROR")
}

func TestWebhookKeyRotation(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	body := []byte("{\n  \"webhook_code\": \"ERROR\"\n}")
	sign := func() delivery {
		t.Helper()
		token, err := s.server.SignWebhook(body)
		if err != nil {
			t.Fatal(err)
		}
		s.verify(delivery{body, token})
		return delivery{body, token}
	}
	expiry := func(d delivery) any {
		t.Helper()
		token, _, err := jwt.NewParser().ParseUnverified(d.token, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		return at(s.ok("/webhook_verification_key/get", object{"key_id": token.Header["kid"]}), "key", "expired_at")
	}
	old := sign()
	if got := expiry(old); got != nil {
		t.Errorf("expired_at is %v", got)
	}
	if err := s.server.RotateWebhookKey(); err != nil {
		t.Fatal(err)
	}
	again := start(t, plaidsim.Options{Store: store.snapshot(), Clock: s.clock.now})
	again.clock, s = s.clock, again
	fresh := sign()
	s.verify(old)
	if expiry(old) != float64(s.clock.now().Unix()) || expiry(fresh) != nil {
		t.Errorf("expired_at is %v and %v", expiry(old), expiry(fresh))
	}
}

// hooked is an Item with a webhook.
func (s *sim) hooked(target string, products ...string) string {
	s.t.Helper()
	made := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": products, "options": object{"webhook": target}})
	return s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"].(string)
}

func TestWebhooksStayOnLoopback(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	target, got := receiver(t)
	far, near := s.hooked("http://192.0.2.1/hook", "auth"), s.hooked(target, "auth")
	s.ok("/sandbox/item/reset_login", object{"access_token": far})
	s.ok("/sandbox/item/reset_login", object{"access_token": near})
	if _, body := next(t, got); body["webhook_code"] != "ERROR" {
		t.Errorf("webhook is %v", body["webhook_code"])
	}
}

// A receiver that never answers fills the queue, and the queue stops growing.
func TestWebhookQueueIsBounded(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	store := &memory{}
	release := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer stuck.Close()
	defer close(release)
	s := start(t, plaidsim.Options{Store: store, WebhookDuplicate: 999, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	access := s.hooked(stuck.URL, "auth")
	for range 3 {
		s.ok("/sandbox/item/reset_login", object{"access_token": access})
	}
	if err := s.server.Close(); err != nil {
		t.Fatal(err)
	}
	var st struct{ Hooks []any }
	if err := json.Unmarshal(store.snapshot().b, &st); err != nil {
		t.Fatal(err)
	}
	if dropped := strings.Count(log.String(), "webhook dropped"); len(st.Hooks) != 2000 || dropped != 1000 {
		t.Errorf("%d wait, %d were dropped", len(st.Hooks), dropped)
	}
}
