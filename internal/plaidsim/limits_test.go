package plaidsim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func TestRateLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		limits plaidsim.Limits
		path   string
		n      int
		code   string
	}{
		{plaidsim.LimitsSandbox, "/accounts/get", 100, "ACCOUNTS_LIMIT"},
		{plaidsim.LimitsSandbox, "/accounts/balance/get", 25, "BALANCE_LIMIT"},
		{plaidsim.LimitsSandbox, "/auth/get", 100, "AUTH_LIMIT"},
		{plaidsim.LimitsSandbox, "/identity/get", 100, "IDENTITY_LIMIT"},
		{plaidsim.LimitsSandbox, "/item/get", 40, "ITEM_GET_LIMIT"},
		{plaidsim.LimitsSandbox, "/transactions/sync", 50, "TRANSACTIONS_SYNC_LIMIT"},
		{plaidsim.LimitsSandbox, "/transactions/refresh", 2, "TRANSACTIONS_REFRESH_LIMIT"},
		{plaidsim.LimitsProduction, "/accounts/balance/get", 5, "BALANCE_LIMIT"},
		{plaidsim.LimitsProduction, "/auth/get", 15, "AUTH_LIMIT"},
		{plaidsim.LimitsProduction, "/identity/get", 15, "IDENTITY_LIMIT"},
	}
	for _, tt := range tests {
		t.Run(string(tt.limits)+strings.ReplaceAll(tt.path, "/", "-"), func(t *testing.T) {
			s := start(t, plaidsim.Options{Limits: tt.limits})
			access, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
			for range tt.n {
				s.ok(tt.path, object{"access_token": access})
			}
			s.refused(tt.path, object{"access_token": access}, 429, tt.code)
			other, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
			s.ok(tt.path, object{"access_token": other})
			s.clock.add(time.Minute)
			s.ok(tt.path, object{"access_token": access})
		})
	}
	t.Run("client", func(t *testing.T) {
		s := start(t, plaidsim.Options{Limits: plaidsim.LimitsSandbox})
		body := object{"count": 1, "offset": 0, "country_codes": []string{"US"}}
		for range 10 {
			s.ok("/institutions/get", body)
		}
		s.refused("/institutions/get", body, 429, "INSTITUTIONS_GET_LIMIT")
	})
}
