//go:build !bankd_crashpoints

package bank

// crashPoint marks a point between two awaits, at which a test build can end the process.
func crashPoint(string) {}
