// Package internal is the map of the house, for newcomers. Calls go from left to right only:
//
//	bankctl:  cli, tui → client ──(HTTP/JSON over a Unix socket)──→ server → bank → store → engine (bolt)
//	              │         │                                         │       ├──→ audit
//	              │         │                                         │       └──→ plaid ──→ Plaid, or plaidsim
//	              └─────────┴──────── the same domain structs ────────┴── (account ach connection tenant trail money fault …)
//
// A "word" is a package of types and rules without I/O; both programs share them, so a reply is the domain struct and
// nothing is copied from one shape into another.
//
// Words:
//
//	fault       failures that cross the socket: code, status, exit code
//	secret      the string that cannot print itself
//	money       minor units and currency, exact
//	ach         routing and account numbers
//	account     the two layers: bank account (metadata), ACH account (credentials)
//	connection  a linked institution, a link session
//	employee    an employee's account, a company's capabilities, the rule that verifies
//	txn         a transaction, a query, a sum
//	tenant      tenants, clients, roles, scopes: who may touch what
//	trail       the audit log's words
//	page        the pages of a listing
//	query       the parameters of a route, told by tags: decoded, encoded, documented, made flags of
//	quota       what is left of calls that are limited
//	status      what the daemon says of itself
//	keys        the keys to the data: which there are, their rotation, their escrow
//
// The brain:
//
//	bank        use cases, one file a noun: read, ask, decide, write
//	audit       the append-only, hash-chained log
//	background  what runs beside the calls: turns, locks by name, a bell, sessions that are followed, and how long all of it rests
//	ledger      transactions: sealed segments, and in memory what makes sums and page numbers cheap
//
// The daemon's edges:
//
//	daemon      where bankd is put together; start and end
//	anchor      how far the data has come, kept outside it: an old copy is noticed
//	backup      the form of a backup, encrypted by age
//	server      the table of routes; decode, one call of bank, encode; Plaid's webhooks, on an address of their own
//	plaid       the only code that speaks Plaid
//	linkbrowser walks the simulator's Hosted Link page without a browser
//	plaidsim    a local Plaid with its Hosted Link page; imports nothing of ours
//	store       sealed typed collections over an ordered key-value Engine (bolt, mem; enginetest holds both to one contract)
//	vault       the key to the keys, per-tenant data keys, keyed digests
//
// Shared edges: socket (path, safe listen, dial, peer uid), private (whether others can read or replace a file), suggest (the known name that a mistyped one is near) and, for bankd
// alone, config.
//
// The user's side:
//
//	client      one typed method a route
//	cli         one file a command
//	tui         bubbletea screens over client
//	aaterm      keeps the terminal library from asking the terminal questions at start
//
// Tests alone: banktest (a real bankd in process), plaidspec (holds calls against Plaid's OpenAPI document), acceptance (holds
// the built programs against the two published documents, from outside).
//
// One call, six files, always in this order: command (cli), method (client), route (server), use case (bank),
// collection (store), word. To add a command, walk them from the word outwards. arch_test.go keeps the arrows true.
//
// Comments and tests cite requirements (R84) and readings of unclear points (A18): docs/requirements.md lists them.
package internal
