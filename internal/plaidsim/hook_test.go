package plaidsim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/golang-jwt/jwt/v5"
)

type delivery struct {
	raw   []byte
	token string
}

// receiver is a webhook endpoint; it answers with the statuses in turn, then
// with 200.
func receiver(t *testing.T, statuses ...int) (string, chan delivery) {
	t.Helper()
	got := make(chan delivery, 100)
	n := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- delivery{raw, r.Header.Get("Plaid-Verification")}
		if n < len(statuses) {
			w.WriteHeader(statuses[n])
			n++
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
	case <-time.After(10 * time.Second):
		t.Fatal("no webhook came")
	}
	return delivery{}, nil
}

// verify does what plaid's documentation asks of a receiver.
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
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: time.Second, History: 2 * time.Second}})
	target, got := receiver(t)
	made := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth", "transactions"},
		"options": object{"webhook": target, "override_username": "user_transactions_dynamic", "override_password": "x"}})
	access := s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"]
	expect := func(codes ...string) object {
		t.Helper()
		var last object
		for _, code := range codes {
			d, body := next(t, got)
			if body["webhook_code"] != code || body["environment"] != "sandbox" {
				t.Fatalf("webhook is %v %v, want %s", body["webhook_type"], body["webhook_code"], code)
			}
			s.verify(d)
			last = body
		}
		return last
	}
	s.clock.add(1500 * time.Millisecond)
	s.ok("/transactions/sync", object{"access_token": access})
	expect("INITIAL_UPDATE")
	s.clock.add(time.Second)
	expect("HISTORICAL_UPDATE")
	if body := expect("SYNC_UPDATES_AVAILABLE"); body["historical_update_complete"] != true {
		t.Errorf("body is %v", body)
	}
	s.ok("/transactions/refresh", object{"access_token": access})
	expect("TRANSACTIONS_REMOVED", "DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE")
	s.ok("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_code": "NEW_ACCOUNTS_AVAILABLE"})
	expect("NEW_ACCOUNTS_AVAILABLE")
	s.refused("/sandbox/item/fire_webhook", object{"access_token": access, "webhook_type": "LIABILITIES", "webhook_code": "DEFAULT_UPDATE"}, 400, "SANDBOX_PRODUCT_NOT_ENABLED")
	s.ok("/sandbox/item/reset_login", object{"access_token": access})
	if body := expect("ERROR"); at(body, "error", "error_code") != "ITEM_LOGIN_REQUIRED" {
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
	s := start(t, plaidsim.Options{})
	target, got := receiver(t, 500)
	token, hosted := s.link(object{"webhook": target})
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	want := at(s.session(token, 0), "results", "item_add_results", 0, "public_token")
	for i, code := range []string{"ITEM_ADD_RESULT", "ITEM_ADD_RESULT", "SESSION_FINISHED", "EVENTS"} {
		d, body := next(t, got)
		s.verify(d)
		if body["webhook_code"] != code || body["link_token"] != token {
			t.Fatalf("webhook %d is %v, want %s", i, body["webhook_code"], code)
		}
		if code == "SESSION_FINISHED" && (body["status"] != "SUCCESS" || at(body, "public_tokens", 0) != want) {
			t.Errorf("session ended %v", body["status"])
		}
	}
	open(t, hosted).post("exit", "1").want("EXIT")
	if _, body := next(t, got); body["webhook_code"] != "SESSION_FINISHED" || body["status"] != "EXITED" {
		t.Errorf("webhook is %v %v", body["webhook_code"], body["status"])
	}
}

func TestWebhooksStayOnLoopback(t *testing.T) {
	s := start(t, plaidsim.Options{})
	target, got := receiver(t)
	access := func(hook string) any {
		made := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}, "options": object{"webhook": hook}})
		return s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"]
	}
	far, near := access("http://192.0.2.1/hook"), access(target)
	s.ok("/sandbox/item/reset_login", object{"access_token": far})
	s.ok("/sandbox/item/reset_login", object{"access_token": near})
	if _, body := next(t, got); body["webhook_code"] != "ERROR" {
		t.Errorf("webhook is %v", body["webhook_code"])
	}
}
