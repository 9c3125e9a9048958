package daemon

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Lines are written together and in order; a warning flushes all lines before it.
func TestLogBuffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &refusing{room: 1 << 30}
		b := newLogBuffer(out)
		log := slog.New(flushingHandler{slog.NewTextHandler(b, nil), b}).With("a", 1).WithGroup("g")
		log.Info("one")
		synctest.Wait()
		if out.String() != "" {
			t.Error("a line was written at once")
		}
		time.Sleep(2 * logDelay)
		synctest.Wait()
		if !strings.Contains(out.String(), "msg=one") {
			t.Error("a line is never written")
		}
		log.Info("two")
		log.Warn("three")
		synctest.Wait()
		if text := out.String(); !strings.Contains(text, "msg=three") || strings.Index(text, "msg=two") > strings.Index(text, "msg=three") {
			t.Errorf("%s", text)
		}
		for range 2000 {
			log.Info(strings.Repeat("x", 100))
		}
		b.Close()
		if n := strings.Count(out.String(), "\n"); n != 2003 {
			t.Errorf("%d lines", n)
		}
	})
}

// refusing is a log on a disk that is full for a while: it takes a part of a write.
type refusing struct {
	mu   sync.Mutex
	room int
	text bytes.Buffer
}

func (r *refusing) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *refusing) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(r.room, len(p))
	r.room -= n
	_, _ = r.text.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

// What a full disk refuses is lost and counted; the log goes on with whole lines once there is room.
func TestLogOnFullDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &refusing{room: 30}
		b := newLogBuffer(out)
		log := slog.New(flushingHandler{slog.NewTextHandler(b, nil), b})
		b.report = func(lost int, cause error) { log.Warn("lines lost", "lines", lost, "cause", cause) }
		for range 3 {
			log.Warn("refused")
			synctest.Wait()
		}
		out.mu.Lock()
		out.room = 1 << 20
		out.mu.Unlock()
		log.Warn("taken")
		synctest.Wait()
		b.Close()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 3 || !strings.Contains(lines[1], "msg=taken") || !strings.Contains(lines[2], `msg="lines lost" lines=3 cause="no space left on device"`) {
			t.Errorf("%q", lines)
		}
	})
}

// Nobody waits for a reader that has stopped reading, not even the end of the process; memory stays bounded.
func TestLogReaderStands(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b := newLogBuffer(w)
	var lost int
	b.report = func(n int, _ error) { lost += n }
	line := []byte(strings.Repeat("x", 999) + "\n")
	const lines = 5000
	for range lines {
		_, _ = b.Write(line)
	}
	b.mu.Lock()
	if len(b.b) > logMost {
		t.Errorf("%d bytes kept", len(b.b))
	}
	b.mu.Unlock()
	start := time.Now()
	b.Close()
	if waited := time.Since(start); waited > 5*logEnd {
		t.Errorf("the end took %s", waited)
	}
	go func() {
		<-b.done
		_ = w.Close()
	}()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	<-b.done
	if got := bytes.Count(text, []byte("\n")); got == 0 || got+lost != lines {
		t.Errorf("%d lines written and %d told as lost, of %d", got, lost, lines)
	}
}
