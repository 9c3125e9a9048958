// Package store keeps typed records sealed on disk: collections over an
// ordered key-value Engine, one key prefix a tenant, every value encrypted
// and bound to its place, and a keyed manifest a collection so that a record
// taken away or put back offline shows.
//
// It leaves to package vault where keys come from, and to its callers what a
// record means. It cannot see that a whole file was replaced by an older copy
// of itself.
package store
