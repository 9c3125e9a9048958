//go:build !linux

package daemon

import "syscall"

// harden keeps the memory out of core files.
func harden() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
