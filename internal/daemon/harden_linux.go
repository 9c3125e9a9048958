package daemon

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// harden keeps the memory out of core files and away from other processes of the same user. Each step is best effort: a
// sandbox may forbid it.
func harden() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}
