package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// opened runs in a process of its own: it opens the store, and prints the time taken and the memory used.
func opened(ctx context.Context, dir string, d *data) error {
	o, err := openOurs(ctx, dir, d.tenant)
	if err != nil {
		return err
	}
	atOpen, err := rssAnon("/proc/self/status")
	if err != nil {
		return err
	}
	for n := range 2000 {
		if _, err := o.List(ctx, d.tenant, d.connectionsOf(n%employers), query(1+n%1000)); err != nil {
			return err
		}
	}
	later, err := rssAnon("/proc/self/status")
	if err != nil {
		return err
	}
	fmt.Println(o.opening.Seconds(), atOpen, later)
	return o.engine.Close()
}

// rssAnon reads a process's anonymous memory, in MB.
func rssAnon(status string) (float64, error) {
	f, err := os.Open(status)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if kb, ok := strings.CutPrefix(s.Text(), "RssAnon:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 64)
			return n / 1024, err
		}
	}
	return 0, fmt.Errorf("no RssAnon")
}

// reopen opens the store in five processes, one after another.
func reopen(t *table, d *data, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var took, atOpen, later []float64
	for range 5 {
		out, err := exec.Command(self, append([]string{"-open", dir, d.tenant}, d.connections[:]...)...).Output()
		if err != nil {
			return fmt.Errorf("reopen: %w", err)
		}
		var a, b, c float64
		if _, err := fmt.Sscan(string(out), &a, &b, &c); err != nil {
			return err
		}
		took, atOpen, later = append(took, a), append(atOpen, b), append(later, c)
	}
	t.goal("open, seconds (pages checked, counts and roots, heads)", middle(took), 0.5, fmt.Sprintf("five processes: %.3f", took))
	t.goal("RssAnon with the rows open, MB", middle(atOpen), 64, fmt.Sprintf("five processes: %.1f", atOpen))
	t.goal("RssAnon after 2,000 pages, MB", middle(later), 64, fmt.Sprintf("five processes: %.1f", later))
	return nil
}
