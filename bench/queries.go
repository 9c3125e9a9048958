package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/bankctl/bankctl/internal/txn"
)

// comparison is one query on all sides. Each side returns a number, which must be equal on all.
type comparison struct {
	what   string
	goal   float64
	ours   func() (int64, error)
	theirs func(s *sqlite) (int64, error)
	times  int // runs a round, for fast queries
}

func contests(ctx context.Context, d *data, o *ours, ids []string, full bool) []comparison {
	from, to := lastDay-89, lastDay
	r := rand.New(rand.NewPCG(5, 6))
	label := fmt.Sprintf(", %d rows", d.rows)
	sum := func(visible []string, name string, args ...any) (func() (int64, error), func(*sqlite) (int64, error)) {
		q := between(query(1), from, to)
		return func() (int64, error) {
				s, err := o.Summarize(ctx, o.tenant, visible, q, false, "")
				return s.Total ^ s.Debits<<20 ^ s.Credits<<40, err
			}, func(s *sqlite) (int64, error) {
				got, err := s.sum(ctx, name, args...)
				return got.count ^ got.debits<<20 ^ got.credits<<40, err
			}
	}
	all, allTheirs := sum(d.connectionsOf(-1), "sum all", from, to)
	one, oneTheirs := sum([]string{d.connections[3]}, "sum item", d.itemIDs[3], from, to)
	out := []comparison{
		{"summary of 90 days, everything" + label, 300, all, allTheirs, 1},
		{"summary of 90 days, one item" + label, 100, one, oneTheirs, 1},
	}
	if !full {
		return out
	}
	list := func(visible []string, q txn.Query) func() (int64, error) {
		return func() (int64, error) {
			p, err := o.List(ctx, o.tenant, visible, q)
			return int64(len(p.Rows)), err
		}
	}
	rows := func(name string, args ...any) func(s *sqlite) (int64, error) {
		return func(s *sqlite) (int64, error) {
			n, _, err := s.rows(ctx, name, args...)
			return int64(n), err
		}
	}
	return append(out,
		comparison{"newest page of 50, an employer's, 90 days", 2, list(d.connectionsOf(2), between(query(1), from, to)), rows("newest", "EMP002", from, to), 5},
		comparison{"the same, as JSON", 2, asJSON(ctx, o, d.connectionsOf(2), between(query(1), from, to)), rows("newest", "EMP002", from, to), 5},
		comparison{"page 2,000 by number, everything", 30, list(d.connectionsOf(-1), query(2000)), rows("offset", 99_950), 1},
		comparison{"get by id", 1.5, func() (int64, error) {
			_, err := o.Get(ctx, o.tenant, d.connectionsOf(-1), ids[r.IntN(len(ids))])
			return 1, err
		}, func(s *sqlite) (int64, error) { return rows("get", sqliteID(1+r.IntN(d.rows)))(s) }, 20},
	)
}

// asJSON returns the page as the API sends it; SQLite's rows stay Go values.
func asJSON(ctx context.Context, o *ours, visible []string, q txn.Query) func() (int64, error) {
	var dst []byte
	rows := int64(-1) // counted once, since counting takes longer than some of the writing
	return func() (int64, error) {
		var err error
		dst, _, _, err = o.AppendPage(ctx, dst[:0], o.tenant, visible, q, func(p *txn.Place) { p.PlaidItemID, p.EmployerID = "item", "EMP002" })
		if rows < 0 {
			rows = int64(bytes.Count(dst, []byte(`"_id"`)))
		}
		return rows, err
	}
}

// queries runs every comparison round by round, both drivers and our store in turn, and uses the faster driver.
func queries(ctx context.Context, t *table, d *data, o *ours, dir string, rounds int, full bool) error {
	sides, err := openAll(ctx, dir)
	if err != nil {
		return err
	}
	for _, s := range sides {
		defer s.db.Close()
	}
	ids, err := someIDs(ctx, d, o)
	if err != nil {
		return err
	}
	runtime.GC()
	for _, c := range contests(ctx, d, o, ids, full) {
		ours, theirs := timings{}, make([]timings, len(sides))
		for round := range rounds {
			for range c.times {
				var got int64
				if err := ours.run(func() (err error) { got, err = c.ours(); return err }); err != nil {
					return fmt.Errorf("%s: %w", c.what, err)
				}
				for i, s := range sides {
					var want int64
					if err := theirs[i].run(func() (err error) { want, err = c.theirs(s); return err }); err != nil {
						return fmt.Errorf("%s: %w", c.what, err)
					}
					if round == 0 && got != want {
						return errors.New(c.what + ": the answers differ")
					}
				}
			}
		}
		best := faster(theirs)
		t.add(c.what, drivers[best], theirs[best], ours, c.goal)
	}
	if full {
		return pages(ctx, t, d, o, rounds)
	}
	return nil
}

// faster returns the index of the faster driver.
func faster(sides []timings) int {
	if sides[1].median() < sides[0].median() {
		return 1
	}
	return 0
}

// pages compares page 2,000 with page 1, on our side only.
func pages(ctx context.Context, t *table, d *data, o *ours, rounds int) error {
	var first, deep timings
	list := func(n int) func() error {
		return func() error {
			_, err := o.List(ctx, o.tenant, d.connectionsOf(-1), query(n))
			return err
		}
	}
	for range rounds * 5 {
		if err := errors.Join(first.run(list(1)), deep.run(list(2000))); err != nil {
			return err
		}
	}
	t.goal("page 2,000 / page 1", float64(deep.median())/float64(first.median()), 5, short(deep.median())+" / "+short(first.median()))
	return nil
}

func someIDs(ctx context.Context, d *data, o *ours) (ids []string, err error) {
	for n := 1; n <= 20; n++ {
		q := query(n * 97)
		if q.Limit = 200; n == 1 {
			q.Page = 1
		}
		p, err := o.List(ctx, o.tenant, d.connectionsOf(-1), q)
		if err != nil {
			return nil, err
		}
		for _, r := range p.Rows {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

func profiled(full bool, path string) (stop func(), err error) {
	if !full || path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, pprof.StartCPUProfile(f)
}
