//go:build bankd_crashpoints

package store

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

var passed atomic.Int64

// crashPoint ends the process as kill -9 does, at the point that BANKD_CRASH_AT names: "point", or "point:n" for the
// n-th time.
func crashPoint(point string) {
	name, nth, _ := strings.Cut(os.Getenv("BANKD_CRASH_AT"), ":")
	if name != point {
		return
	}
	n, _ := strconv.ParseInt(nth, 10, 64)
	if passed.Add(1) >= n {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
