package bank

import (
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/tenant"
)

// A count whose record could not be written is in the next record.
func TestRefusalsAreNotLost(t *testing.T) {
	t.Parallel()
	var r refusals
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	k := refusal{action: "call.refuse", clientID: "c"}
	if n := r.count(k, tenant.Caller{}, now); n != 1 {
		t.Fatalf("the first: %d", n)
	}
	for range 4 {
		if n := r.count(k, tenant.Caller{}, now.Add(time.Second)); n != 0 {
			t.Errorf("within the minute: %d", n)
		}
	}
	now = now.Add(2 * brakeWindow)
	due := r.due(now, false)
	if due[k].pending != 4 {
		t.Fatalf("due: %+v", due)
	}
	r.giveBack(k, due[k]) // its record failed
	if n := r.count(k, tenant.Caller{}, now); n != 5 {
		t.Errorf("the next record says %d, want 5", n)
	}
}
