// Command bench builds the same transactions in bankd's store and in SQLite, runs the same queries on both in turn, and
// prints how they compare. It is a module of its own, so that SQLite stays out of bankd's.
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
	child := flag.String("open", "", "only open the store in this folder, and print how long it took and what it holds in memory")
	cpu := flag.String("cpuprofile", "", "write a profile of the largest run")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *child != "" {
		err = opened(ctx, *child)
	} else {
		err = run(ctx, *rows, *rounds, *cpu)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rows, rounds int, profile string) error {
	dir, err := os.MkdirTemp("", "bankd-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t := newTable(rows)
	for _, n := range []int{rows / 100, rows / 10, rows} {
		if n < items*100 {
			continue
		}
		at := filepath.Join(dir, fmt.Sprint(n))
		if err := os.Mkdir(at, 0o700); err != nil {
			return err
		}
		if err := measure(ctx, t, at, n, rounds, n == rows, profile); err != nil {
			return fmt.Errorf("%d rows: %w", n, err)
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
	}
	t.print(os.Stdout)
	return nil
}

func measure(ctx context.Context, t *table, dir string, rows, rounds int, full bool, profile string) error {
	d := newData(rows)
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
	if !full {
		return nil
	}
	if err := o.engine.Close(); err != nil {
		return err
	}
	return reopen(t, dir)
}
