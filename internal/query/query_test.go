package query_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/txn"
)

// read decodes a query string as the daemon does.
func read(raw string, into ...any) (fault.Problems, error) {
	values, err := query.Parse(raw)
	if err != nil {
		return nil, err
	}
	var bad fault.Problems
	query.Decode(query.Of(into...).Read(values, &bad), &bad, into...)
	return bad, nil
}

// A7: a query that does not parse is refused whole.
func TestBrokenQueries(t *testing.T) {
	for _, raw := range []string{"employer_id=acme%zz", "%", "a=b;c=d", "employer_id=acme;", "%zz=1", "a=%4"} {
		if _, err := query.Parse(raw); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%q: %v", raw, err)
		} else if strings.Contains(err.Error(), "acme") {
			t.Errorf("%q is echoed", raw)
		}
	}
	if v, err := query.Parse(""); err != nil || len(v) != 0 {
		t.Errorf("no query: %v %v", v, err)
	}
}

// A8, R84: each bad parameter is named, and why.
func TestEveryBadParameter(t *testing.T) {
	for raw, want := range map[string]map[string]string{
		"":                          {},
		"employer_id=":              {"employer_id": "is empty"},
		"employer_id":               {"employer_id": "is empty"},
		"employer_id=a&employer_id": {"employer_id": "more than once"},
		"carrier_id=a&carrier_id=a": {"carrier_id": "more than once"},
		"date_from=2026-02-30&date_to=x&pending=1&min_cents=1.5": {
			"date_from": "a day such as", "date_to": "a day such as", "pending": "true or false", "min_cents": "a whole number of minor units"},
		"date_from=0000-12-31":                      {"date_from": "a day"},
		"date_from=0001-01-01&date_to=9999-12-31":   {},
		"date_from=2026-03-02&date_to=2026-03-01":   {"date_to": "before date_from"},
		"date_to=20260301":                          {"date_to": "a day"},
		"page=0":                                    {"page": "from 1"},
		"limit=201":                                 {"limit": "from 1 to 200"},
		"limit=-1":                                  {"limit": "from 1 to 200"},
		"limit=9223372036854775808":                 {"limit": "from 1 to 200"},
		"min_cents=9223372036854775808":             {"min_cents": "whole number"},
		"min_cents=5&max_cents=4":                   {"max_cents": "less than"},
		"date_form=2026-01-01":                      {"date_form": "perhaps date_from is meant; it takes carrier_id, currency,"},
		"zzzzzzzzzzzzzzzzzzzzzzz=1":                 {"zzzzzzzzzzzzzzzzzzzzzzz": "is not a parameter of this route; it takes"},
		"021000021=1":                               {"?????????": "is not a parameter"},
		"cursor=x&page=2":                           {"cursor": "without page"},
		"text=" + strings.Repeat("x", 201) + "&a=1": {"text": "too long", "a": "is not a parameter"},
	} {
		bad, err := read(raw, &txn.Query{})
		if err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		for name, reason := range want {
			if !strings.Contains(bad[name], reason) {
				t.Errorf("%q: %s %q, want %q", raw, name, bad[name], reason)
			}
		}
		if len(bad) != len(want) {
			t.Errorf("%q: %v, want %v", raw, bad, want)
		}
	}
}

func TestOtherKinds(t *testing.T) {
	for raw, field := range map[string]string{
		"wait=soon": "wait", "wait=-1s": "wait", "wait=5": "wait", "wait=25s": "",
	} {
		if bad, _ := read(raw, &connection.WaitQuery{}); (len(bad) > 0) != (field != "") || field != "" && bad[field] == "" {
			t.Errorf("%s: %v", raw, bad)
		}
	}
	var q trail.Query
	if bad, _ := read("before=18446744073709551615&since=2026-01-31T01:00:00%2B01:00&limit=1000", &q); len(bad) > 0 {
		// A seq beyond an int64 is beyond every chain.
		if len(bad) != 1 || bad["before"] == "" {
			t.Error(bad)
		}
	}
	if !q.Since.Equal(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)) || q.Limit != 1000 {
		t.Errorf("%+v", q)
	}
	if bad, _ := read("before=0&since=yesterday&limit=1001", &q); len(bad) != 3 {
		t.Error(bad)
	}
	if bad, _ := read("reason=because", &employee.Query{}); !strings.HasPrefix(bad["reason"], "must be one of account_missing, account_not_eligible, attested") {
		t.Error(bad)
	}
}

