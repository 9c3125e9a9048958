package bank

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Wrong secrets that one client id may send from one uid in a minute; then its calls are refused unread until the minute
// is over. Another uid's calls with the same id are not held up.
const (
	mostWrong   = 10
	brakeWindow = time.Minute
	mostBrakes  = 10_000 // kept in memory; beyond, all are forgotten
)

// guards are what keeps one caller from costing the others: each counts in memory alone.
type guards struct {
	brakes  brakes
	quotas  quotas
	refused refusals
	forged  refusals // webhooks, for the log alone
}

type brakeKey struct {
	clientID string // "" stands for all ids that are no client's
	uid      int
}

// brakes slow down whoever tries secrets.
type brakes struct {
	mu    sync.Mutex
	wrong map[brakeKey]*wrongSecrets
}

type wrongSecrets struct {
	since time.Time
	n     int
}

// check refuses a call while its key is held up.
func (b *brakes) check(k brakeKey, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.wrong[k]
	if w == nil || w.n < mostWrong {
		return nil
	}
	left := w.since.Add(brakeWindow).Sub(now)
	if left <= 0 {
		delete(b.wrong, k)
		return nil
	}
	return tooMany(left, "too many wrong secrets for this client")
}

// note counts one wrong secret.
func (b *brakes) note(k brakeKey, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wrong == nil || len(b.wrong) >= mostBrakes {
		b.wrong = map[brakeKey]*wrongSecrets{}
	}
	w := b.wrong[k]
	if w == nil || now.Sub(w.since) >= brakeWindow {
		w = &wrongSecrets{since: now}
		b.wrong[k] = w
	}
	w.n++
}

func tooMany(left time.Duration, what string) error {
	f := fault.New(fault.RateLimited, "%s", what)
	f.RetryAfter = max(1, int(math.Ceil(left.Seconds())))
	return f.WithHint("try again in %d s", f.RetryAfter)
}

// Quotas bound what one client and one tenant may cost the whole installation: calls to Plaid, and disk.
type Quotas struct {
	Client, Tenant int // calls a minute that cost a call to Plaid each: links, exchanges, imports, refreshes, live balances
	Keys           int // replies a day that a client may have kept under Idempotency-Keys
}

// UsualQuotas leave room for a bulk import by hand, and none for a flood.
var UsualQuotas = Quotas{Client: 120, Tenant: 600, Keys: 20_000}

// quotas are the limiters of clients and tenants. One that is full again is dropped, for a new one is full too.
type quotas struct {
	of    Quotas
	now   func() time.Time
	mu    sync.Mutex
	by    map[string]*rate.Limiter
	swept time.Time
}

func (q *quotas) limiter(key string, perWindow int, window time.Duration) *rate.Limiter {
	l := q.by[key]
	if l == nil {
		l = rate.NewLimiter(rate.Every(window/time.Duration(perWindow)), perWindow)
		q.by[key] = l
	}
	return l
}

// take spends one paid call of a client and its tenant, or says when the next is free.
func (q *quotas) take(c tenant.Caller) error {
	if bankdItself(c) {
		return nil
	}
	return q.spend(map[string]int{"tenant " + c.TenantID: q.of.Tenant, "client " + c.Client.ID: q.of.Client}, time.Minute,
		"this client, or its tenant, has used up its calls to Plaid of this minute")
}

// takeKey spends one kept reply of a client.
func (q *quotas) takeKey(c tenant.Caller) error {
	return q.spend(map[string]int{"keys " + c.TenantID + " " + c.Client.ID: q.of.Keys}, keepFor, "this client has used up its Idempotency-Keys of this day")
}

func (q *quotas) spend(budgets map[string]int, window time.Duration, what string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.sweep(now)
	var reserved []*rate.Reservation
	for key, n := range budgets {
		r := q.limiter(key, n, window).ReserveN(now, 1)
		reserved = append(reserved, r)
		if wait := r.DelayFrom(now); wait > 0 {
			for _, r := range reserved {
				r.CancelAt(now)
			}
			return tooMany(wait, what)
		}
	}
	return nil
}

func (q *quotas) sweep(now time.Time) {
	if now.Sub(q.swept) < time.Minute {
		return
	}
	q.swept = now
	for key, l := range q.by {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(q.by, key)
		}
	}
}

// refusal is a kind of refused call: a flood of one kind costs one audit record a minute.
type refusal struct {
	tenantID, clientID string
	uid                int
	action, route      string
	code               fault.Code
}

// mostRefusals bounds the kinds that are counted apart; the others are counted together.
const mostRefusals = 10_000

type tally struct {
	caller  tenant.Caller
	written time.Time // when its last record was written
	pending int       // refused since
}

// refusals counts refused calls by their kind.
type refusals struct {
	mu  sync.Mutex
	all map[refusal]*tally
}

// count adds a refusal. It gives the number to write now, 0 where its kind has a record of the last minute.
func (r *refusals) count(k refusal, c tenant.Caller, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[refusal]*tally{}
	}
	t := r.all[k]
	if t == nil {
		if len(r.all) >= mostRefusals {
			k = refusal{tenantID: k.tenantID, uid: k.uid, action: k.action}
			c = tenant.Caller{TenantID: c.TenantID, UID: c.UID}
		}
		if t = r.all[k]; t == nil {
			t = &tally{caller: c}
			r.all[k] = t
		}
	}
	t.pending++
	if now.Sub(t.written) < brakeWindow {
		return 0
	}
	n := t.pending
	t.written, t.pending = now, 0
	return n
}

// due takes the counts that are to be written: of kinds without a record of the last minute, or of all.
func (r *refusals) due(now time.Time, all bool) map[refusal]tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[refusal]tally{}
	for k, t := range r.all {
		if !all && now.Sub(t.written) < brakeWindow {
			continue
		}
		if t.pending > 0 {
			out[k] = *t
			t.written, t.pending = now, 0
			continue
		}
		delete(r.all, k)
	}
	return out
}

// KeepRefusals writes the counts of refused calls that have waited a minute; with all, every one. The daemon runs it each
// minute, and when it stops.
func (b *Bank) KeepRefusals(ctx context.Context, all bool) (failed error) {
	for k, t := range b.guards.refused.due(b.time(), all) {
		if err := b.writeRefusal(ctx, k, t.caller, t.pending); err != nil {
			b.guards.refused.giveBack(k, t)
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// giveBack counts refusals again whose record could not be written.
func (r *refusals) giveBack(k refusal, lost tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.all[k]
	if t == nil {
		t = &tally{caller: lost.caller}
		r.all[k] = t
	}
	t.written, t.pending = time.Time{}, t.pending+lost.pending // the next minute writes it
}
