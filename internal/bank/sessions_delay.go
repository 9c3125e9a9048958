package bank

import (
	"sync"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
)

// delays remembers what keeps open sessions waiting. It is told again within seconds of a restart, so nothing is stored.
type delays struct {
	mu  sync.Mutex
	all map[string]connection.Delay
}

// of returns a session's delay, or nil.
func (d *delays) of(id string) *connection.Delay {
	d.mu.Lock()
	defer d.mu.Unlock()
	if held, ok := d.all[id]; ok {
		return &held
	}
	return nil
}

// note keeps the failure of a session's last step, and forgets it where there is none. It reports whether a delay began.
func (b *Bank) noteDelay(id string, err error) (began bool) {
	d := &b.waits
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.all, id)
		return false
	}
	if d.all == nil {
		d.all = map[string]connection.Delay{}
	}
	held, ok := d.all[id]
	if !ok {
		held.Since = b.time()
	}
	f := fault.As(err)
	held.Code, held.PlaidCode, held.Message = f.Code, plaid.Code(err), f.Message
	held.Tries++
	d.all[id] = held
	return !ok
}
