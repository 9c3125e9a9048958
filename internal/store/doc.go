// Package store keeps typed records sealed on disk: collections over an ordered key-value Engine, one key prefix a
// tenant, every value encrypted and bound to its place. A keyed manifest a collection reveals records that were removed
// or put back offline.
//
// Package vault provides the keys; callers give records their meaning. The store cannot notice that its whole file was
// replaced by an older copy.
package store
