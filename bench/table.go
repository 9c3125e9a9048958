package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// timings are the runs of one side.
type timings struct {
	took []time.Duration
	used time.Duration
}

func (t *timings) run(f func() error) error {
	used, start := cpuTime(), time.Now()
	err := f()
	t.took = append(t.took, time.Since(start))
	t.used += cpuTime() - used
	return err
}

func (t *timings) median() time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.took))
	return sorted[len(sorted)/2]
}

func (t *timings) cpu() time.Duration {
	return (t.used / time.Duration(max(1, len(t.took)))).Round(time.Microsecond)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// table collects the rows of the report.
type table struct {
	rows  int
	lines []string
	notes []string
	began string
}

func newTable(rows int) *table { return &table{rows: rows, began: load()} }

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

func (t *table) add(what, against string, theirs, ours timings, goal float64) {
	ratio := float64(theirs.median()) / float64(max(1, ours.median()))
	t.line(what, against, theirs.median(), ours.median(), fmt.Sprintf("%.3gx", ratio), goal, ratio >= goal)
}

func (t *table) line(what, against string, theirs, ours time.Duration, ratio string, goal float64, met bool) {
	want, verdict := "-", "-"
	if goal > 0 {
		want, verdict = fmt.Sprintf(">= %gx", goal), word(met)
	}
	t.lines = append(t.lines, fmt.Sprintf("| %s | %s %s | %s | %s | %s | %s |", what, against, short(theirs), short(ours), ratio, want, verdict))
}

// atLeast adds a row for a ratio that must reach its goal, of figures other than durations.
func (t *table) atLeast(what, theirs, ours string, ratio, goal float64) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | %s | %s | %.3gx | >= %gx | %s |", what, theirs, ours, ratio, goal, word(ratio >= goal)))
}

// goal adds a row for a figure that must stay below its goal.
func (t *table) goal(what string, got, most float64, how string) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | - | %s | %.3g | <= %g | %s |", what, how, got, most, word(got <= most)))
}

func (t *table) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func word(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return d.Round(10 * time.Nanosecond).String()
	case d < time.Millisecond:
		return d.Round(100 * time.Nanosecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "%d rows, %d items, %d employers, %d accounts an item, %d days; %d CPUs, %s, load %s at the start and %s at the end; medians\n\n",
		t.rows, items, employers, accounts, days, runtime.NumCPU(), runtime.Version(), t.began, load())
	fmt.Fprintln(w, "| what | against | bankd | ratio | goal | |\n|---|---|---|---|---|---|")
	for _, l := range t.lines {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w)
	for _, n := range t.notes {
		fmt.Fprintln(w, "- "+n)
	}
}

func middle(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
