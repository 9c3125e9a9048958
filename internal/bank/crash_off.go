//go:build !bankd_crashpoints

package bank

// crashPoint marks a point between two awaits; a test build ends the process there.
func crashPoint(string) {}
