package daemon

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logBuffer collects log lines and writes them together, so that a call does not wait for its line. A warning or error
// flushes at once.
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
	_, _ = l.w.Write(l.b) // an unwritable log cannot be reported anywhere
	l.b = l.b[:0]
}

// Flush writes the collected lines.
func (l *logBuffer) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.b) > 0 {
		l.flush()
	}
}

// keepFlushing flushes at intervals until ctx ends.
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

// flushingHandler flushes after every warning and error.
type flushingHandler struct {
	slog.Handler
	buffer *logBuffer
}

func (u flushingHandler) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		u.buffer.Flush()
	}
	return err
}

func (u flushingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushingHandler{u.Handler.WithAttrs(attrs), u.buffer}
}

func (u flushingHandler) WithGroup(name string) slog.Handler {
	return flushingHandler{u.Handler.WithGroup(name), u.buffer}
}
