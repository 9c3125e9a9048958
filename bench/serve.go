package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/txn"
)

const listPath = "/api/v1/plaid/transactions"

// noPlaid is an address where nothing listens: bankd serves its store without Plaid.
const noPlaid = "http://127.0.0.1:9"

func (d *data) credentials() []string {
	return []string{"X-Client-ID", d.client, "X-Client-Secret", d.secret}
}

// overSocket measures bankd as users have it: a process that serves the store over its socket.
func overSocket(ctx context.Context, t *table, p programs, d *data, dir string, rounds int, full bool) error {
	if full {
		if err := starts(t, p, d, dir); err != nil {
			return fmt.Errorf("starts: %w", err)
		}
	}
	bankd, err := p.daemon(dir, noPlaid)
	if err != nil {
		return err
	}
	defer func() { _ = bankd.stop() }()
	if err := bankd.settle(); err != nil {
		return err
	}
	if err := summaries(ctx, t, d, dir, rounds, full); err != nil {
		return fmt.Errorf("summaries: %w", err)
	}
	if !full {
		return nil
	}
	if err := againstBare(t, p, d, dir); err != nil {
		return fmt.Errorf("calls: %w", err)
	}
	return nil
}

// starts starts bankd five times, each serving 2,000 pages, and once with an empty store.
func starts(t *table, p programs, d *data, dir string) error {
	var ready, atOpen, later []float64
	for range 5 {
		bankd, err := p.daemon(dir, noPlaid)
		if err != nil {
			return err
		}
		ready = append(ready, bankd.ready.Seconds())
		a, b, err := bothMemories(bankd, d, dir)
		if err := errors.Join(err, bankd.stop()); err != nil {
			return err
		}
		atOpen, later = append(atOpen, a), append(later, b)
	}
	empty := filepath.Join(p.dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		return err
	}
	bankd, err := p.daemon(empty, noPlaid)
	if err != nil {
		return err
	}
	settled := bankd.settle()
	nothing, err := bankd.memory()
	if err := errors.Join(settled, err, bankd.stop()); err != nil {
		return err
	}
	t.goal("bankd: exec to ready, seconds", middle(ready), 0.5, fmt.Sprintf("five starts: %.3f", ready))
	t.goal("bankd: RssAnon with the rows open and checked, MB", middle(atOpen), 64, fmt.Sprintf("five starts: %.1f", atOpen))
	t.goal("bankd: RssAnon after 2,000 pages over the socket, MB", middle(later), 64, fmt.Sprintf("five starts: %.1f", later))
	t.goal("bankd: RssAnon idle, with an empty store, MB", nothing, 10, "one start")
	return nil
}

func bothMemories(bankd *process, d *data, dir string) (atOpen, later float64, err error) {
	if err := bankd.settle(); err != nil {
		return 0, 0, err
	}
	if atOpen, err = bankd.memory(); err != nil {
		return 0, 0, err
	}
	for n := range 2000 {
		w, err := dial(socketPath(dir), fmt.Sprintf("%s?employer_id=%s&page=%d&limit=50", listPath, employer(n%employers), 1+n%1000), d.credentials()...)
		if err != nil {
			return 0, 0, err
		}
		if err := errors.Join(w.call(), w.conn.Close()); err != nil {
			return 0, 0, err
		}
	}
	later, err = bankd.memory()
	return atOpen, later, err
}

