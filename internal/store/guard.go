package store

import (
	"context"
	"fmt"
	"runtime/debug"
)

// guard runs fn so that a damaged file neither crashes the process nor blocks the caller after its ctx: it turns a
// fault in mapped memory or a panic into ErrDamaged. After ctx has ended, guard returns while fn may still run.
func guard(ctx context.Context, fn func(context.Context) error) error {
	done := make(chan error, 1)
	go func() {
		var err error
		returned := false
		defer func() {
			if v := recover(); v != nil || !returned {
				err = fmt.Errorf("%w: reading it broke", ErrDamaged)
			}
			done <- err
		}()
		debug.SetPanicOnFault(true)
		err = fn(ctx)
		returned = true
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
