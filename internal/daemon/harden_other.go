//go:build !linux

package daemon

import "syscall"

// harden keeps what is in memory from being written to a core file.
func harden() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
