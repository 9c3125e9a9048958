package fault_test

import (
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/fault"
)

func TestFieldsAsTheCallerSpellsThem(t *testing.T) {
	one := fault.Field("plaid_item_id", "is required").WithHint("h")
	got := one.WithFieldNames(func(name string) string { return strings.TrimPrefix(name, "plaid_") })
	if got.Fields["item_id"] != "is required" || got.Message != "item_id: is required" || got.Hint != "h" || got.Code != fault.Invalid {
		t.Errorf("%+v", got)
	}
	if one.Fields["plaid_item_id"] == "" || one.Message != "plaid_item_id: is required" {
		t.Errorf("the error itself was changed: %+v", one)
	}
	told := fault.New(fault.Conflict, "a message of its own").WithFieldNames(strings.ToUpper)
	if told.Message != "a message of its own" {
		t.Errorf("%+v", told)
	}
}

func TestUnknownNamesAreCleaned(t *testing.T) {
	var bad fault.Problems
	bad.AddUnknown("account_9876543210", "x")
	bad.AddUnknown(strings.Repeat("y", 99), "x")
	if bad["account_??????????"] == "" || bad[strings.Repeat("y", 40)+"…"] == "" || len(bad) != 2 {
		t.Error(bad)
	}
}
