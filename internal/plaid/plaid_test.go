package plaid_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
	"github.com/bankctl/bankctl/internal/secret"
)

// bench is a client of a simulator; their exchange is checked against Plaid's document.
type bench struct {
	*plaid.Client
	sim  *plaidsim.Server
	spec *plaidspec.Recorder
	url  string
}

// patience bounds calls that should not time out.
const patience = time.Minute

func newBench(t testing.TB) bench {
	t.Helper()
	sim, err := plaidsim.New(t.Context(), plaidsim.Options{Limits: "off", Ready: plaidsim.Ready{Initial: 20 * time.Millisecond, History: 60 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	spec := plaidspec.Wrap(sim)
	spec.Strict = true
	srv := httptest.NewServer(spec)
	sim.SetBaseURL(srv.URL)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		sim.Close()
		for _, v := range spec.Violations() {
			t.Error(v)
		}
		if err := spec.Write(); err != nil {
			t.Error(err)
		}
	})
	return bench{client(t, srv.URL, patience), sim, spec, srv.URL}
}

func client(t testing.TB, url string, timeout time.Duration) *plaid.Client {
	t.Helper()
	c, err := plaid.New(plaid.Config{Environment: plaid.Simulated, BaseURL: url + "/", ClientID: "id", Secret: secret.New("s3cret"), ClientName: "t", Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (b bench) item(t *testing.T, institution string) plaid.AccessToken {
	t.Helper()
	public, err := b.CreateSandboxToken(t.Context(), institution, "", "", []string{"auth", "identity", "transactions"}, "")
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := b.Exchange(t.Context(), public)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (b bench) fail(t *testing.T, faults string) {
	t.Helper()
	f, err := plaidsim.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	b.sim.SetFaults(f)
}

// Every published account has its exact balance; null stays null, and an amount finer than a cent is marked as rounded.
func TestAccountsAreExact(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	accounts, item, err := b.GetAccounts(t.Context(), b.item(t, "ins_109508"))
	if err != nil || len(accounts) < 12 || item.InstitutionID != "ins_109508" {
		t.Fatalf("%d accounts %v", len(accounts), err)
	}
	byMask := map[string]plaid.Account{}
	for _, a := range accounts {
		byMask[a.Mask] = a
	}
	if a := byMask["0000"].Balance; *a.Available != 10000 || *a.Current != 11000 || a.Limit != nil || a.Currency != "USD" || a.Rounded {
		t.Errorf("checking: %+v", a)
	}
	if a := byMask["6666"].Balance; a.Available != nil || *a.Current != 2363198 || !a.Rounded {
		t.Errorf("401k with four decimals: %+v", a)
	}
	if a := byMask["3333"].Balance; *a.Limit != 200000 {
		t.Errorf("credit card: %+v", a)
	}
}

func TestNumbersSayWhetherTheyAreAliases(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for institution, tokenized := range map[string]bool{"ins_109508": false, "ins_56": true} {
		auth, err := b.GetNumbers(t.Context(), b.item(t, institution))
		if err != nil || len(auth.Numbers) != 3 {
			t.Fatalf("%d numbers %v", len(auth.Numbers), err)
		}
		for _, n := range auth.Numbers {
			if n.Tokenized == nil || *n.Tokenized != tokenized || n.Routing.Check() != nil || n.Account.Check() != nil {
				t.Errorf("%s: %v %v %v", institution, n.Tokenized, n.Routing.Check(), n.Account.Check())
			}
		}
	}
	token := b.item(t, "ins_109508")
	scores, err := b.MatchName(t.Context(), token, "Alberta Bobbeth Charleson")
	if err != nil || len(scores) == 0 {
		t.Errorf("%v %v", scores, err)
	}
	for _, s := range scores {
		if s != 100 {
			t.Errorf("the owner's own name scores %d", s)
		}
	}
	if owners, err := b.GetOwners(t.Context(), token); err != nil || len(owners) == 0 {
		t.Errorf("%v", err)
	}
}

// A passing fault is retried if the call changes nothing, and never if it does.
func TestWhatIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.item(t, "ins_109508")
	for _, kind := range []string{"500", "html502", "reset"} {
		b.fail(t, "/accounts/get:"+kind+":2")
		before := b.sim.Counts()["/accounts/get"]
		if _, _, err := b.GetAccounts(t.Context(), token); err != nil {
			t.Errorf("%s twice: %v", kind, err)
		}
		if n := b.sim.Counts()["/accounts/get"] - before; n != 3 {
			t.Errorf("%s: %d calls", kind, n)
		}
		b.fail(t, "/accounts/get:"+kind+":9")
		_, _, err := b.GetAccounts(t.Context(), token)
		if !fault.Is(err, fault.PlaidError) || !plaid.OutcomeUnknown(err) || !fault.As(err).Retryable {
			t.Errorf("%s for good: %v", kind, err)
		}
		b.fail(t, "/accounts/balance/get:"+kind+":1,/item/public_token/exchange:"+kind+":1")
		if _, err := b.GetBalances(t.Context(), token); !fault.Is(err, fault.PlaidError) {
			t.Errorf("%s: a paid call was repeated: %v", kind, err)
		}
		public, err := b.CreateSandboxToken(t.Context(), "ins_109508", "", "", []string{"auth"}, "")
		if err != nil {
			t.Fatal(err)
		}
		before = b.sim.Counts()["/item/public_token/exchange"]
		_, _, err = b.Exchange(t.Context(), public)
		if n := b.sim.Counts()["/item/public_token/exchange"] - before; n != 1 || !plaid.OutcomeUnknown(err) {
			t.Errorf("%s: %d exchanges, %v", kind, n, err)
		}
	}
	b.fail(t, "/accounts/get:429:1")
	if _, _, err := b.GetAccounts(t.Context(), token); !fault.Is(err, fault.RateLimited) || fault.As(err).RetryAfter == 0 {
		t.Errorf("429: %v", err)
	}
}

func TestTimeoutsAndAbandonedCalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.item(t, "ins_109508")
	b.fail(t, "/item/get:hang:9")
	if _, err := client(t, b.url, 200*time.Millisecond).GetItem(t.Context(), token); !fault.Is(err, fault.PlaidTimeout) || !plaid.OutcomeUnknown(err) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := b.GetItem(ctx, token); err == nil {
		t.Error("an abandoned call came back")
	}
}

// The contract's table of Plaid's codes.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, code string
		status    int
		want      fault.Code
		field     string
		retry     bool
	}{
		{"INVALID_INPUT", "INVALID_PUBLIC_TOKEN", 400, fault.Invalid, "public_token", false},
		{"INVALID_INPUT", "INVALID_ACCOUNT_ID", 400, fault.Invalid, "plaid_account_id", false},
		{"ITEM_ERROR", "ITEM_LOGIN_REQUIRED", 400, fault.RelinkRequired, "", false},
		{"ITEM_ERROR", "ITEM_NOT_FOUND", 400, fault.RelinkRequired, "", false},
		{"INVALID_INPUT", "INVALID_ACCESS_TOKEN", 400, fault.RelinkRequired, "", false},
		{"RATE_LIMIT_EXCEEDED", "AUTH_LIMIT", 429, fault.RateLimited, "", true},
		{"RATE_LIMIT_EXCEEDED", "CREDITS_EXHAUSTED", 429, fault.RateLimited, "", false},
		{"INSTITUTION_ERROR", "INSTITUTION_DOWN", 400, fault.PlaidError, "", true},
		{"ITEM_ERROR", "PRODUCT_NOT_READY", 400, fault.PlaidError, "", true},
		{"INVALID_INPUT", "INVALID_API_KEYS", 400, fault.PlaidError, "", false},
		{"API_ERROR", "INTERNAL_SERVER_ERROR", 500, fault.PlaidError, "", true},
		{"SOMETHING_NEW", "A_CODE_NOBODY_KNOWS", 400, fault.PlaidError, "", false},
	} {
		t.Run(c.code, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				_ = json.NewEncoder(w).Encode(map[string]any{
					"error_type": c.typ, "error_code": c.code, "error_message": "holds access-sandbox-00000000", "display_message": nil, "request_id": "req1",
				})
			}))
			defer srv.Close()
			_, err := client(t, srv.URL, patience).GetItem(t.Context(), plaid.NewAccessToken("access-sandbox-00000000"))
			f := fault.As(err)
			if f.Code != c.want || f.Retryable != c.retry || c.field != "" && f.Fields[c.field] == "" {
				t.Errorf("%+v", f)
			}
			if f.Plaid == nil || f.Plaid.ErrorCode != c.code || f.Plaid.RequestID != "req1" || plaid.Code(err) != c.code {
				t.Errorf("Plaid's own words are lost: %+v", f.Plaid)
			}
			if b, _ := json.Marshal(f); strings.Contains(string(b)+fmt.Sprintf("%+v", err), "access-sandbox") {
				t.Error("a token is in the error")
			}
		})
	}
}

