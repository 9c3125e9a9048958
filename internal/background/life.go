package background

import (
	"context"
	"sync"
)

// Life is the time between the daemon's start and its stop. Background work runs within it.
type Life struct {
	mu      sync.Mutex
	ctx     context.Context // nil before Start
	once    map[string]bool // names of work under way that GoOnce began
	running sync.WaitGroup
}

// Start begins the life: it lasts until ctx ends.
func (l *Life) Start(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx = ctx
}

func (l *Life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ctx
}

// Stopping is closed when the daemon stops; nil, which never is, before Start.
func (l *Life) Stopping() <-chan struct{} {
	if ctx := l.context(); ctx != nil {
		return ctx.Done()
	}
	return nil
}

// Go runs work until it returns; its context ends when the daemon stops. Before Start and after the stop nothing runs.
func (l *Life) Go(work func(ctx context.Context)) {
	if ctx := l.context(); ctx != nil && ctx.Err() == nil {
		l.running.Go(func() { work(ctx) })
	}
}

// GoOnce is Go, unless work of the same name is under way.
func (l *Life) GoOnce(name string, work func(ctx context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil || l.ctx.Err() != nil || l.once[name] {
		return
	}
	if l.once == nil {
		l.once = map[string]bool{}
	}
	l.once[name] = true
	ctx := l.ctx
	l.running.Go(func() {
		defer func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			delete(l.once, name)
		}()
		work(ctx)
	})
}

// Outlive runs work that a call began and that goes on without the call: its context carries the call's values and ends
// when the daemon stops. It runs before Start too.
func (l *Life) Outlive(call context.Context, work func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(call))
	forget := func() bool { return true }
	if life := l.context(); life != nil {
		forget = context.AfterFunc(life, cancel)
	}
	l.running.Go(func() {
		defer cancel()
		defer forget()
		work(ctx)
	})
}

// Wait returns when all work has ended. The life must have ended before.
func (l *Life) Wait() { l.running.Wait() }
