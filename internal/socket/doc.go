// Package socket owns the Unix socket between bankd and its callers: its path, safe listening, dialing, and the uid at
// the other end. It also owns the lock that keeps a data directory to one daemon. It knows nothing of the API that
// packages server and client speak over it, and links nothing heavy.
package socket
