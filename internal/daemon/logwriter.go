package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logBuffer collects log lines, which a goroutine writes together: no call waits for its line, nor for a reader of the
// log that is slow or gone, nor for a full disk. Lines that find no room, or that cannot be written, are lost and
// counted.
type logBuffer struct {
	w      io.Writer
	report func(lost int, cause error) // called when lines are written again; nil for nobody

	mu   sync.Mutex
	b    []byte
	lost int

	cut  bool // the last write ended inside a line; of the goroutine alone
	wake chan struct{}
	end  chan struct{}
	done chan struct{}
}

const (
	logRoom  = 64 << 10 // written at once
	logMost  = 1 << 20  // kept for a slow reader
	logDelay = 200 * time.Millisecond
	logEnd   = time.Second // for the last lines at the end of the process
)

func newLogBuffer(w io.Writer) *logBuffer {
	l := &logBuffer{w: w, wake: make(chan struct{}, 1), end: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	if len(l.b)+len(p) > logMost {
		l.lost++
	} else {
		l.b = append(l.b, p...)
	}
	full := len(l.b) >= logRoom
	l.mu.Unlock()
	if full {
		l.Flush()
	}
	return len(p), nil
}

// Flush has the collected lines written at once; it does not wait.
func (l *logBuffer) Flush() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close writes the last lines. It gives up when nobody takes them.
func (l *logBuffer) Close() {
	close(l.end)
	select {
	case <-l.done:
	case <-time.After(logEnd):
	}
}

func (l *logBuffer) run() {
	defer close(l.done)
	tick := time.NewTicker(logDelay)
	defer tick.Stop()
	var cause error
	for last := false; !last; {
		select {
		case <-l.wake:
		case <-tick.C:
		case <-l.end:
			last = true
		}
		cause = l.write(cause)
	}
}

// write writes what was collected. It returns why lines were lost, until that is reported.
func (l *logBuffer) write(cause error) error {
	l.mu.Lock()
	b := l.b
	l.b = nil
	l.mu.Unlock()
	if len(b) == 0 {
		return cause
	}
	if l.cut { // the next line must not continue half a line
		b = append([]byte("\n"), b...)
	}
	n, err := l.w.Write(b)
	refused := bytes.Count(b[n:], []byte("\n"))
	if n > 0 {
		l.cut = b[n-1] != '\n'
	} else if l.cut {
		refused--
	}
	l.mu.Lock()
	if err != nil {
		l.lost += refused
	}
	if cap(b) <= 2*logRoom && l.b == nil {
		l.b = b[:0]
	}
	lost := l.lost
	if err == nil {
		l.lost = 0
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if lost > 0 && l.report != nil {
		l.report(lost, cause)
	}
	return nil
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
