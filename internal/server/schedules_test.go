package server_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
)

// schedule is one employer and one employee, at whom everything happens at once.
type schedule struct {
	d        desk
	t        *testing.T
	r        *rand.Rand
	employer string
	person   employee.BankAccount

	mu      sync.Mutex
	deleted []string // Plaid's ids of accounts that were deleted
	chosen  atomic.Bool
}

// Random schedules of what brings objects together, all at once, against what must hold whatever came first: one Item a
// bank and owner, one primary an owner and never an inactive one, deleted accounts gone, no verdict without a link call.
// make schedules runs 1,000.
func TestSchedules(t *testing.T) {
	t.Parallel()
	runs, seed := 6, uint64(20261125)
	if n, err := strconv.Atoi(os.Getenv("BANKD_SCHEDULES")); err == nil {
		runs = n
	}
	const batch = 20 // for one bankd: the background's work grows with the connections that are left
	for from := 0; from < runs; from += batch {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			d := newDesk(t, banktest.NoQuotas)
			for i := from; i < min(from+batch, runs); i++ {
				s := &schedule{d: d, t: t, r: rand.New(rand.NewPCG(seed, uint64(i))), employer: fmt.Sprintf("e%d", i)}
				s.run(i)
				if t.Failed() {
					t.Fatalf("schedule %d of seed %d", i, seed)
				}
			}
		})
	}
	t.Logf("%d schedules of seed %d", runs, seed)
}

func (s *schedule) run(n int) {
	c, ctx := s.d.Client, s.t.Context()
	var body employee.AddParams
	err := json.Unmarshal([]byte(`{"accountHolderName":"Alberta Bobbeth Charleson","accountNumber":"1111222233330000","routingNumber":"011401533",`+
		`"accountType":"checking","verificationType":"Plaid"}`), &body)
	must(s.t, err)
	if s.person, err = s.d.c.AddEmployeeAccount(ctx, "c1", fmt.Sprintf("p%d", n), body); err != nil {
		s.t.Fatal(err)
	}
	var exchanges []func()
	for range 2 + s.r.IntN(3) {
		f := finished(s.t, c, connection.LinkParams{EmployerID: s.employer}, platypus)
		exchanges = append(exchanges, func() {
			_, _ = c.Exchange(ctx, connection.ExchangeParams{PublicToken: f.PublicToken, UserID: "u", EmployerID: s.employer})
		})
	}
	acts := append(exchanges, s.linkEmployee(n, s.r.IntN(2) == 0))
	for range 6 + s.r.IntN(8) {
		acts = append(acts, []func(){s.primary, s.delete, s.sync, s.remove, s.verify, s.update(n)}[s.r.IntN(6)])
	}
	s.r.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
	var wg sync.WaitGroup
	for _, act := range acts {
		wg.Go(act)
	}
	wg.Wait()
	s.check(n)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *schedule) accounts() []account.Account {
	all, _, err := s.d.Client.ListAccounts(s.t.Context(), account.Query{EmployerID: s.employer}, page.Request{Limit: 200})
	must(s.t, err)
	return all
}

// some picks an account by what the schedule's randomness gave it beforehand: acts run side by side.
func (s *schedule) some() (account.Account, bool) {
	all := s.accounts()
	if len(all) == 0 {
		return account.Account{}, false
	}
	return all[rand.IntN(len(all))], true
}

func (s *schedule) primary() {
	if a, ok := s.some(); ok {
		_, _ = s.d.Client.SetDefaultAccount(s.t.Context(), a.ID)
	}
}

func (s *schedule) delete() {
	if a, ok := s.some(); ok {
		if _, err := s.d.Client.DeleteAccount(s.t.Context(), a.ID, true); err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.deleted = append(s.deleted, a.PlaidAccountID)
		}
	}
}

func (s *schedule) live() []connection.Connection {
	all, _, err := s.d.Client.ListConnections(s.t.Context(), connection.Query{EmployerID: s.employer}, page.Request{Limit: 200})
	must(s.t, err)
	return all
}

func (s *schedule) sync() {
	for _, conn := range s.live() {
		_, _ = s.d.Client.SyncAccounts(s.t.Context(), connection.ItemParams{ItemID: conn.ItemID})
	}
}

func (s *schedule) remove() {
	for _, conn := range s.live() {
		_, _ = s.d.Client.RemoveConnection(s.t.Context(), conn.ID, connection.RemoveParams{})
	}
}

func (s *schedule) verify() {
	a, ok := s.some()
	if !ok {
		return
	}
	h, err := s.d.Client.AddACHFromPlaid(s.t.Context(), account.FromPlaidParams{
		OwnerType: account.Employer, OwnerID: s.employer, PlaidAccountID: a.PlaidAccountID, PlaidItemID: a.PlaidItemID,
	})
	if err == nil {
		_, _ = s.d.Client.VerifyACH(s.t.Context(), h.ID, account.VerifyACHParams{})
	}
}

// linkEmployee finishes the employee's Link, and saves it with the right account or another one.
func (s *schedule) linkEmployee(n int, right bool) func() {
	return func() {
		ctx, person := s.t.Context(), fmt.Sprintf("p%d", n)
		token, err := s.d.c.GetEmployeeToken(ctx, "c1", person, s.person.AccountID, true)
		if err != nil {
			return
		}
		f, err := s.d.c.CompleteSession(ctx, token.SessionID, platypus)
		if err != nil || f.State != connection.Succeeded {
			return
		}
		mask := "1111"
		if right {
			mask = "0000"
			s.chosen.Store(true)
		}
		_, _ = s.d.c.LinkEmployeeAccount(ctx, "c1", person, s.person.AccountID, claim(f, mask))
	}
}

// update signs the employee in again and saves nothing: no verdict may come of it.
func (s *schedule) update(n int) func() {
	return func() {
		ctx := s.t.Context()
		token, err := s.d.c.GetEmployeeToken(ctx, "c1", fmt.Sprintf("p%d", n), s.person.AccountID, true)
		if err == nil {
			_, _ = s.d.c.CompleteSession(ctx, token.SessionID, platypus)
		}
	}
}

func (s *schedule) check(n int) {
	s.sync()
	live := s.live()
	if len(live) > 1 {
		s.t.Errorf("%d Items of one bank and owner", len(live))
	}
	primaries := 0
	for _, a := range s.accounts() {
		if a.Primary {
			primaries++
			if a.Status != account.Active {
				s.t.Error("an inactive account is primary")
			}
		}
		for _, gone := range s.deleted {
			if a.PlaidAccountID == gone {
				s.t.Error("a deleted account is back")
			}
		}
	}
	if primaries > 1 {
		s.t.Errorf("%d primaries of one owner", primaries)
	}
	got, err := s.d.c.GetEmployeeAccount(s.t.Context(), "c1", fmt.Sprintf("p%d", n), s.person.AccountID)
	must(s.t, err)
	if got.IsVerified && !s.chosen.Load() {
		s.t.Errorf("verified without a link call that chose the account: %+v", got.Evidence)
	}
}
