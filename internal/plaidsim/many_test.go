package plaidsim_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

// TestManyClientsAtOnce makes Items from many goroutines; each keeps its own.
func TestManyClientsAtOnce(t *testing.T) {
	t.Parallel()
	const clients, each = 8, 12
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			mine := s.with(t)
			mine.client = fmt.Sprintf("client-%d", i)
			for range each {
				status, made := mine.post("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})
				if status != http.StatusOK {
					t.Errorf("status %d", status)
					return
				}
				_, got := mine.post("/item/public_token/exchange", object{"public_token": made["public_token"]})
				if status, auth := mine.post("/auth/get", object{"access_token": got["access_token"]}); status != http.StatusOK || at(auth, "item", "item_id") != got["item_id"] {
					t.Errorf("auth answers %d", status)
				}
			}
		})
	}
	wait.Wait()
	if n := s.server.Counts()["items"]; n != clients*each {
		t.Errorf("%d items, want %d", n, clients*each)
	}
	again := start(t, plaidsim.Options{Store: store.snapshot()})
	if n := again.server.Counts()["items"]; n != clients*each {
		t.Errorf("%d items after a restart, want %d", n, clients*each)
	}
}
