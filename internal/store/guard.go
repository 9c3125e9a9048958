package store

import (
	"context"
	"fmt"
	"runtime/debug"
)

// guard runs fn where a damaged file can neither take the process down nor
// hold the caller past its ctx: a fault in mapped memory or a panic becomes
// ErrDamaged. After the ctx has ended fn may still run, without being waited for.
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
