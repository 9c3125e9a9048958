package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Progress tells how far an examination of all records is. Done never falls. Total is what the manifests count, and 0
// until they have been read.
type Progress struct{ done, total atomic.Uint64 }

// Done and Total are numbers of records.
func (p *Progress) Done() uint64  { return p.done.Load() }
func (p *Progress) Total() uint64 { return p.total.Load() }

// maxProblems bounds a report; ScrubReport.More counts the rest.
const maxProblems = 100

// Problem is an error found at one key.
type Problem struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// ScrubReport is the result of a Scrub.
type ScrubReport struct {
	Records     int       `json:"records"`
	Collections int       `json:"collections"`
	Tenants     int       `json:"tenants"`
	Problems    []Problem `json:"problems"`
	More        int       `json:"more,omitempty"`
}

// damage returns the first problem as an error, or nil.
func (r ScrubReport) damage() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return damaged(fmt.Sprintf("%s, at %s (%d places in all)", r.Problems[0].Reason, r.Problems[0].Key, len(r.Problems)+r.More))
}

// Scrub opens every value and recomputes every manifest, on a snapshot. Its error means that it stopped early; the
// report lists the damage found, which ends all further writes.
func (db *DB) Scrub(ctx context.Context, p *Progress) (ScrubReport, error) {
	report, err := db.examine(ctx, true, p)
	if err != nil {
		return ScrubReport{}, fmt.Errorf("scrub store: %w", err)
	}
	_ = db.noteDamage(report.damage())
	return report, nil
}

// examine recomputes every manifest from the stored records and, if opens is set, decrypts each of them too. A value
// whose bytes the manifest covers was written by a holder of the keys, so that reading need not open it beforehand.
func (db *DB) examine(ctx context.Context, opens bool, p *Progress) (ScrubReport, error) {
	return db.examineAs(ctx, db.checkOwn, opens, p)
}

// ownCheck checks the store's own entries and returns the manifests by collection.
type ownCheck func(EngineTx) (map[string]manifest, error)

func (db *DB) examineAs(ctx context.Context, own ownCheck, opens bool, p *Progress) (ScrubReport, error) {
	if p == nil {
		p = &Progress{}
	}
	found := make(chan ScrubReport, 1)
	err := guard(ctx, func(ctx context.Context) error {
		return db.engine.View(ctx, func(tx EngineTx) error {
			e := examiner{db: db, opens: opens, progress: p, seen: map[string]*manifest{}, tenants: map[string]bool{}}
			if err := e.run(ctx, tx, own); err != nil {
				return err
			}
			found <- e.report
			return nil
		})
	})
	if err != nil {
		return ScrubReport{}, err
	}
	return <-found, nil
}

type examiner struct {
	db       *DB
	opens    bool
	progress *Progress

	mu      sync.Mutex
	report  ScrubReport
	seen    map[string]*manifest // recomputed, by collection
	tenants map[string]bool
}

func (e *examiner) note(key, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.report.Problems) == maxProblems {
		e.report.More++
		return
	}
	e.report.Problems = append(e.report.Problems, Problem{key, reason})
}

func (e *examiner) run(ctx context.Context, tx EngineTx, own ownCheck) error {
	want, err := own(tx)
	if errors.Is(err, ErrDamaged) {
		e.note(prefixRoot, err.Error())
	} else if err != nil {
		return err
	}
	var total uint64
	for _, m := range want {
		total += m.count
	}
	e.progress.total.Store(total)
	batches := make(chan *batch, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for b := range batches {
				e.work(b)
			}
		})
	}
	err = e.walk(ctx, tx, batches)
	close(batches)
	workers.Wait()
	if err != nil {
		return err
	}
	e.compare(want)
	return nil
}

