package plaid

import (
	"fmt"
	"testing"
	"time"
)

// Limiters of unused tokens are dropped; one that was spent from stays until it is full again.
func TestBudgetsForgetUnusedTokens(t *testing.T) {
	t.Parallel()
	b := newBudgets(Sandbox)
	for i := range 1000 {
		if err := b.spend("accounts", NewAccessToken(fmt.Sprint("access-sandbox-", i))); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	b.sweep(time.Now().Add(2 * time.Minute))
	left := len(b.limiters)
	b.mu.Unlock()
	if left != 0 {
		t.Errorf("%d limiters are kept of 1,000 that are full again", left)
	}
	for range 5 {
		if err := b.spend("balance", NewAccessToken("t").Of("c")); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	b.swept = time.Time{}
	b.sweep(time.Now())
	b.mu.Unlock()
	if b.spend("balance", NewAccessToken("t").Of("c")) == nil {
		t.Error("a sixth balance in one minute was allowed: its limiter was dropped")
	}
}
