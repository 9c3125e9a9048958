package store

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Copy calls begin, then add with every entry of one snapshot, as it is stored: values stay sealed. The bytes are valid
// until add returns.
func (db *DB) Copy(ctx context.Context, begin func(commits map[string]uint64) error, add func(key, value []byte) error) error {
	err := db.engine.View(ctx, func(raw EngineTx) error {
		commits, err := db.begin(raw).Commits()
		if err != nil {
			return err
		}
		if err := begin(commits); err != nil {
			return err
		}
		for e, err := range raw.PeekRange(nil, nil) {
			if err != nil {
				return db.noteDamage(err)
			}
			if err := add(e.Key, e.Value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("copy store: %w", err)
	}
	return nil
}

// ErrNotEmpty means that Fill was given an engine that holds something.
var ErrNotEmpty = errors.New("the store to fill is not empty")

const fillBytes = 4 << 20 // a transaction

// Fill writes the entries that next yields, until io.EOF, into an empty engine. Open checks them afterwards.
func Fill(ctx context.Context, engine Engine, next func() (key, value []byte, err error)) error {
	err := engine.View(ctx, func(tx EngineTx) error {
		for _, err := range tx.PeekRange(nil, nil) {
			return errors.Join(err, ErrNotEmpty)
		}
		return nil
	})
	for err == nil {
		var run []Entry
		var end error
		for size := 0; size < fillBytes && end == nil; {
			var e Entry
			if e.Key, e.Value, end = next(); end == nil {
				run = append(run, e)
				size += len(e.Key) + len(e.Value)
			}
		}
		if end != nil && !errors.Is(end, io.EOF) {
			return fmt.Errorf("fill store: %w", end)
		}
		err = engine.Update(ctx, func(tx EngineTx) error {
			for _, e := range run {
				if err := tx.Put(e.Key, e.Value); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(end, io.EOF) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("fill store: %w", err)
	}
	return nil
}
