// Package socket owns the Unix socket between bankd and its callers: where it
// lies, listening on it safely, dialing it, and who is at the other end; and
// the lock that keeps a data directory to one daemon. It leaves what is said
// over the socket to packages server and client, and is light enough for both.
package socket
