# `make demo` and `make test` are all a fresh machine needs, beside Go and a C compiler.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/bankctl/bankctl/internal/status.Version=$(VERSION)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
SOURCES := $(shell find cmd internal -name '*.go' -o -name '*.html' -o -name '*.txt' -o -name '*.css' 2>/dev/null)

.PHONY: exports replies drill tamper schedules build demo test check controls lint race bench crash audit hostile faults fuzz spec-report completions clean

build: bin/bankd bin/bankctl

bin/%: $(SOURCES) go.mod go.sum
	go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/$*

# The whole tour on a throw-away daemon: simulated Plaid, no keys.
demo: build
	bin/bankctl demo

# Tests wait more than they compute, so more of them run at once than there are processors. Without DWARF they link faster.
test:
	go test -p 4 -parallel 8 -ldflags=-w ./...

# What a change must pass before it is committed.
check: lint test controls

# The tests' own tests, which compile a bankd of their own: a search for secrets must find them where nothing seals them.
# Then every pair of objects, callers and acts, of which the default run takes a part.
controls:
	BANKD_CONTROLS=1 go test -count=1 -run '^TestTheSearchFindsWhatIsNotSealed$$' ./internal/server
	BANKD_PAIRS=all go test -count=1 -run '^TestEveryPair$$' -v ./internal/server

lint:
	@unformatted=$$(gofmt -l cmd internal bench); test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	go run $(GOLANGCI) run ./...
	go run $(GOLANGCI) run --build-tags bankd_crashpoints,bankd_unsealed ./internal/bank ./internal/store

race:
	go test -race ./...

# The parts, then the store against SQLite on the same ROWS: minutes. docs/performance.md explains the table.
ROWS ?= 1000000
bench:
	go test -run '^$$' -bench . -benchmem ./...
	cd bench && go run . -rows $(ROWS)

# kill -9 at every await point of what is done with a connection, many times over: minutes.
crash:
	BANKD_WEBHOOKS=$${BANKD_WEBHOOKS:-10000} go test -count=1 -timeout 30m -run TestWebhookStorm -v ./internal/daemon
	BANKD_CRASH_RUNS=$${BANKD_CRASH_RUNS:-20} BANKD_KILLS=$${BANKD_KILLS:-1000} go test -count=1 -timeout 120m -run 'TestKill' -v ./internal/daemon ./internal/store/...

# Changes of a stopped bankd's file without its keys: 200 of 300,000 records and 1,000,000 transactions, then single bits
# of a small file. All must be refused: minutes.
tamper:
	BANKD_TAMPER_RECORDS=300000 BANKD_TAMPER_ROWS=1000000 BANKD_TAMPER_CHANGES=200 go test -count=1 -timeout 60m -run '^TestTamper$$' -v ./internal/daemon
	BANKD_FLIPS=100000 go test -count=1 -timeout 60m -run '^TestFlippedBits$$' -v ./internal/store

# Loss of the machine: a backup of a million transactions under load, restored; 200 damaged backups refused; the disk lost
# with tokens replaced since.
drill:
	BANKD_DRILL_RECORDS=300000 BANKD_DRILL_ROWS=1000000 BANKD_BACKUP_DAMAGES=100 go test -count=1 -timeout 30m -run '^(TestBackupUnderLoad|TestDamagedBackupIsRefused|TestDrill)$$' -v ./internal/daemon

# Random schedules of exchanges, saves, deletions, syncs, primaries, verdicts and removals at once: minutes.
SCHEDULES ?= 1000
schedules:
	BANKD_SCHEDULES=$(SCHEDULES) go test -count=1 -timeout 60m -run '^TestSchedules$$' -v ./internal/server

# Random lives of rows and accounts through exports --since-last in three formats: minutes.
LIVES ?= 20000
exports:
	BANKD_EXPORT_LIVES=$(LIVES) go test -count=1 -timeout 60m -run '^TestExportModel$$' -v ./internal/cli

# Replies of Plaid's with fields null, absent, of another type, out of range or hostile: half an hour.
REPLIES ?= 1000000
replies:
	BANKD_REPLIES=$(REPLIES) go test -count=1 -timeout 120m -run '^TestSpoiledReplies$$' -v ./internal/plaid

# R1 to R166 against the built programs, from outside; with FLAGS=-lies, that each of these checks can fail.
audit: build
	go run ./internal/acceptance -bankd bin/bankd -bankctl bin/bankctl $(FLAGS)

# Hostile requests to every route, as a client of narrow scope: the same ones for the same SEED.
REQUESTS ?= 10000
SEED ?= 1
hostile: build
	go run ./internal/acceptance -bankd bin/bankd -bankctl bin/bankctl -hostile $(REQUESTS) -seed $(SEED)

# Calls that write and sync fail in the built bankd (strace), and a disk of its own fills and is emptied (root): a table
# of call × fault → outcome. Each part says loudly where it could not run.
faults:
	BANKD_FAULTS=all go test -count=1 -timeout 30m -run '^(TestFaults|TestFaultsAtStart|TestFullDisk)$$' -v ./internal/daemon

# Each fuzz target for FUZZTIME.
FUZZTIME ?= 1m
fuzz:
	@for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

# Counts of every call to the simulator in a whole test run, held against Plaid's OpenAPI document.
spec-report:
	@dir=$$(mktemp -d); BANKD_SPEC_REPORT=$$dir go test -count=1 ./...; failed=$$?; \
	go run ./internal/plaidspec/specreport $$dir && exit $$failed

completions: bin/bankctl
	bin/bankctl completion bash > completions/bankctl.bash
	bin/bankctl completion zsh > completions/bankctl.zsh
	bin/bankctl completion fish > completions/bankctl.fish

clean:
	rm -rf bin
