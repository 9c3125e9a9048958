package tui

import (
	"maps"
	"slices"

	"github.com/bankctl/bankctl/internal/txn"
)

const (
	browsePage = 100 // rows a page
	browseKept = 12  // pages kept: more than any screen shows
)

type browseState int

const (
	pageAsked browseState = iota + 1
	pageHere
	pageFailed
)

// browsePages keeps the pages read last. Models are immutable: each step makes a new one.
type browsePages struct {
	state map[int]browseState
	rows  map[int][]txn.Transaction
	order []int // of those here, the oldest first
}

func (p browsePages) with(n int, s browseState) browsePages {
	p.state = maps.Clone(p.state)
	if p.state == nil {
		p.state = map[int]browseState{}
	}
	p.state[n] = s
	return p
}

func (p browsePages) markAsked(n int) browsePages  { return p.with(n, pageAsked) }
func (p browsePages) markFailed(n int) browsePages { return p.with(n, pageFailed) }

// has reports whether a page is loaded, requested or failed.
func (p browsePages) has(n int) bool { return p.state[n] != 0 }

// put stores a page, and drops the one stored longest ago.
func (p browsePages) put(n int, rows []txn.Transaction) browsePages {
	p = p.with(n, pageHere)
	p.rows = maps.Clone(p.rows)
	if p.rows == nil {
		p.rows = map[int][]txn.Transaction{}
	}
	p.rows[n] = rows
	p.order = append(slices.DeleteFunc(slices.Clone(p.order), func(x int) bool { return x == n }), n)
	for len(p.order) > browseKept {
		delete(p.rows, p.order[0])
		delete(p.state, p.order[0])
		p.order = p.order[1:]
	}
	return p
}

// row gives a row of a loaded page.
func (p browsePages) row(i int) (txn.Transaction, bool) {
	rows := p.rows[i/browsePage+1]
	if i < 0 || i%browsePage >= len(rows) {
		return txn.Transaction{}, false
	}
	return rows[i%browsePage], true
}