// walk hands every record to the workers, in copies: an entry of the engine is valid until the next one alone.
func (e *examiner) walk(ctx context.Context, tx EngineTx, to chan<- *batch) error {
	b := newBatch()
	for entry, err := range tx.PeekRange([]byte(prefixOwnsAfter), nil) {
		if err != nil {
			return err
		}
		if e.opens {
			if found, err := tx.Peek(entry.Key); err != nil || !bytes.Equal(found, entry.Value) {
				e.note(string(entry.Key), "is there, but cannot be looked up")
			}
		}
		b.add(entry)
		if b.full() {
			if err := ctx.Err(); err != nil {
				return err
			}
			to <- b
			b = newBatch()
		}
	}
	to <- b
	return nil
}

// work adds up the manifests of one batch.
func (e *examiner) work(b *batch) {
	defer batches.Put(b)
	var place place
	var sum manifest
	for key, value := range b.entries {
		next, ok := place.of(key)
		if !ok {
			e.note("?", "not a key of this store")
			continue
		}
		if next != place && place.collection != "" {
			e.count(place, sum)
			sum = manifest{}
		}
		place = next
		if e.opens {
			e.open(place, string(key[len(place.name())+1:]), key, value)
		}
		if err := sum.add(e.db.system().digester, key, value); err != nil {
			e.note(string(key), "cannot be digested")
		}
	}
	if place.collection != "" {
		e.count(place, sum)
	}
	e.progress.done.Add(uint64(len(b.ends)))
}

func (e *examiner) open(p place, id string, key, value []byte) {
	keys, err := e.db.tenant(p.tenant)
	if err != nil {
		e.note(string(key), "its tenant has no keys")
	} else if err := checkOpens(keys.sealer, p.tenant, p.collection, id, value); err != nil {
		e.note(string(key), "does not open in its place")
	}
}

func (e *examiner) count(p place, sum manifest) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.seen[p.name()]
	if m == nil {
		m = &manifest{}
		e.seen[p.name()] = m
	}
	m.merge(sum)
	e.report.Records += int(sum.count)
	e.tenants[p.tenant] = true
}

// compare holds the recomputed manifests against the stored ones.
func (e *examiner) compare(want map[string]manifest) {
	e.report.Collections, e.report.Tenants = len(e.seen), len(e.tenants)
	for name, m := range want {
		got := e.seen[name]
		if got == nil {
			got = &manifest{}
		}
		if m != *got {
			e.note(name, "records were taken away, put back or changed")
		}
		delete(e.seen, name)
	}
	for name := range e.seen {
		e.note(name, "collection without a manifest")
	}
}

// place is a tenant's collection.
type place struct{ tenant, collection string }

func (p place) name() string { return collectionName(p.tenant, p.collection) }

// of returns the place of a key: p itself, without work, for the next key of the same collection.
func (p place) of(key []byte) (place, bool) {
	if n := len(p.tenant) + len(p.collection) + 2; p.collection != "" && len(key) > n &&
		string(key[:len(p.tenant)]) == p.tenant && key[len(p.tenant)] == '/' &&
		string(key[len(p.tenant)+1:n-1]) == p.collection && key[n-1] == '/' && ValidID(string(key[n:])) {
		return p, true
	}
	tenant, collection, _, ok := splitKey(key)
	return place{tenant, collection}, ok
}

// batch is a run of records.
type batch struct {
	bytes []byte
	ends  [][2]int // of each key and value
}

const batchSize = 256 << 10

var batches = sync.Pool{New: func() any { return &batch{bytes: make([]byte, 0, batchSize+batchSize/4)} }}

func newBatch() *batch {
	b := batches.Get().(*batch)
	b.bytes, b.ends = b.bytes[:0], b.ends[:0]
	return b
}

func (b *batch) full() bool { return len(b.bytes) >= batchSize }

func (b *batch) add(e Entry) {
	b.bytes = append(b.bytes, e.Key...)
	key := len(b.bytes)
	b.bytes = append(b.bytes, e.Value...)
	b.ends = append(b.ends, [2]int{key, len(b.bytes)})
}

// entries yields the keys and values.
func (b *batch) entries(yield func(key, value []byte) bool) {
	at := 0
	for _, end := range b.ends {
		if !yield(b.bytes[at:end[0]:end[0]], b.bytes[end[0]:end[1]:end[1]]) {
			return
		}
		at = end[1]
	}
}
