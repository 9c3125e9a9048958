//go:build !linux

package socket

// SiblingStarts reports whether our parent has started a daemon too; only Linux tells.
func SiblingStarts() bool { return false }
