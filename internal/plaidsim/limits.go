package plaidsim

import (
	"fmt"
	"time"
)

// Limits names a set of rate limits.
type Limits string

// The three sets of rate limits.
const (
	LimitsSandbox    Limits = "sandbox"
	LimitsProduction Limits = "production"
	LimitsOff        Limits = "off"
)

// ParseLimits reads the name of a set; empty means sandbox.
func ParseLimits(text string) (Limits, error) {
	switch l := Limits(text); l {
	case "":
		return LimitsSandbox, nil
	case LimitsSandbox, LimitsProduction, LimitsOff:
		return l, nil
	}
	return "", fmt.Errorf("rate limits %q: want sandbox, production or off", text)
}

// quota is the calls allowed per minute, for one Item and for one client; 0 is no limit.
type quota struct{ item, client int }

type limitRow struct {
	production, sandbox  quota
	itemCode, clientCode string
}

func row(pi, pc, si, sc int, code string) limitRow {
	return limitRow{quota{pi, pc}, quota{si, sc}, code, code}
}

var limitTable = map[string]limitRow{
	"/accounts/get":                row(15, 15000, 100, 5000, "ACCOUNTS_LIMIT"),
	"/accounts/balance/get":        {quota{5, 1200}, quota{25, 100}, "BALANCE_LIMIT", "ACCOUNTS_BALANCE_GET_LIMIT"},
	"/auth/get":                    row(15, 12000, 100, 500, "AUTH_LIMIT"),
	"/identity/get":                row(15, 2000, 100, 1000, "IDENTITY_LIMIT"),
	"/item/get":                    row(15, 5000, 40, 5000, "ITEM_GET_LIMIT"),
	"/item/remove":                 row(30, 2000, 100, 500, "RATE_LIMIT"),
	"/transactions/sync":           row(50, 2500, 50, 1000, "TRANSACTIONS_SYNC_LIMIT"),
	"/transactions/get":            row(30, 20000, 80, 1000, "TRANSACTIONS_LIMIT"),
	"/transactions/refresh":        row(2, 100, 2, 100, "TRANSACTIONS_REFRESH_LIMIT"),
	"/institutions/get":            row(0, 50, 0, 10, "INSTITUTIONS_GET_LIMIT"),
	"/institutions/get_by_id":      row(0, 400, 0, 400, "INSTITUTIONS_GET_BY_ID_LIMIT"),
	"/sandbox/transactions/create": row(2, 50, 2, 50, "RATE_LIMIT"),
}

func limitCode(route string) string {
	if row, ok := limitTable[route]; ok {
		return row.clientCode
	}
	return "RATE_LIMIT"
}

type window struct {
	from time.Time
	n    int
}

// limiter counts calls in windows of one minute. Callers hold Server.mu.
type limiter struct {
	set     Limits
	windows map[string]*window
	swept   time.Time
}

func (l *limiter) row(route string) (limitRow, quota, bool) {
	row, ok := limitTable[route]
	if !ok || l.set == LimitsOff {
		return row, quota{}, false
	}
	if l.set == LimitsProduction {
		return row, row.production, true
	}
	return row, row.sandbox, true
}

func (l *limiter) client(route, client string, now time.Time) *apiError {
	row, q, ok := l.row(route)
	if ok && !l.allow(route+"|client|"+client, q.client, now) {
		return errLimit(row.clientCode)
	}
	return nil
}

func (l *limiter) item(route, item string, now time.Time) *apiError {
	row, q, ok := l.row(route)
	if ok && !l.allow(route+"|item|"+item, q.item, now) {
		return errLimit(row.itemCode)
	}
	return nil
}

func (l *limiter) allow(key string, max int, now time.Time) bool {
	if max == 0 {
		return true
	}
	l.sweep(now)
	w := l.windows[key]
	if w == nil || now.Sub(w.from) >= time.Minute {
		l.windows[key] = &window{from: now, n: 1}
		return true
	}
	if w.n >= max {
		return false
	}
	w.n++
	return true
}

func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key, w := range l.windows {
		if now.Sub(w.from) >= time.Minute {
			delete(l.windows, key)
		}
	}
}
