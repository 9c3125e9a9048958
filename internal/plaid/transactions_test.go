package plaid_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/plaid/plaid-go/v29/plaid"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/txn"
)

// bySDK decodes a reply with the SDK's own decoder.
func bySDK(t interface{ Fatal(...any) }, body []byte) plaid.Page {
	var r sdk.TransactionsSyncResponse
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	p := plaid.Page{Added: sdkRows(t, r.Added), Modified: sdkRows(t, r.Modified), Next: r.NextCursor, More: r.HasMore, Status: string(r.TransactionsUpdateStatus)}
	for _, x := range r.Removed {
		p.Removed = append(p.Removed, txn.Removed{ID: x.GetTransactionId(), AccountID: x.GetAccountId()})
	}
	return p
}

func sdkRows(t interface{ Fatal(...any) }, in []sdk.Transaction) []txn.Raw {
	out := make([]txn.Raw, 0, len(in))
	for _, x := range in {
		currency := x.GetIsoCurrencyCode()
		if currency == "" {
			currency = x.GetUnofficialCurrencyCode()
		}
		amount, rounded, err := money.Parse(strconv.FormatFloat(x.Amount, 'f', -1, 64), currency)
		if err != nil {
			t.Fatal(err)
		}
		r := txn.Raw{AccountID: x.AccountId, Date: x.Date, Amount: amount, Debit: x.Amount > 0, Rounded: rounded, Pending: x.Pending, Details: txn.Details{PlaidTransactionID: x.TransactionId, AuthorizedDate: x.GetAuthorizedDate(), Name: x.Name, MerchantName: x.GetMerchantName(), PendingTransactionID: x.GetPendingTransactionId(), PaymentChannel: x.PaymentChannel, CheckNumber: x.GetCheckNumber()}}
		if d := x.Datetime.Get(); d != nil {
			r.Datetime = d.Format(time.RFC3339)
		}
		if c := x.PersonalFinanceCategory.Get(); c != nil {
			r.Category, r.CategoryDetailed = c.Primary, c.Detailed
		}
		out = append(out, r)
	}
	return out
}

// Our rows equal those that the SDK decodes from the same bytes, on pages of the simulator.
func TestRowsAreReadAsTheSDKReadsThem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.item(t, "ins_109508")
	var last []byte
	tee := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		b.spec.ServeHTTP(rec, r)
		last = rec.Body.Bytes()
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(last)
	}))
	defer tee.Close()
	c := client(t, tee.URL, patience)
	rows, cursor := 0, ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		got, err := c.SyncTransactions(t.Context(), token, cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		want := bySDK(t, last)
		if d := cmp.Diff(want, got, cmp.Transformer("empty", func(in []txn.Raw) []txn.Raw { return append([]txn.Raw{}, in...) })); d != "" {
			t.Fatal(d)
		}
		rows += len(got.Added)
		if got.Next != "" {
			cursor = got.Next
		}
		if got.Status == plaid.HistoryComplete && !got.More {
			break
		}
	}
	if rows < 40 {
		t.Errorf("%d rows", rows)
	}
}

// The same with random rows: nulls, escapes, decimals, missing fields.
func TestRandomRows(t *testing.T) {
	t.Parallel()
	var reply []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(reply)
	}))
	defer srv.Close()
	c := client(t, srv.URL, patience)
	word := rapid.SampledFrom([]any{nil, "", "a", "Uber 063015 SF**POOL**", `quote " and \ back`, "日本 ™ \u2028", "<&>"})
	day := rapid.SampledFrom([]any{"2026-01-31", "2024-02-29"})
	row := rapid.Custom(func(t *rapid.T) map[string]any {
		cents := rapid.Int64Range(-1e13, 1e13).Draw(t, "cents")
		m := map[string]any{
			"transaction_id": rapid.StringMatching(`[A-Za-z0-9]{37}`).Draw(t, "id"), "account_id": rapid.StringMatching(`[A-Za-z0-9]{37}`).Draw(t, "account"),
			"amount": json.Number(fmt.Sprintf("%d.%02d", cents/100, max(cents, -cents)%100)), "iso_currency_code": rapid.SampledFrom([]any{"USD", nil, "JPY"}).Draw(t, "iso"),
			"date": day.Draw(t, "date"), "name": rapid.SampledFrom([]any{"", "n", `"x"`}).Draw(t, "name"), "pending": rapid.Bool().Draw(t, "pending"),
			"payment_channel": "online", "location": map[string]any{}, "payment_meta": map[string]any{},
		}
		for _, k := range []string{"unofficial_currency_code", "merchant_name", "pending_transaction_id", "check_number"} {
			m[k] = word.Draw(t, k)
		}
		if rapid.Bool().Draw(t, "categorised") {
			m["personal_finance_category"] = map[string]any{"primary": "FOOD", "detailed": "FOOD_COFFEE", "confidence_level": "HIGH"}
		}
		m["authorized_date"] = rapid.SampledFrom([]any{nil, "2026-01-30"}).Draw(t, "authorized")
		m["datetime"] = rapid.SampledFrom([]any{nil, "2026-01-30T12:00:00Z"}).Draw(t, "datetime")
		return m
	})
	rapid.Check(t, func(rt *rapid.T) {
		var err error
		reply, err = json.Marshal(map[string]any{
			"added": rapid.SliceOfN(row, 0, 5).Draw(rt, "added"), "modified": rapid.SliceOfN(row, 0, 3).Draw(rt, "modified"),
			"removed":     []any{map[string]any{"transaction_id": "r1", "account_id": "a1"}},
			"next_cursor": "c", "has_more": rapid.Bool().Draw(rt, "more"), "request_id": "r", "accounts": []any{},
			"transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
		})
		if err != nil {
			rt.Fatal(err)
		}
		got, err := c.SyncTransactions(t.Context(), plaid.NewAccessToken("access-sandbox-0"), "", 500)
		if err != nil {
			rt.Fatal(err)
		}
		want := bySDK(rt, reply)
		if d := cmp.Diff(want, got, cmp.Transformer("empty", func(in []txn.Raw) []txn.Raw { return append([]txn.Raw{}, in...) })); d != "" {
			rt.Fatal(d)
		}
	})
}

func TestSyncRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.item(t, "ins_109508")
	if _, err := b.SyncTransactions(t.Context(), token, "Zm9yZWlnbg==", 100); plaid.Code(err) != "INVALID_FIELD" {
		t.Errorf("a foreign cursor: %v", err)
	}
	b.fail(t, "/transactions/sync:html502:1")
	if _, err := b.SyncTransactions(t.Context(), token, "", 100); err != nil {
		t.Errorf("a passing fault: %v", err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"added":[{"transaction_id":"t","amount":1e300,"iso_currency_code":"USD"}],"modified":[],"removed":[],"next_cursor":"c","has_more":false,"request_id":"r"}`)
	}))
	defer srv.Close()
	p, err := client(t, srv.URL, time.Second).SyncTransactions(t.Context(), token, "", 100)
	if want := []txn.Unread{{Key: "t", ID: "t", Field: "account_id", Reason: "is missing"}}; err != nil || len(p.Added) != 0 || !cmp.Equal(p.Unread, want) {
		t.Errorf("a row without an account: %+v %v", p, err)
	}
}

// Both decoders on one page of 500 rows; quote the rows per second of both.
func BenchmarkDecode(b *testing.B) {
	body := benchPage(500)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	defer srv.Close()
	b.Run("sdk", func(b *testing.B) {
		for b.Loop() {
			var r sdk.TransactionsSyncResponse
			if err := json.Unmarshal(body, &r); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("ours_over_http", func(b *testing.B) {
		c, err := plaid.New(plaid.Config{Environment: plaid.Simulated, BaseURL: srv.URL, ClientID: "i"})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if p, err := c.SyncTransactions(b.Context(), plaid.NewAccessToken("access-sandbox-0"), "", 500); err != nil || len(p.Added) != 500 {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(500*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func benchPage(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"accounts":[],"added":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"account_id":"BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp","account_owner":null,"amount":%d.%02d,"authorized_date":"2026-01-%02d","authorized_datetime":null,"category":null,"category_id":null,"check_number":null,"counterparties":[{"confidence_level":"VERY_HIGH","entity_id":"eyg8o776k0QmNgVpAmaQj4WgzW9Qzo6O51gdd","logo_url":"https://plaid-merchant-logos.plaid.com/uber_1060.png","name":"Uber","phone_number":null,"type":"merchant","website":"uber.com"}],"date":"2026-01-%02d","datetime":null,"iso_currency_code":"USD","location":{"address":null,"city":null,"country":null,"lat":null,"lon":null,"postal_code":null,"region":null,"store_number":null},"logo_url":"https://plaid-merchant-logos.plaid.com/uber_1060.png","merchant_entity_id":"eyg8o776k0QmNgVpAmaQj4WgzW9Qzo6O51gdd","merchant_name":"Uber","name":"Uber 072515 SF**POOL**","payment_channel":"online","payment_meta":{"by_order_of":null,"payee":null,"payer":null,"payment_method":null,"payment_processor":null,"ppd_id":null,"reason":null,"reference_number":null},"pending":false,"pending_transaction_id":null,"personal_finance_category":{"confidence_level":"VERY_HIGH","detailed":"TRANSPORTATION_TAXIS_AND_RIDE_SHARES","primary":"TRANSPORTATION"},"personal_finance_category_icon_url":"https://plaid-category-icons.plaid.com/PFC_TRANSPORTATION.png","transaction_code":null,"transaction_id":"t%036d","transaction_type":"special","unofficial_currency_code":null,"website":"uber.com"}`, i%900, i%100, i%28+1, i%28+1, i)
	}
	b.WriteString(`],"has_more":false,"modified":[],"next_cursor":"c","removed":[],"request_id":"r","transactions_update_status":"HISTORICAL_UPDATE_COMPLETE"}`)
	return b.Bytes()
}
