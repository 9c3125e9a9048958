package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
)

// clock is one that a test turns.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

type hookBench struct {
	*testing.T
	b    *banktest.Bank
	time *clock
	conn connection.Connection
}

func newHookBench(t *testing.T) hookBench {
	c := &clock{}
	b := banktest.Start(t, banktest.Clock(c.now), banktest.With(func(c *config.Config) { c.WebhookListen = "127.0.0.1:0" }))
	return hookBench{t, b, c, b.Link("e1")}
}

// body is a webhook that bankd believes without asking Plaid: nothing else tells of new accounts.
func (h hookBench) body(more string) []byte {
	return fmt.Appendf(nil, `{"webhook_type":"ITEM","webhook_code":"NEW_ACCOUNTS_AVAILABLE","item_id":%q,"environment":"sandbox","error":null%s}`, h.conn.ItemID, more)
}

func (h hookBench) sign(body []byte) string {
	h.Helper()
	signed, err := h.b.Daemon.Simulator().SignWebhook(body)
	if err != nil {
		h.Fatal(err)
	}
	return signed
}

func (h hookBench) send(method, signed string, body []byte) int {
	h.Helper()
	req, err := http.NewRequest(method, "http://"+h.b.Daemon.WebhookAddress()+"/plaid", bytes.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	if signed != "" {
		req.Header.Set("Plaid-Verification", signed)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// digested waits until bankd has looked at every webhook that was sent before. A webhook about accounts makes it read them
// after all that was told; a look may be under way when the first one comes, but not when the second does.
func (h hookBench) digested() {
	h.Helper()
	for n := range 2 {
		body := fmt.Appendf(nil, `{"webhook_type":"AUTH","webhook_code":"DEFAULT_UPDATE","item_id":%q,"environment":"sandbox","n":%d}`, h.conn.ItemID, n)
		sent := h.time.now()
		if got := h.send("POST", h.sign(body), body); got != 200 {
			h.Fatalf("a webhook about accounts: %d", got)
		}
		if !banktest.Eventually(func() bool {
			conn, err := h.b.Client.GetConnection(h.Context(), h.conn.ID)
			return err == nil && conn.SyncedAt != nil && conn.SyncedAt.After(sent)
		}) {
			h.Fatal("the accounts are not read")
		}
	}
}

// noticed reports whether the webhook's word was taken.
func (h hookBench) noticed() bool {
	conn, err := h.b.Client.GetConnection(h.Context(), h.conn.ID)
	if err != nil {
		h.Fatal(err)
	}
	return len(conn.Notices) > 0
}

// forge signs as anybody can: with a key or a secret of their own.
func forge(t *testing.T, method jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func claimsFor(body []byte, at time.Time) jwt.MapClaims {
	sum := sha256.Sum256(body)
	return jwt.MapClaims{"iat": at.Unix(), "request_body_sha256": hex.EncodeToString(sum[:])}
}

// A forged, altered, stale or shortened webhook, or one of another environment, is refused and changes nothing. One that
// is sent again, comes late or is about somebody else's Item is harmless.
func TestWebhooksRefused(t *testing.T) {
	t.Parallel()
	h := newHookBench(t)
	body := h.body("")
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid := func(signed string) string {
		token, _, err := jwt.NewParser().ParseUnverified(signed, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		return token.Header["kid"].(string)
	}
	real := kid(h.sign(body))
	elsewhere := bytes.Replace(body, []byte("sandbox"), []byte("production"), 1)
	stale := h.sign(body)
	h.time.turn(6 * time.Minute)
	early := h.sign(body)
	h.time.turn(-6 * time.Minute)
	notYet := early
	noHook := []byte(`{"hello":"world"}`)
	notJSON := []byte(`webhook_type=ITEM`)
	large := append(h.body(`,"pad":"`), append(bytes.Repeat([]byte("x"), 300<<10), []byte(`"}`)...)...)
	parts := strings.Split(h.sign(body), ".")
	for _, c := range []struct {
		name   string
		signed string
		body   []byte
		want   int
	}{
		{"no signature", "", body, 401},
		{"no algorithm", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, real, claimsFor(body, time.Now())), body, 401},
		{"a shared secret", forge(t, jwt.SigningMethodHS256, []byte(real), real, claimsFor(body, time.Now())), body, 401},
		{"another key under the right id", forge(t, jwt.SigningMethodES256, own, real, claimsFor(body, time.Now())), body, 401},
		{"another key under its own id", forge(t, jwt.SigningMethodES256, own, "00000000-0000-0000-0000-000000000000", claimsFor(body, time.Now())), body, 401},
		{"no key id", forge(t, jwt.SigningMethodES256, own, "", claimsFor(body, time.Now())), body, 401},
		{"another body", h.sign(body), h.body(`,"x":1`), 401},
		{"a body cut short", h.sign(body), body[:len(body)-1], 401},
		{"a signature cut short", strings.Join([]string{parts[0], parts[1], parts[2][:40]}, "."), body, 401},
		{"another signature", strings.Join([]string{parts[0], parts[1], strings.Split(h.sign(elsewhere), ".")[2]}, "."), body, 401},
		{"other claims", strings.Join([]string{parts[0], strings.Split(h.sign(elsewhere), ".")[1], parts[2]}, "."), elsewhere, 401},
		{"signed in the future", notYet, body, 401},
		{"another environment", h.sign(elsewhere), elsewhere, 401},
		{"no webhook", h.sign(noHook), noHook, 401},
		{"no JSON", h.sign(notJSON), notJSON, 401},
		{"too large", h.sign(large), large, 413},
		{"a signature too large", strings.Repeat("a.", 5000), body, 401},
	} {
		if got := h.send("POST", c.signed, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := h.send("GET", h.sign(body), nil); got != 405 {
		t.Errorf("GET: %d", got)
	}
	h.time.turn(6 * time.Minute)
	if got := h.send("POST", stale, body); got != 401 {
		t.Errorf("stale: %d", got)
	}
	// A webhook signed by a retired key is refused.
	old := h.sign(body)
	if err := h.b.Daemon.Simulator().RotateWebhookKey(); err != nil {
		t.Fatal(err)
	}
	h.time.turn(25 * time.Hour) // bankd keeps a key for a day
	token, _, err := jwt.NewParser().ParseUnverified(old, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.send("POST", old, body); got != 401 {
		t.Errorf("signed by %v, which is retired: %d", token.Header["kid"], got)
	}
	unknown := bytes.Replace(body, []byte(h.conn.ItemID), []byte("nobodys-item"), 1)
	if got := h.send("POST", h.sign(unknown), unknown); got != 200 {
		t.Errorf("somebody else's Item: %d", got)
	}
	h.digested()
	if h.noticed() {
		t.Fatal("one of them was believed")
	}
	// The same webhook, as it should be, is believed; and again, it changes nothing.
	fresh := h.sign(body)
	if got := h.send("POST", fresh, body); got != 200 {
		t.Fatalf("a real one: %d", got)
	}
	if !banktest.Eventually(h.noticed) {
		t.Fatal("a real one was not believed")
	}
	h.mend()
	if got := h.send("POST", fresh, body); got != 200 {
		t.Errorf("again: %d", got)
	}
	// Signed before the user chose accounts anew and arriving after, it is out of date.
	h.digested()
	if h.noticed() {
		t.Error("what came late was believed")
	}
}

// mend goes through update mode, where accounts are chosen anew.
func (h hookBench) mend() {
	h.Helper()
	link, err := h.b.Client.UpdateLink(h.Context(), connection.UpdateLinkParams{UserID: "u", ItemID: h.conn.ItemID, Accounts: true, HostedLink: true})
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.b.Client.CompleteSession(h.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		h.Fatal(err)
	}
	if !banktest.Eventually(func() bool { return !h.noticed() }) {
		h.Fatal("it is not mended")
	}
}

// A late webhook that another one overtook: the newer state stands, for it is asked of Plaid.
func TestWebhooksOutOfOrder(t *testing.T) {
	t.Parallel()
	h := newHookBench(t)
	bodies := map[string][]byte{}
	for _, code := range []string{"ERROR", "LOGIN_REPAIRED"} {
		raw, err := json.Marshal(map[string]any{"webhook_type": "ITEM", "webhook_code": code, "item_id": h.conn.ItemID, "environment": "sandbox"})
		if err != nil {
			t.Fatal(err)
		}
		bodies[code] = raw
	}
	for _, code := range []string{"LOGIN_REPAIRED", "ERROR", "ERROR", "LOGIN_REPAIRED"} {
		if got := h.send("POST", h.sign(bodies[code]), bodies[code]); got != 200 {
			t.Fatalf("%s: %d", code, got)
		}
	}
	h.digested()
	conn, err := h.b.Client.GetConnection(t.Context(), h.conn.ID)
	if err != nil || conn.Status != connection.Active {
		t.Errorf("%s, %+v, %v: an error that Plaid does not know of was believed", conn.Status, conn.Error, err)
	}
}

// Forged keys do not turn into calls to Plaid without end, and a real webhook comes through all the same.
func TestForgedKeysAreRationed(t *testing.T) {
	t.Parallel()
	h := newHookBench(t)
	body := h.body("")
	h.send("POST", h.sign(body), body) // the real key is known now
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	before, began := h.b.Daemon.Simulator().Counts()["/webhook_verification_key/get"], time.Now()
	for i := range 200 {
		h.send("POST", forge(t, jwt.SigningMethodES256, own, fmt.Sprintf("forged-%d", i), claimsFor(body, time.Now())), body)
	}
	if n := h.b.Daemon.Simulator().Counts()["/webhook_verification_key/get"] - before; n > 11+int(time.Since(began)/time.Second) {
		t.Errorf("%d calls to Plaid for forged keys in %s, want ten at once and one a second", n, time.Since(began))
	}
	more := h.body(`,"n":2`)
	if got := h.send("POST", h.sign(more), more); got != 200 {
		t.Errorf("a real one: %d", got)
	}
}

// A22 of the audit: a flood of forged key ids about nothing here neither starves Plaid's own new key nor fills the log.
func TestRowA22(t *testing.T) {
	t.Parallel()
	h := newHookBench(t)
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := bytes.ReplaceAll(h.body(""), []byte(h.conn.ItemID), []byte("some-other-item"))
	flood := func() {
		for i := range 100 {
			h.send("POST", forge(t, jwt.SigningMethodES256, own, fmt.Sprintf("forged-%d-%d", i, time.Now().UnixNano()), claimsFor(elsewhere, time.Now())), elsewhere)
		}
	}
	flood()
	for n := range 3 { // keys that are new to us, each in the middle of the flood
		if err := h.b.Daemon.Simulator().RotateWebhookKey(); err != nil {
			t.Fatal(err)
		}
		body := h.body(fmt.Sprintf(`,"n":%d`, n))
		if got := h.send("POST", h.sign(body), body); got != 200 {
			t.Errorf("a real one with a new key: %d", got)
		}
		flood()
	}
	if n := strings.Count(h.b.Log(), "webhooks refused"); n > 2 {
		t.Errorf("%d lines about forged webhooks", n)
	}
}

// A22: nor does a flood about an Item of the forger's own, which bankd holds.
func TestFloodAboutTheForgersItem(t *testing.T) {
	t.Parallel()
	h := newHookBench(t)
	forgers := h.b.Link("forger")
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	theirs := bytes.ReplaceAll(h.body(""), []byte(h.conn.ItemID), []byte(forgers.ItemID))
	before := h.b.Daemon.Simulator().Counts()["/webhook_verification_key/get"]
	for i := range 100 {
		h.send("POST", forge(t, jwt.SigningMethodES256, own, fmt.Sprintf("forged-%d", i), claimsFor(theirs, time.Now())), theirs)
	}
	if n := h.b.Daemon.Simulator().Counts()["/webhook_verification_key/get"] - before; n > 4 {
		t.Errorf("%d calls to Plaid for one Item's forged keys", n)
	}
	for n := range 2 {
		if err := h.b.Daemon.Simulator().RotateWebhookKey(); err != nil {
			t.Fatal(err)
		}
		body := h.body(fmt.Sprintf(`,"n":%d`, n))
		if got := h.send("POST", h.sign(body), body); got != 200 {
			t.Errorf("a real one with a new key: %d", got)
		}
	}
}
