package plaidsim

import (
	"container/heap"
	"context"
	"time"
)

// dueItem schedules a look at an Item.
type dueItem struct {
	at   time.Time
	item string
}

// dueList is a heap by time, the earliest first.
type dueList []dueItem

func (d dueList) Len() int           { return len(d) }
func (d dueList) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dueList) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }

// Push and Pop serve container/heap.
func (d *dueList) Push(x any) { *d = append(*d, x.(dueItem)) }

// Pop removes the last entry, as container/heap wants it.
func (d *dueList) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

const (
	loginLife            = 30 * 24 * time.Hour // sandbox Items then need a new login
	depositVerifiesAfter = 24 * time.Hour      // automated micro-deposits verify by themselves then
	depositExpiresAfter  = 7 * 24 * time.Hour  // or expire then, if an event hid them
	sweepEvery           = time.Minute
	tickEvery            = 200 * time.Millisecond
)

// tick runs due events and saves changes that no request will save.
func (s *Server) tick() {
	defer s.workers.Done()
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	swept := s.now()
	for {
		select {
		case <-s.done:
			return
		case <-t.C:
			s.mu.Lock()
			now := s.now()
			s.runDue(now)
			if now.Sub(swept) >= sweepEvery {
				swept = now
				s.announceAbandoned(now)
				s.sweepLinks(now)
				s.sweepPublics(now)
			}
			s.mu.Unlock()
			if err := s.flushUncancelled(context.Background()); err != nil {
				s.log.Error("plaid simulator cannot save", "error", err)
			}
		}
	}
}

// schedule adds every future event of an Item. Callers hold s.mu.
func (s *Server) schedule(it *item) {
	if it.Removed {
		return
	}
	add := func(at time.Time) { heap.Push(&s.due, dueItem{at, it.ID}) }
	if !it.Txns.Started.IsZero() {
		add(it.Txns.Started.Add(s.opt.Ready.Initial))
		add(it.Txns.Started.Add(s.opt.Ready.History))
	}
	if it.Manual == nil {
		add(it.Healed.Add(loginLife))
	}
	for _, v := range it.Verification {
		if v.Status == "pending_automatic_verification" {
			add(v.settledAt())
		}
	}
	if !it.Ends.IsZero() {
		add(it.Ends)
	}
}

// settledAt is the time when an automatic deposit verifies or expires.
func (v verification) settledAt() time.Time {
	if v.Unseen {
		return v.Since.Add(depositExpiresAfter)
	}
	return v.Since.Add(depositVerifiesAfter)
}

// runDue applies the events of every Item whose time has come.
func (s *Server) runDue(now time.Time) {
	for len(s.due) > 0 && !s.due[0].at.After(now) {
		next := heap.Pop(&s.due).(dueItem)
		if it := s.st.Items[next.item]; it != nil && !it.Removed {
			s.advance(it, now)
		}
	}
}

func (s *Server) advance(it *item, now time.Time) {
	s.announceTransactions(it, now)
	ended := !it.Ends.IsZero() && !now.Before(it.Ends)
	if it.Manual == nil && it.Error == "" && (ended || now.Sub(it.Healed) >= loginLife) {
		s.breakLogin(it)
	}
	for mask, v := range it.Verification {
		if v.Status != "pending_automatic_verification" || now.Before(v.settledAt()) {
			continue
		}
		status := "automatically_verified"
		if v.Unseen {
			status = "verification_expired"
		}
		s.setVerification(it, mask, status, now)
	}
}

// breakLogin puts the Item into ITEM_LOGIN_REQUIRED.
func (s *Server) breakLogin(it *item) {
	it.Error = "ITEM_LOGIN_REQUIRED"
	s.markChanged()
	s.sendItem(it, "ITEM", "ERROR", obj{"error": brokenItem(it).hookBody()})
}

var verificationHook = map[string]string{"automatically_verified": "AUTOMATICALLY_VERIFIED", "verification_expired": "VERIFICATION_EXPIRED"}

func (s *Server) setVerification(it *item, mask, status string, now time.Time) {
	if it.Verification == nil {
		it.Verification = map[string]verification{}
	}
	v := it.Verification[mask]
	v.Status, v.Since = status, now
	it.Verification[mask] = v
	s.markChanged()
	if code := verificationHook[status]; code != "" {
		s.sendItem(it, "AUTH", code, obj{"account_id": s.accountID(it.ID, mask)})
	}
}

func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