// summaries compares a summary over the socket with SQLite's query in this process.
func summaries(ctx context.Context, t *table, d *data, dir string, rounds int, full bool) error {
	from, to := lastDay-89, lastDay
	w, err := dial(socketPath(dir), fmt.Sprintf("%s/summary?date_from=%s&date_to=%s", listPath, txn.Date(from), txn.Date(to)), d.credentials()...)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	reply, err := w.reply()
	if err != nil {
		return err
	}
	var got struct{ Data txn.Summary }
	if err := json.Unmarshal(reply, &got); err != nil {
		return err
	}
	var ours timings
	theirs := make([]timings, len(drivers))
	sides, err := openAll(ctx, dir)
	if err != nil {
		return err
	}
	for range rounds {
		for i, s := range sides {
			err := theirs[i].run(func() error {
				sum, err := s.sum(ctx, "sum all", from, to)
				if sum != (sums{got.Data.Total, got.Data.Debits, got.Data.Credits}) {
					return errors.New("the answers differ")
				}
				return err
			})
			for range 5 {
				err = errors.Join(err, ours.run(w.call))
			}
			if err != nil {
				return err
			}
		}
	}
	for _, s := range sides {
		if err := s.db.Close(); err != nil {
			return err
		}
	}
	goal := 0.0
	if full {
		goal = 100
	}
	best := faster(theirs)
	t.add(fmt.Sprintf("the same over bankd's socket, %d rows", d.rows), drivers[best], theirs[best], ours, goal)
	return nil
}

// againstBare compares bankd's calls, in turn, with a bare handler that writes the same bytes.
func againstBare(t *table, p programs, d *data, dir string) error {
	paths := map[string]string{"page": listPath + "?limit=50", "small": "/api/v1/plaid/connections/" + d.connections[3], "tiny": "/api/v1/status"}
	for name, path := range paths {
		w, err := dial(socketPath(dir), path, d.credentials()...)
		if err != nil {
			return err
		}
		body, err := w.reply()
		if err := errors.Join(err, w.conn.Close(), os.WriteFile(filepath.Join(dir, name), body, 0o600)); err != nil {
			return err
		}
		t.note("bytes of the reply, %s: %d", name, len(body))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	handler, err := start(filepath.Join(p.dir, "bare.log"), self, "-bare", dir)
	if err != nil {
		return err
	}
	defer func() { _ = handler.stop() }()
	for _, g := range []struct {
		name, what string
		goal       float64
	}{
		{"page", "GET a page of 50 over the socket", 0.5},
		{"small", "GET a connection over the socket, whole chain and log", 0.7},
		{"tiny", "GET bankd's status, the chain without a client to check", 0.7},
	} {
		for _, n := range []int{16, 1} {
			if err := hold(t, d, dir, g.name, fmt.Sprintf("%s, %d at a time", g.what, n), paths[g.name], n, g.goal); err != nil {
				return err
			}
		}
	}
	return nil
}

func hold(t *table, d *data, dir, name, what, path string, n int, goal float64) error {
	ours, err := dialAll(n, socketPath(dir), path, d.credentials()...)
	if err != nil {
		return err
	}
	theirs, err := dialAll(n, bareSocket(dir), "/"+name, d.credentials()...)
	if err != nil {
		return err
	}
	want, err := theirs[0].reply()
	if err != nil {
		return err
	}
	if got, err := ours[0].reply(); err != nil || !bytes.Equal(got, want) {
		return errors.Join(errors.New("bankd and the bare handler answer differently"), err)
	}
	const rounds, round = 9, 400 * time.Millisecond
	rates, times := [2][]float64{}, [2][]time.Duration{}
	for k := range rounds + 1 {
		for i := range 2 {
			side := (i + k) % 2
			rate, took, err := []connections{theirs, ours}[side].run(round)
			if err != nil {
				return err
			}
			if k > 0 { // the first call warms up
				rates[side], times[side] = append(rates[side], rate), append(times[side], took...)
			}
		}
	}
	show := func(side int) string {
		slices.Sort(times[side])
		at := func(part int) string { return short(times[side][len(times[side])*part/100]) }
		return fmt.Sprintf("%.0f/s, p50 %s, p99 %s", middle(rates[side]), at(50), at(99))
	}
	t.atLeast(what, "bare handler "+show(0), show(1), middle(rates[1])/middle(rates[0]), goal)
	return errors.Join(ours.close(), theirs.close())
}
