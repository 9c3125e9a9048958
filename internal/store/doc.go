// Package store keeps typed records sealed on disk: collections over an ordered key-value Engine, one key prefix a
// tenant, every value encrypted and bound to its place. Keyed manifests reveal records that were
// removed or put back offline: Open checks every record against them.
//
// A process writes manifests of a lane of its own, so that several processes can share a store: a collection's manifest
// is the sum over the lanes.
//
// Package vault provides the keys; callers give records their meaning. The store cannot notice that its whole file was
// replaced by an older copy.
package store
