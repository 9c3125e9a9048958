package server_test

import (
	"reflect"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
)

// TestShownConnection compares a connection read by id with the same one in the list, before and after changes, and checks
// that a client of another employer finds neither.
func TestShownConnection(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	ctx := t.Context()
	conn := b.Link("e1")
	other := b.NewClient(tenant.ClientParams{Name: "other", Role: tenant.Viewer, Employers: tenant.Scope{IDs: []string{"e2"}}})
	same := func(after string) {
		t.Helper()
		var one, again connection.Connection
		until(t, func() bool { // a sync in the background may come between
			var errs [3]error
			one, errs[0] = b.Client.GetConnection(ctx, conn.ID)
			all, _, err := b.Client.ListConnections(ctx, connection.Query{Status: one.Status}, page.Request{})
			again, errs[1] = b.Client.GetConnection(ctx, conn.ItemID)
			errs[2] = err
			return errs == [3]error{} && len(all) == 1 && reflect.DeepEqual(one, all[0]) && reflect.DeepEqual(one, again)
		})
		if _, err := other.GetConnection(ctx, conn.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("after %s another employer's client got %v", after, err)
		}
	}
	same("the link")
	whole(t, b, conn.ID)
	same("a sync")
	if _, err := b.Client.RemoveConnection(ctx, conn.ID, connection.RemoveParams{}); err != nil {
		t.Fatal(err)
	}
	same("the removal")
	if got, err := b.Client.GetConnection(ctx, conn.ID); err != nil || got.Status != connection.Removed {
		t.Errorf("%s, %v", got.Status, err)
	}
}
