// Package background owns the daemon's life beside its calls: work that runs until the daemon stops (Life), one turn
// after the other for each of many things (Scheduler), locks by name (Locks), link sessions that are asked after until
// they end (Followers), what came lately (Recent), and how long all of it rests (Tempo). What the work is, its users
// say: nothing here knows a bank.
package background
