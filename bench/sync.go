package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
)

// decoders holds the CPU time a row of the SDK's decoder and ours.
type decoders struct{ sdk, ours []float64 }

var costs = regexp.MustCompile(`([\d.]+) ours-cpu-ns/row\s+([\d.]+) sdk-cpu-ns/row`)

// measure runs both decoders over the same bytes, as a benchmark of internal/plaid: no other package may import the
// SDK.
func (d *decoders) measure(pagePath string) error {
	cmd := exec.Command("go", "-C", "..", "test", "-run", "^$", "-bench", "DecodeInTurn", "-benchtime", "6x", "./internal/plaid")
	cmd.Env = append(os.Environ(), "BANKD_BENCH_PAGE="+pagePath)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("decoders: %w: %s", err, out)
	}
	m := costs.FindSubmatch(out)
	if m == nil {
		return fmt.Errorf("decoders: no figures in: %s", out)
	}
	ours, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return err
	}
	sdk, err := strconv.ParseFloat(string(m[2]), 64)
	d.ours, d.sdk = append(d.ours, ours), append(d.sdk, sdk)
	return err
}

// synced holds bankd's resource use for a sync of all rows over HTTP.
type synced struct {
	cpu, wall time.Duration
	memory    float64
}

// syncAll lets a new bankd sync ten items from the simulator, both as processes, three times, and measures the decoders
// before, between and after.
func syncAll(ctx context.Context, t *table, p programs, rows int) error {
	sim, err := p.simulator()
	if err != nil {
		return err
	}
	defer func() { _ = sim.stop() }()
	pagePath, err := syncPage(sim.field("url"), p.dir)
	if err != nil {
		return err
	}
	var d decoders
	var perRow, perSecond, memory []float64
	for n := range 3 {
		if err := d.measure(pagePath); err != nil {
			return err
		}
		dir := filepath.Join(p.dir, fmt.Sprint("sync", n))
		s, err := syncOnce(ctx, p, dir, sim.field("url"), rows)
		if err != nil {
			return fmt.Errorf("sync: %w", err)
		}
		perRow, perSecond = append(perRow, float64(s.cpu)/float64(rows)), append(perSecond, float64(rows)/s.wall.Seconds())
		memory = append(memory, s.memory)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	sdk, ours, all := middle(d.sdk), middle(d.ours), middle(perRow)
	each := func(ns float64) string { return fmt.Sprintf("%.1fµs", ns/1000) }
	t.atLeast("decode a page of 500 rows, CPU a row", "plaid-go "+each(sdk), fmt.Sprintf("%s (%.0f rows/s)", each(ours), 1e9/ours), sdk/ours, 5)
	t.goal("sync over HTTP: CPU of all that bankd does a row / of plaid-go's decoding alone", all/sdk, 0.35, each(all)+" / "+each(sdk))
	t.note("a sync of %d rows over HTTP, three runs: %.0f rows/s with the simulator on the same CPUs; bankd's CPU a row %.1f ns; its RssAnon right after, MB: %.0f", rows, perSecond, perRow, memory)
	return nil
}

func syncOnce(ctx context.Context, p programs, dir, simulator string, rows int) (s synced, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return s, err
	}
	bankd, err := p.daemon(dir, simulator)
	if err != nil {
		return s, err
	}
	defer func() { _ = bankd.stop() }()
	c, err := admin(ctx, dir)
	if err != nil {
		return s, err
	}
	defer c.Close()
	before, err := bankd.cpu()
	if err != nil {
		return s, err
	}
	start := time.Now()
	if err := exchange(ctx, c, simulator, rows/items); err != nil {
		return s, err
	}
	if err := awaitRows(ctx, c, rows/items*items); err != nil {
		return s, err
	}
	s.wall = time.Since(start)
	after, err := bankd.cpu()
	if err != nil {
		return s, err
	}
	s.cpu = after - before
	s.memory, err = bankd.memory()
	return s, err
}

// awaitRows waits until bankd has synced that many rows by itself.
func awaitRows(ctx context.Context, c *client.Client, rows int) error {
	for deadline := time.Now().Add(time.Hour); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		all, _, err := c.ListConnections(ctx, connection.Query{}, page.Request{Page: 1, Limit: items})
		if err != nil {
			return err
		}
		total := 0
		for _, conn := range all {
			if conn.Transactions != nil {
				total += conn.Transactions.Total
			}
		}
		if total >= rows {
			return nil
		}
	}
	return fmt.Errorf("the rows have not come")
}
