package plaidspec

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// written is a Recorder's sums on disk, so that those of several test processes can be added up.
type written struct {
	Counts, Outside, Codes map[string]int
	Violations             []string
}

// Write leaves the sums in the directory that BANKD_SPEC_REPORT names; without it, it does nothing.
func (r *Recorder) Write() error {
	dir := os.Getenv("BANKD_SPEC_REPORT")
	if dir == "" {
		return nil
	}
	r.mu.Lock()
	b, err := json.Marshal(written{r.counts, r.outside, r.codes, r.violations})
	r.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	f, err := os.CreateTemp(dir, "spec-*.json")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := f.Write(b); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return f.Close()
}

// ReadAll adds up the files that Write left in a directory.
func ReadAll(dir string) (*Recorder, error) {
	names, err := filepath.Glob(filepath.Join(dir, "spec-*.json"))
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	sum := Wrap(nil)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		var w written
		if err := json.Unmarshal(b, &w); err != nil {
			return nil, fmt.Errorf("read reports: %w", err)
		}
		sum.Merge(&Recorder{counts: w.Counts, outside: w.Outside, codes: w.Codes, violations: w.Violations})
	}
	return sum, nil
}
