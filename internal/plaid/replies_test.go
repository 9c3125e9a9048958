package plaid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

// canned answers every call with one body.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(c)), Request: r,
	}, nil
}

// goodReply is a whole reply for one of the client's methods.
func goodReply(name string) map[string]any {
	text := func(s string) (v map[string]any) {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			panic(err)
		}
		return v
	}
	const (
		row = `{"transaction_id":"%s","account_id":"a1","amount":12.34,"iso_currency_code":"USD","unofficial_currency_code":null,"date":"2026-03-04","authorized_date":"2026-03-03",
			"datetime":"2026-03-04T01:02:03Z","name":"shop","merchant_name":"Shop","pending":false,"pending_transaction_id":null,"payment_channel":"online","check_number":null,
			"personal_finance_category":{"primary":"P","detailed":"D","confidence_level":"HIGH"},"category":["a"],"location":{"city":null},"counterparties":[{"name":"x"}]}`
		account = `{"account_id":"a%d","balances":{"available":1.5,"current":-2.25,"limit":null,"iso_currency_code":"USD","unofficial_currency_code":null,"last_updated_datetime":"2026-03-04T01:02:03Z"},
			"mask":"0000","name":"n","official_name":"o","type":"depository","subtype":"checking","verification_status":"verified","persistent_account_id":"p%[1]d","holder_category":"personal",
			"owners":[{"names":["A B","C"],"emails":[],"phone_numbers":[],"addresses":[]}],"legal_name":{"score":87,"is_nickname_match":true}}`
		item = `{"item_id":"i","institution_id":"ins_1","institution_name":"Bank","webhook":"","error":{"error_type":"ITEM_ERROR","error_code":"ITEM_LOGIN_REQUIRED","error_message":"m","display_message":null},
			"available_products":["balance"],"billed_products":["auth"],"products":["auth"],"consented_products":["auth"],"consent_expiration_time":"2027-01-01T00:00:00Z","update_type":"background"}`
		numbers = `{"ach":[{"account_id":"a1","account":"1111222233330000","routing":"011401533","wire_routing":"021000021","is_tokenized_account_number":true},{"account_id":"a2","account":"1","routing":"2","wire_routing":null}],
			"eft":[],"international":[{"account_id":"a1"}],"bacs":[]}`
	)
	r := func(id string) string { return fmt.Sprintf(row, id) }
	accounts := fmt.Sprintf(`"accounts":[%s,%s],"item":%s,"request_id":"r"`, fmt.Sprintf(account, 1), fmt.Sprintf(account, 2), item)
	switch name {
	case "sync":
		return text(`{"added":[` + r("t1") + `,` + r("t2") + `,` + r("t3") + `],"modified":[` + r("t4") + `],"removed":[{"transaction_id":"t9","account_id":"a1"}],
			"accounts":[],"next_cursor":"c","has_more":false,"transactions_update_status":"HISTORICAL_UPDATE_COMPLETE","request_id":"r"}`)
	case "auth":
		return text("{" + accounts + `,"numbers":` + numbers + "}")
	case "item":
		return text(`{"item":` + item + `,"status":{"transactions":{}},"request_id":"r"}`)
	}
	return text("{" + accounts + "}")
}

// oddValues take the place of a field's.
var oddValues = []any{
	nil, true, false, 7, -1, json.Number("1e30"), json.Number("-1e30"), json.Number("1e400"), json.Number("0.001"), json.Number("-0.001"), json.Number("92233720368547758.07"), json.Number("99999999999999.99"),
	"", "NaN", "12.50", "2026-02-30", "9999-12-31", "0000-00-00", "0001-01-01", "2026-03-04T25:61:00Z", "USDT", "jpy", "t2", "a2", "\x1b[2J\u202e=cmd|' /C calc'!A0\x00", "\ufffd\u2028", strings.Repeat("x", 300),
	[]any{}, []any{nil}, map[string]any{}, map[string]any{"a": []any{map[string]any{"b": nil}}}, []any{[]any{[]any{[]any{}}}}, strings.Repeat("\x01", 2000),
}

