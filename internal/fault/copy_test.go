package fault_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bankctl/bankctl/internal/fault"
)

// An error that several calls return is the same for each: adding to it makes another one.
func TestSharedErrorsAreNotChanged(t *testing.T) {
	shared := fault.New(fault.NotFound, "no such thing")
	before, cause := *shared, errors.New("cause")
	got := shared.WithHint("try %d", 1).WithID("65f0").Because(cause)
	if got.Hint != "try 1" || got.ID != "65f0" || !errors.Is(got, cause) || got.Code != fault.NotFound || got.Message != "no such thing" {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(before, *shared, cmpopts.IgnoreUnexported(fault.Error{})); d != "" || shared.Unwrap() != nil {
		t.Errorf("the shared one is now %+v: %s", shared, d)
	}
	if other := shared.WithHint("other"); got.Hint != "try 1" || other.ID != "" {
		t.Error("two hints are one")
	}
}
