package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Lines are written together and in order; a warning flushes all lines before it.
func TestLogBuffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := &logBuffer{w: &out}
		ctx, cancel := context.WithCancel(t.Context())
		go b.keepFlushing(ctx)
		log := slog.New(flushingHandler{slog.NewTextHandler(b, nil), b}).With("a", 1).WithGroup("g")
		log.Info("one")
		if out.Len() > 0 {
			t.Error("a line was written at once")
		}
		time.Sleep(2 * logDelay)
		synctest.Wait()
		if !strings.Contains(out.String(), "msg=one") {
			t.Error("a line is never written")
		}
		log.Info("two")
		log.Warn("three")
		if text := out.String(); !strings.Contains(text, "msg=three") || strings.Index(text, "msg=two") > strings.Index(text, "msg=three") {
			t.Errorf("%s", text)
		}
		for range 2000 {
			log.Info(strings.Repeat("x", 100))
		}
		b.Flush()
		if n := strings.Count(out.String(), "\n"); n != 2003 {
			t.Errorf("%d lines", n)
		}
		cancel()
		synctest.Wait()
	})
}