// A hostile or broken reply is a clear failure: no crash, no endless read, no secret sent elsewhere.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	stolen := ""
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		stolen = r.Header.Get("PLAID-SECRET") + string(b)
	}))
	t.Cleanup(func() {
		thief.Close()
		if stolen != "" {
			t.Error("the redirect's target was given the secret")
		}
	})
	jsonBody := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		}
	}
	account := `{"accounts":[{"account_id":"a","balances":{"available":%s,"current":1,"limit":null,"iso_currency_code":"USD","unofficial_currency_code":null},"mask":null,"name":"n","official_name":null,"type":"depository","subtype":null}],"item":{},"request_id":"r"}`
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		fails  bool
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
		}, true},
		"hundred_megabytes":   {endless, true},
		"html":                {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, true},
		"cut_off":             {jsonBody(`{"accounts":[{"account_id":"a"`), true},
		"no_accounts":         {jsonBody(`{"accounts":null,"item":{},"request_id":"r"}`), true},
		"no_id":               {jsonBody(strings.Replace(fmt.Sprintf(account, "1"), `"account_id":"a"`, `"account_id":null`, 1)), true},
		"amount_as_a_string":  {jsonBody(fmt.Sprintf(account, `"12.00"`)), false},
		"amount_out_of_range": {jsonBody(fmt.Sprintf(account, `1e300`)), false},
		"nulls_everywhere":    {jsonBody(fmt.Sprintf(account, `null`)), false},
		"empty":               {jsonBody(``), true},
		"an_empty_object":     {jsonBody(`{}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(c.answer)
			defer srv.Close()
			_, _, err := client(t, srv.URL, patience).GetAccounts(t.Context(), plaid.NewAccessToken("access-sandbox-00000000"))
			if (err != nil) != c.fails {
				t.Fatalf("%v", err)
			}
			if err != nil && !fault.Is(err, fault.PlaidError) {
				t.Errorf("%v", err)
			}
		})
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"accounts":[`)
	chunk := strings.Repeat(" ", 1<<20)
	for range 100 {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

// An Item's budget ends here, before Plaid has to refuse (A19).
func TestBudgetOfAnItem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.item(t, "ins_109508")
	for i := range 6 {
		_, err := b.GetBalances(t.Context(), token)
		if f, _ := errors.AsType[*fault.Error](err); i < 5 && err != nil || i == 5 && (f == nil || f.Code != fault.RateLimited || f.RetryAfter < 1) {
			t.Errorf("call %d: %v", i+1, err)
		}
	}
	if n := b.sim.Counts()["/accounts/balance/get"]; n != 5 {
		t.Errorf("Plaid was asked %d times", n)
	}
	if _, err := b.GetBalances(t.Context(), b.item(t, "ins_109508")); err != nil {
		t.Errorf("another Item: %v", err)
	}
}
