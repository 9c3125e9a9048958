// Package bank is the brain: one use case after the other, each "read, ask, decide, write". It owns the stored
// records and the bounds of transactions; rules live in the words it imports, and nothing here knows HTTP.
package bank

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Schema is the version of the stored form.
const Schema = 1

// Products a new link asks for, unless its caller names others.
type Products struct {
	Products            []string
	RequiredIfSupported []string
	Optional            []string
}

// Config is what a Bank works with.
type Config struct {
	Store    *store.DB
	Ledger   *ledger.Ledger // of the same store
	Plaid    *plaid.Client
	Products Products
	Webhook  string // where Plaid reaches bankd; empty = it does not
	Days     int    // of past transactions that a new link asks for
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Bank holds what every use case needs and nothing else.
type Bank struct {
	db       *store.DB
	ledger   *ledger.Ledger
	plaid    *plaid.Client
	products Products
	log      *slog.Logger
	now      func() time.Time

	clients  sync.Map // client id → storedClient, dropped when it is revoked
	reading  sync.RWMutex
	writes   atomic.Uint64 // counts the beginning and the end of every write
	linked   sync.Map      // tenant id → linkedCache
	underway sync.Map      // connection id → *progress, while its transactions are read
	syncs    *turns
	checks   *turns
	removing *turns

	hooks     seen
	finishing sync.Map // where → true, while an exchange is finished in the background

	webhookURL string
	days       int
	locks      keyed // one at a time: of an exchange, an employee's account, a sync, an Idempotency-Key
	sessions   *watch
	stats      Stats
}

// Stats counts what an operator should hear of, since the start.
type Stats struct {
	Exchanges     atomic.Int64 // public tokens exchanged
	LostExchanges atomic.Int64 // Items that exist at Plaid and whose token was lost with the process
	LostTokens    atomic.Int64 // of them, those whose token was being swapped
	Webhooks      atomic.Int64 // taken in
	ForgedHooks   atomic.Int64 // refused: not Plaid's, stale, or about another body
	NumberFetches atomic.Int64 // calls that brought account numbers
	Refusals      atomic.Int64 // calls refused for role or scope
}

// New makes a bank over an open store. Start must run before sessions are watched.
func New(c Config) *Bank {
	if c.Now == nil {
		c.Now = time.Now
	}
	b := &Bank{
		db: c.Store, ledger: c.Ledger, plaid: c.Plaid, products: c.Products, log: c.Log, now: c.Now, days: c.Days, webhookURL: c.Webhook,
		syncs: newTurns(syncsAtOnce), checks: newTurns(syncsAtOnce), removing: newTurns(syncsAtOnce),
	}
	b.sessions = newWatch(c.Plaid.Environment() == plaid.Simulated)
	return b
}

// Stats gives the counters.
func (b *Bank) Stats() *Stats { return &b.stats }

// Live reports whether real money is behind this bank: it decides the prefix of client ids.
func (b *Bank) Live() bool { return b.plaid.Environment() == plaid.Production }

// Start makes the default tenant where there is none, finishes what a crash cut off, and watches open sessions until
// ctx ends.
func (b *Bank) Start(ctx context.Context) error {
	if _, err := b.TenantByName(ctx, tenant.DefaultName); fault.Is(err, fault.NotFound) {
		if _, err := b.makeTenant(ctx, tenant.Caller{UID: -1}, tenant.DefaultName); err != nil {
			return fmt.Errorf("make default tenant: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("find default tenant: %w", err)
	}
	if err := b.resume(ctx); err != nil {
		return err
	}
	b.sessions.running.Go(func() { b.watchTransactions(ctx) })
	b.sessions.running.Go(func() { b.watchConnections(ctx) })
	b.sessions.running.Go(func() { b.watchEmployees(ctx) })
	return nil
}

// OpenLedger reads the transactions of all tenants of a store. It writes nothing.
func OpenLedger(ctx context.Context, db *store.DB) (*ledger.Ledger, error) {
	all, err := tenantsOf(ctx, db)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ledger.Open(ctx, db, ids)
}

// Wait returns when the background work that Start began has ended, after its context did.
func (b *Bank) Wait() { b.sessions.running.Wait() }

// time is the clock, to the microsecond and in UTC: what is stored reads back equal.
func (b *Bank) time() time.Time { return b.now().UTC().Truncate(time.Microsecond) }

// missing turns the store's "not found" into the API's.
func missing(err error, noun string) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadName) {
		return fault.New(fault.NotFound, "no such %s", noun)
	}
	return err
}

// keyed is a set of locks by name.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*lock
}

type lock struct {
	sync.Mutex
	users int
}

// lock waits for a name and gives back its unlock.
func (k *keyed) lock(name string) func() {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*lock{}
	}
	l := k.locks[name]
	if l == nil {
		l = &lock{}
		k.locks[name] = l
	}
	l.users++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.locks, name)
		}
	}
}
