package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Dir keeps each anchor in a file of a directory.
type Dir string

const (
	suffix  = ".json"
	maxFile = 1 << 20
)

// Where is the directory.
func (d Dir) Where() string { return string(d) }

// Load reads every anchor of the directory; a missing directory has none.
func (d Dir) Load(context.Context) ([]Anchor, error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read anchors: %w", err)
	}
	var all []Anchor
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), suffix) || strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(string(d), e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read anchor: %w", err)
		}
		var a Anchor
		if err := json.Unmarshal(text, &a); err != nil || a.DB+suffix != e.Name() {
			return nil, fmt.Errorf("read anchor %s: %w", e.Name(), ErrForged)
		}
		all = append(all, a)
	}
	return all, nil
}

// Save replaces the store's file; a crash leaves the old or the new one.
func (d Dir) Save(_ context.Context, a Anchor) error {
	if !validID(a.DB) {
		return fmt.Errorf("keep anchor: the store's id cannot name a file")
	}
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("keep anchor: %w", err)
	}
	if err := d.write(a.DB+suffix, append(text, '\n')); err != nil {
		return fmt.Errorf("keep anchor: %w", err)
	}
	return nil
}

// Forget deletes the anchor of a store that was given up.
func (d Dir) Forget(a Anchor) error {
	if !validID(a.DB) {
		return nil
	}
	if err := os.Remove(filepath.Join(string(d), a.DB+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget anchor: %w", err)
	}
	return nil
}

func (d Dir) write(name string, text []byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(string(d), ".anchor-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(string(d), name)); err != nil {
		return err
	}
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func validID(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdef") == "" }
