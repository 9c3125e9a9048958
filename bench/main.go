// Command bench builds the same transactions in bankd's store and in SQLite, runs the same queries on both in turn, and
// prints the comparison. Then it measures bankd itself, as a process with a socket and the simulator. It is a module of
// its own, so that bankd does not depend on SQLite.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "transactions")
	rounds := flag.Int("rounds", 30, "times that each query runs on each side")
	child := flag.String("open", "", "only open the store in this folder, of the tenant and the connections that follow, and print how long it took and what it holds in memory")
	handler := flag.String("bare", "", "only serve the files page, small and tiny of this folder, with nothing but net/http")
	bankd := flag.String("bankd", "", "measure this bankd in place of one built from the folder above")
	only := flag.String("only", "", "measure only the sync, or only the rest: sync, store")
	cpu := flag.String("cpuprofile", "", "write a profile of the largest run")
	flag.Parse()
	ctx := context.Background()
	var err error
	switch {
	case *child != "":
		d := &data{tenant: flag.Arg(0)}
		copy(d.connections[:], flag.Args()[1:])
		err = opened(ctx, *child, d)
	case *handler != "":
		err = bare(*handler)
	default:
		err = run(ctx, *rows, *rounds, *cpu, *only, *bankd)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rows, rounds int, profile, only, bankd string) error {
	dir, err := os.MkdirTemp("", "bankd-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := buildPrograms(dir, bankd)
	if err != nil {
		return err
	}
	t := newTable(rows)
	defer func() { t.print(os.Stdout) }() // print the table even after a failure
	for _, n := range []int{rows / 100, rows / 10, rows} {
		if n < items*100 || only == "sync" {
			continue
		}
		at := filepath.Join(dir, fmt.Sprint(n))
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		if err := measure(ctx, t, p, at, n, rounds, n == rows, profile); err != nil {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
	}
	if only != "store" {
		if err := syncAll(ctx, t, p, rows); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, t *table, p programs, dir string, rows, rounds int, full bool, profile string) error {
	d := &data{rows: rows}
	if err := p.link(ctx, d, dir); err != nil {
		return fmt.Errorf("link: %w", err)
	}
	stop, err := profiled(full, profile)
	if err != nil {
		return err
	}
	defer stop()
	o, err := build(ctx, t, d, dir, full)
	if err != nil {
		return err
	}
	defer func() { _ = o.engine.Close() }()
	plain, err := openSQLite(ctx, dir, drivers[0])
	if err != nil {
		return err
	}
	if err := plain.fill(ctx, d); err != nil {
		return fmt.Errorf("fill SQLite: %w", err)
	}
	if err := plain.db.Close(); err != nil {
		return err
	}
	if full {
		t.note("SQLite's file, with its indexes, for comparison: %.0f MB", float64(fileSize(sqlitePath(dir)))/1e6)
	}
	if err := queries(ctx, t, d, o, dir, rounds, full); err != nil {
		return fmt.Errorf("queries: %w", err)
	}
	if err := o.engine.Close(); err != nil {
		return err
	}
	if full {
		if err := reopen(t, d, dir); err != nil {
			return err
		}
	}
	return overSocket(ctx, t, p, d, dir, rounds, full)
}
