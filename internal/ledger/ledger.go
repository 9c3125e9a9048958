// Package ledger keeps transactions: sealed segments of at most 32 rows on disk, and in memory enough to make sums and
// page numbers cheap, derived from the segments' heads at start. Package bank decides who may see them and asks Plaid.
package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bankctl/bankctl/internal/store"
)

// ErrNotFound means that no such transaction exists, or that the caller may not see it.
var ErrNotFound = errors.New("no such transaction")

// Ledger holds the transactions of every tenant of one store. Do not call its methods inside a transaction of that
// store: an update holds the ledger's lock during its commit, and a commit may wait for all transactions to end.
type Ledger struct {
	db *store.DB

	mu      sync.RWMutex // write-locked during a commit, so that readers see memory and disk agree
	tenants map[string]*tenantItems
}

// tenantItems holds one tenant's items.
type tenantItems struct {
	ids     idCipher
	items   map[string]*item // by connection id
	aliases map[string]*aliases
	last    uint32 // the highest number an item ever had; numbers are not used again, so an old id never finds another item's row
}

// numbers is the record that stores tenantItems.last.
type numbers struct {
	Last uint32 `json:"last"`
}

var (
	heads    = store.NewCollection[head]("txn_items")
	counters = store.NewCollection[numbers]("txn_numbers")
	segments = store.NewBlobs("txn_segments")
	staged   = store.NewBlobs("txn_staged")                   // segments of a large update that readers must not see yet
	stages   = store.NewCollection[stageRecord]("txn_stages") // by connection id: large updates that are not folded yet
)

const itemNumbers = "items"

// segmentID is a segment's key: item and segment number in hex, so that an item's segments follow each other.
func segmentID(item, no uint32) string {
	b := hex.AppendEncode(make([]byte, 0, 17), []byte{byte(item >> 24), byte(item >> 16), byte(item >> 8), byte(item)})
	return string(hex.AppendEncode(append(b, '.'), []byte{byte(no >> 24), byte(no >> 16), byte(no >> 8), byte(no)}))
}

// Open reads the heads of all tenants' segments and builds the part that stays in memory. It writes where a large update
// was interrupted.
func Open(ctx context.Context, db *store.DB, tenants []string) (*Ledger, error) {
	l := &Ledger{db: db, tenants: map[string]*tenantItems{}}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range tenants {
		if err := l.recover(ctx, t); err != nil {
			return nil, fmt.Errorf("end a large update: %w", err)
		}
		b, err := l.loadTenant(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("read transactions: %w", err)
		}
		l.tenants[t] = b
		for _, it := range b.items {
			g.Go(func() error { return it.load(ctx, db, t) })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	return l, nil
}

// loadTenant reads a tenant's items without their rows.
func (l *Ledger) loadTenant(ctx context.Context, tenant string) (*tenantItems, error) {
	b, err := l.newTenant(tenant)
	if err != nil {
		return nil, err
	}
	err = l.db.View(ctx, func(tx *store.Tx) error {
		n, err := counters.Get(tx, tenant, itemNumbers)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		b.last = n.Last
		for rec, err := range heads.Scan(tx, tenant, store.Range{}) {
			if err != nil {
				return err
			}
			it := newItem(rec.Value)
			it.alias = b.aliasesOf(it.Head.ConnectionID)
			b.items[it.Head.ConnectionID] = it
			b.last = max(b.last, it.No)
		}
		return nil
	})
	return b, err
}

func (l *Ledger) newTenant(tenant string) (*tenantItems, error) {
	ids, err := newIDCipher(l.db, tenant)
	if err != nil {
		return nil, err
	}
	return &tenantItems{ids: ids, items: map[string]*item{}, aliases: map[string]*aliases{}}, nil
}

// segmentNo is the segment's number in its id.
func segmentNo(id string) uint32 {
	n, _ := strconv.ParseUint(id[len(id)-8:], 16, 32) // ids are ours
	return uint32(n)
}

// counted is the range of the segments that the item's head counts.
func (it *item) counted() store.Range {
	return store.Range{Prefix: segmentID(it.No, 0)[:9], To: segmentID(it.No, it.Head.Segments)}
}

// load reads the heads of an item's segments.
func (it *item) load(ctx context.Context, db *store.DB, tenant string) error {
	it.segments = make([]segmentInfo, 0, it.Head.Segments)
	it.plaid.reserve(int(it.Head.Segments) * maxRows)
	err := db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range segments.Heads(tx, tenant, it.counted()) {
			if err != nil {
				return err
			}
			if err := it.addSegment(rec.ID, rec.Value); err != nil {
				return fmt.Errorf("segment %s: %w", rec.ID, err)
			}
		}
		return nil
	})
	if err == nil && len(it.segments) != int(it.Head.Segments) {
		err = fmt.Errorf("segments of an item: %w", errDamaged)
	}
	it.refresh(math.MinInt32)
	return err
}

// addSegment adds a stored segment's head to the item in memory.
func (it *item) addSegment(id string, stored []byte) error {
	no := uint32(len(it.segments))
	if id != segmentID(it.No, no) || no >= it.Head.Segments {
		return errDamaged
	}
	s, err := parse(stored)
	if err != nil {
		return err
	}
	it.segments = append(it.segments, s.info())
	tags := s.tags
	for i := range s.n {
		h := s.header(i)
		if int(h.account) >= len(it.Head.Accounts) || int(h.currency) >= len(it.Head.Currencies) {
			return errDamaged
		}
		if h.flags&moved != 0 {
			continue
		}
		it.plaid.put(h.tag, locate(it.No, no, i))
		if h.flags&removed != 0 {
			it.dead.put(contentTag(h), locate(it.No, no, i))
		}
		if h.flags&wasPending != 0 {
			it.plaid.put(uint32(tags[0])<<24|uint32(tags[1])<<16|uint32(tags[2])<<8|uint32(tags[3]), locate(it.No, no, i))
			tags = tags[4:]
		}
		if h.flags&removed == 0 {
			it.bound.add(h.amount)
			if err := it.count(change{h, false}); err != nil {
				return err
			}
		}
	}
	return nil
}

// State is the progress of an item's sync.
type State struct {
	Cursor   string
	Status   string
	SyncedAt *time.Time
	Rows     int
	SetAside int // rows that could not be stored
}

// State returns the progress of an item's sync; the zero State if it was never synced.
func (l *Ledger) State(tenant, connectionID string) State {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.tenants[tenant]
	if b == nil || b.items[connectionID] == nil {
		return State{}
	}
	it := b.items[connectionID]
	return State{it.Head.Cursor, it.Head.Status, it.Head.SyncedAt, it.rows, it.Head.SetAside + it.Head.SetAsideMore}
}