// The daemon decodes a query to the one that the client encoded.
func TestThereAndBack(t *testing.T) {
	text := func(t *rapid.T, name string) string { return rapid.StringN(0, 30, -1).Draw(t, name) }
	rapid.Check(t, func(t *rapid.T) {
		q := txn.Query{EmployerID: text(t, "employer"), Item: text(t, "item"), Text: text(t, "text")}
		if rapid.Bool().Draw(t, "bounded") {
			yes, low := rapid.Bool().Draw(t, "pending"), rapid.Int64().Draw(t, "min")
			q.Pending, q.MinCents = &yes, &low
			q.DateFrom = txn.Date(rapid.Int32Range(-719162, 2932896).Draw(t, "day"))
		}
		q.Page, q.Limit = rapid.IntRange(1, 1000).Draw(t, "page"), rapid.IntRange(1, page.MaxLimit).Draw(t, "limit")
		var got txn.Query
		bad, err := read(query.Encode(q).Encode(), &got)
		if err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
		if d := cmp.Diff(q, got); d != "" {
			t.Fatal(d)
		}
	})
	filter, paging := account.Query{UserID: "u"}, page.Request{Page: 2, Limit: 3}
	if got := query.Encode(filter, paging).Encode(); got != "limit=3&page=2&user_id=u" {
		t.Error(got)
	}
	if got := query.Encode(trail.Query{Since: time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), BeforeSeq: 7}).Encode(); got != "before=7&since=2026-01-01T00%3A00%3A00Z" {
		t.Error(got)
	}
}

// The lists in tags are the words' own.
func TestEnums(t *testing.T) {
	enum := func(q any, name string) []string { return query.Of(q).Only(name)[0].Enum }
	for name, c := range map[string]struct{ got, want []string }{
		"connection": {enum(connection.Query{}, "status"), connection.States},
		"ach status": {enum(account.ACHQuery{}, "status"), append([]string{account.Active}, account.States...)},
		"ach":        {enum(connection.RemoveParams{}, "ach"), connection.ACHChoices},
		"account":    {enum(account.Query{}, "status"), []string{account.Active, account.Inactive}},
		"type":       {enum(account.Query{}, "connection_type"), []string{account.Manual, account.Plaid}},
		"ach type":   {enum(account.ACHQuery{}, "connection_type"), []string{account.Manual, account.Plaid}},
		"owner":      {enum(account.ACHQuery{}, "owner_type"), []string{account.Employer, account.Carrier}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if p := query.Of(page.Request{}).Only("limit")[0]; *p.Max != page.MaxLimit {
		t.Errorf("a page has %d rows at most, want %d", *p.Max, page.MaxLimit)
	}
}

// Every parameter has a description or a list of values.
func TestEveryParameterIsDescribed(t *testing.T) {
	for _, q := range []any{txn.Query{}, txn.Grouping{}, txn.Removal{}, account.Query{}, account.ACHQuery{}, account.DeleteQuery{}, connection.Query{},
		connection.WaitQuery{}, connection.ExpiringQuery{}, connection.UsageQuery{}, connection.RemoveParams{}, employee.Query{}, employee.TokenQuery{}, trail.Query{}, page.Request{}} {
		for _, p := range query.Of(q) {
			if p.Doc == "" && len(p.Enum) == 0 {
				t.Errorf("%s of %s says nothing", p.Name, reflect.TypeOf(q))
			}
		}
	}
}

func TestSets(t *testing.T) {
	all := query.Of(txn.Query{}, page.Request{}, txn.Grouping{})
	if names := all.Names(); !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "by") {
		t.Errorf("%v", names)
	}
	if got := all.Without("page", "limit", "cursor"); got.Has("page") || !got.Has("text") || len(got) != len(all)-3 {
		t.Errorf("%v", got.Names())
	}
	if got := all.Only("by", "page"); !slices.Equal(got.Names(), []string{"by", "page"}) {
		t.Errorf("%v", got.Names())
	}
	var bad fault.Problems
	query.Params(nil).Read(url.Values{"x": {"1"}}, &bad)
	if bad["x"] != "is not a parameter of this route" {
		t.Error(bad)
	}
	defer func() {
		if recover() == nil {
			t.Error("a parameter of a kind that there is not is taken")
		}
	}()
	query.Of(struct {
		F float64 `query:"f"`
	}{})
}

func TestList(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := query.List(words); got != want {
			t.Errorf("%v: %q", words, got)
		}
	}
}
