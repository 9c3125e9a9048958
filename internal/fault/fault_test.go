package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A24: one error shape, one table of codes, statuses and exits.
func TestEveryCodeSurvivesTheWire(t *testing.T) {
	want := map[fault.Code][2]int{
		"bad_request": {400, 7}, "too_large": {413, 7}, "invalid": {422, 7},
		"unauthenticated": {401, 4}, "forbidden": {403, 4}, "capability_disabled": {403, 4},
		"not_found": {404, 3}, "conflict": {409, 6}, "duplicate": {409, 6}, "relink_required": {409, 10},
		"rate_limited": {429, 9}, "internal": {500, 1}, "plaid_error": {502, 8}, "plaid_timeout": {504, 8},
		"unavailable": {503, 5},
	}
	if len(fault.Codes()) != len(want) {
		t.Fatalf("%d codes, the contract has %d", len(fault.Codes()), len(want))
	}
	for _, code := range fault.Codes() {
		t.Run(string(code), func(t *testing.T) {
			if got := [2]int{code.Status(), code.Exit()}; got != want[code] {
				t.Errorf("status and exit %v, want %v", got, want[code])
			}
			sent := fault.New(code, "message of %s", code).WithHint("do this").WithID("65f0")
			sent.Fields = map[string]string{"name": "is required"}
			sent.Plaid = &fault.Plaid{ErrorCode: "X", RequestID: "r"}
			b, err := json.Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			var got fault.Error
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(*sent, got, cmpopts.IgnoreUnexported(fault.Error{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnknownErrorsTellNothing(t *testing.T) {
	e := fault.As(fmt.Errorf("open /secret/place: %w", errors.New("boom")))
	b, _ := json.Marshal(e)
	if e.Code != fault.Internal || e.Message != "internal error" || json.Valid(b) == false {
		t.Errorf("got %s", b)
	}
	if e.Unwrap() == nil {
		t.Error("the cause is lost to the log")
	}
	wrapped := fmt.Errorf("list accounts: %w", fault.Field("page", "must be a whole number from 1"))
	if got := fault.As(wrapped); got.Code != fault.Invalid || got.Fields["page"] == "" {
		t.Errorf("a wrapped fault lost its kind: %+v", got)
	}
}

func TestFieldsAreAlwaysAnObject(t *testing.T) {
	b, _ := json.Marshal(fault.New(fault.NotFound, "no such account"))
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"code", "message", "hint", "fields", "retryable", "request_id"} {
		if _, ok := m[k]; !ok {
			t.Errorf("%s is missing", k)
		}
	}
	if _, ok := m["fields"].(map[string]any); !ok {
		t.Errorf("fields is %T", m["fields"])
	}
}