// spoil puts an odd value, or none, in one place of a reply, and returns the path.
func spoil(rnd *rand.Rand, v any, odd any, absent bool) (path []string) {
	for {
		switch at := v.(type) {
		case map[string]any:
			keys := slices.Sorted(maps.Keys(at))
			if len(keys) == 0 {
				return path
			}
			k := keys[rnd.IntN(len(keys))]
			path = append(path, k)
			if inner(at[k]) && (len(path) == 1 || rnd.IntN(4) > 0) {
				v = at[k]
				continue
			}
			if at[k] = odd; absent {
				delete(at, k)
			}
			return path
		case []any:
			if len(at) == 0 {
				return path
			}
			i := rnd.IntN(len(at))
			path = append(path, strconv.Itoa(i))
			if inner(at[i]) && rnd.IntN(8) > 0 {
				v = at[i]
				continue
			}
			at[i] = odd
			return path
		default:
			return path
		}
	}
}

func inner(v any) bool {
	switch x := v.(type) {
	case map[string]any:
		return len(x) > 0
	case []any:
		return len(x) > 0
	}
	return false
}

// shelf is a ledger to put what was read into.
type shelf struct {
	db     *store.DB
	ledger *ledger.Ledger
	used   int
}

func newShelf(t testing.TB) *shelf {
	kek, err := vault.CreateFileKEK(t.TempDir() + "/k/kek")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(context.Background(), mem.New(), kek, store.Options{Environment: "simulated", Schema: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.EnsureTenant(context.Background(), "t"); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(context.Background(), db, []string{"t"})
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{db: db, ledger: l}
}

// put stores a page; each row of it must be stored, set aside or told twice.
func (s *shelf) put(t testing.TB, p plaid.Page) {
	s.used++
	id := fmt.Sprintf("c%d", s.used)
	u := txn.Update{To: p.Next, Added: p.Added, Modified: p.Modified, Removed: p.Removed, Unread: p.Unread}
	err := s.ledger.Apply(context.Background(), "t", id, u, p.Status, time.Unix(1_800_000_000, 0), func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return s.db.Update(ctx, func(tx *store.Tx) error {
			_, err := apply(tx)
			return err
		})
	})
	if err != nil {
		t.Fatalf("the update is not stored: %v", err)
	}
	ids, posted := map[string]bool{}, 0
	for _, r := range slices.Concat(p.Added, p.Modified) {
		if ids[r.PlaidTransactionID] = true; r.PendingTransactionID != "" {
			posted++ // it may take another one's place
		}
	}
	aside := map[string]bool{}
	for _, u := range p.Unread {
		aside[u.Key] = true
	}
	for _, r := range p.Removed {
		delete(aside, r.ID)
	}
	if st := s.ledger.State("t", id); st.Rows+st.SetAside+posted+len(p.Removed) < len(ids) || st.Rows > len(ids) || st.SetAside < len(aside) {
		t.Fatalf("%d ids and %d unread rows: %+v", len(ids), len(p.Unread), st)
	}
}

// tryReply spoils a reply and reads it: no panic, no error but Plaid's own where the reply as a whole is broken, and no
// good row or account lost for a bad one.
func tryReply(t testing.TB, rnd *rand.Rand, odd any, absent bool, s *shelf) {
	names := []string{"sync", "sync", "sync", "accounts", "auth", "balance", "item", "match", "owners"}
	name := names[rnd.IntN(len(names))]
	reply := goodReply(name)
	var paths []string
	whole := false // the reply itself is broken, not a part of it
	for range 1 + rnd.IntN(3) {
		path := spoil(rnd, reply, odd, absent)
		paths = append(paths, strings.Join(path, "."))
		last := path[len(path)-1]
		item := path[0] == "item" && (len(path) > 1 && last != "item_id" || name != "item")
		switch {
		case name == "sync":
			whole = whole || len(path) == 1 && path[0] != "accounts" && path[0] != "transactions_update_status"
		case item:
		case len(path) <= 2, last == "account_id", len(path) == 3 && path[1] == "ach": // a part without an account's id
			whole = true
		}
		if rnd.IntN(2) == 0 {
			odd, absent = oddValues[rnd.IntN(len(oddValues))], rnd.IntN(8) == 0
		}
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return // not JSON: a hostile number
	}
	c, err := plaid.New(plaid.Config{Environment: plaid.Simulated, BaseURL: "http://plaid.test", ClientID: "c", Transport: canned(body)})
	if err != nil {
		t.Fatal(err)
	}
	token, ctx := plaid.NewAccessToken("access-sandbox-0"), context.Background()
	n, want := 0, 2
	switch name {
	case "sync":
		var p plaid.Page
		p, err = c.SyncTransactions(ctx, token, "", 500)
		n, want = len(p.Added)+len(p.Modified)+len(p.Removed)+len(p.Unread), 5
		if err == nil {
			s.put(t, p)
		}
	case "accounts":
		var a []plaid.Account
		a, _, err = c.GetAccounts(ctx, token)
		n = len(a)
	case "balance":
		var a []plaid.Account
		a, err = c.GetBalances(ctx, token)
		n = len(a)
	case "auth":
		var a plaid.Auth
		a, err = c.GetNumbers(ctx, token)
		n = len(a.Accounts)
	case "owners":
		_, err = c.GetOwners(ctx, token)
		n = want
	case "match":
		var scores map[string]int
		scores, err = c.MatchName(ctx, token, "A B")
		for _, score := range scores {
			if score < 0 || score > 100 {
				t.Errorf("a score of %d", score)
			}
		}
		n = want
	case "item":
		_, err = c.GetItem(ctx, token)
		n = want
	}
	switch {
	case err != nil && !fault.Is(err, fault.PlaidError):
		t.Fatalf("%s with %v: %v\n%s", name, paths, err, body)
	case err != nil && !whole:
		t.Fatalf("%s with a bad part, %v, is refused whole: %v\n%s", name, paths, err, body)
	case err == nil && !whole && n != want:
		t.Fatalf("%s with %v: %d of %d parts\n%s", name, paths, n, want, body)
	}
}

// Replies of Plaid's with fields null, absent, of another type, out of range or hostile. BANKD_REPLIES sets how many.
func TestSpoiledReplies(t *testing.T) {
	t.Parallel()
	n := 2000
	if s := os.Getenv("BANKD_REPLIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d, %d replies", seed, n)
	rnd := rand.New(rand.NewPCG(seed, 1))
	var s *shelf
	for i := range n {
		if i%200 == 0 { // a store of thousands of connections is slow
			s = newShelf(t)
		}
		synctest.Test(t, func(t *testing.T) { // its clock: a retry waits no time
			tryReply(t, rnd, oddValues[rnd.IntN(len(oddValues))], rnd.IntN(8) == 0, s)
		})
		if t.Failed() {
			return
		}
		if i%50_000 == 49_999 {
			fmt.Fprintf(os.Stderr, "%d spoiled replies\n", i+1)
		}
	}
}

func FuzzReplies(f *testing.F) {
	f.Add(uint64(1), uint64(1), `"x"`)
	f.Add(uint64(2), uint64(7), `1e30`)
	f.Add(uint64(3), uint64(9), "\x1b[2J")
	var s *shelf
	f.Fuzz(func(t *testing.T, a, b uint64, text string) {
		if s == nil || s.used > 100 {
			s = newShelf(t)
		}
		var odd any = text
		if json.Valid([]byte(text)) && len(text) < 1000 {
			odd = json.RawMessage(text)
		}
		synctest.Test(t, func(t *testing.T) { tryReply(t, rand.New(rand.NewPCG(a, b)), odd, false, s) })
	})
}
