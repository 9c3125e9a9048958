package daemon

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logBuffer gathers log lines and writes them together, so that a call does not wait for its line. Warnings and errors
// are written at once, with all before them.
type logBuffer struct {
	w  io.Writer
	mu sync.Mutex
	b  []byte
}

const (
	logRoom  = 64 << 10
	logDelay = 200 * time.Millisecond
)

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	if len(l.b) >= logRoom {
		l.flush()
	}
	return len(p), nil
}

func (l *logBuffer) flush() {
	_, _ = l.w.Write(l.b) // there is nowhere to tell that the log cannot be written
	l.b = l.b[:0]
}

// Flush writes what is gathered.
func (l *logBuffer) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.b) > 0 {
		l.flush()
	}
}

// keepFlushing writes what is gathered every now and then, until ctx ends.
func (l *logBuffer) keepFlushing(ctx context.Context) {
	tick := time.NewTicker(logDelay)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.Flush()
		}
	}
}

// urgent flushes behind every warning and error.
type urgent struct {
	slog.Handler
	buffer *logBuffer
}

func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		u.buffer.Flush()
	}
	return err
}

func (u urgent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(attrs), u.buffer}
}

func (u urgent) WithGroup(name string) slog.Handler {
	return urgent{u.Handler.WithGroup(name), u.buffer}
}
