// Package nodetest runs Plaid's own Node SDK against the simulator: an application's flows, by a client that shares no line
// with ours. What the calls do to a bankd is left to other tests.
//
// It needs Node and the SDK: `npm ci` in this folder. Without them it skips loudly (with CI=true it fails).
package nodetest
