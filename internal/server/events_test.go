package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// told reads what has happened behind an id, without waiting for more.
func told(t *testing.T, c *client.Client, q trail.EventQuery) []trail.Event {
	t.Helper()
	no := false
	q.Follow = &no
	if q.After == "" && q.Since.IsZero() {
		q.After = "0"
	}
	var all []trail.Event
	if err := c.StreamEvents(t.Context(), q, func(e trail.Event) error {
		if e.Type != trail.Ready {
			all = append(all, e)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func types(events []trail.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

// Events of an object reach those for whom the object exists, after its deletion too, and nobody else.
func TestEventsAreScoped(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := banktest.Start(t)
	one, two := b.Link("e1"), b.Link("e2")
	var deleted [2]string
	for i, employer := range []string{"e1", "e2"} {
		a, err := b.Client.AddAccount(ctx, account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: employer})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Client.DeleteAccount(ctx, a.ID, false); err != nil {
			t.Fatal(err)
		}
		deleted[i] = "account:" + a.ID
	}
	if _, err := b.Owner().EnableCapability(ctx, "c1", employee.VerifyCapability, employee.CapabilityParams{}); err != nil {
		t.Fatal(err)
	}
	add := func(company, who string) string {
		t.Helper()
		status, reply := b.Call(b.Client, "POST", "/companies/"+company+"/employees/"+who+"/bankaccounts",
			`{"accountHolderName":"Ana Diaz","accountNumber":"1111222233330000","routingNumber":"011401533","accountType":"checking","verificationType":"Manual"}`)
		if status != 201 {
			t.Fatal(status, reply)
		}
		return "employee_account:" + reply["accountId"].(string)
	}
	ana, bo, other := add("c1", "ana"), add("c1", "bo"), add("c2", "cy")

	make := func(p tenant.ClientParams) *client.Client { p.Name = "x"; return b.NewClient(p) }
	list := func(ids ...string) tenant.Scope { return tenant.Scope{IDs: ids} }
	conn := func(id string) string { return "connection:" + id }
	for name, x := range map[string]struct {
		c          *client.Client
		sees, hide []string
	}{
		"viewer of e1":   {make(tenant.ClientParams{Role: tenant.Viewer, Employers: list("e1")}), []string{conn(one.ID), deleted[0]}, []string{conn(two.ID), deleted[1], ana, bo, other}},
		"support of c1":  {make(tenant.ClientParams{Role: tenant.Support, Companies: list("c1")}), []string{ana, bo, "company:c1"}, []string{conn(one.ID), conn(two.ID), deleted[0], other}},
		"ana herself":    {make(tenant.ClientParams{Role: tenant.Viewer, BindCompany: "c1", BindEmployee: "ana"}), []string{ana}, []string{bo, other, conn(one.ID), deleted[0], "company:c1"}},
		"admin of e2":    {make(tenant.ClientParams{Role: tenant.Admin, Employers: list("e2")}), []string{conn(two.ID), deleted[1]}, []string{conn(one.ID), deleted[0], ana}},
		"viewer of all":  {make(tenant.ClientParams{Role: tenant.Viewer, Employers: tenant.Everything}), []string{conn(one.ID), conn(two.ID), deleted[0], deleted[1]}, []string{ana, "company:c1"}},
		"nobody at all":  {make(tenant.ClientParams{Role: tenant.Viewer}), nil, []string{conn(one.ID), deleted[0], ana, "company:c1"}},
		"another tenant": {otherTenant(t, b), nil, []string{conn(one.ID), deleted[0], ana, "company:c1"}},
	} {
		events := told(t, x.c, trail.EventQuery{})
		objects := map[string]bool{}
		for _, e := range events {
			objects[e.Object] = true
			kind, _, _ := strings.Cut(e.Object, ":")
			if admin := strings.HasPrefix(name, "admin"); !admin && name != "another tenant" && slices.Contains([]string{"client", "tenant", "keys", "store", ""}, kind) {
				t.Errorf("%s is told of %s %s", name, e.Type, e.Object)
			}
		}
		for _, o := range x.sees {
			if !objects[o] {
				t.Errorf("%s is not told of %s: %v", name, o, events)
			}
		}
		for _, o := range x.hide {
			if objects[o] {
				t.Errorf("%s is told of %s", name, o)
			}
		}
		if name == "viewer of e1" {
			if got := types(told(t, x.c, trail.EventQuery{Object: deleted[0]})); !slices.Equal(got, []string{"account.add", "account.delete"}) {
				t.Error(got)
			}
			if got := types(told(t, x.c, trail.EventQuery{Type: "link"})); len(got) == 0 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "link.") }) {
				t.Error(got)
			}
		}
	}
}

func otherTenant(t *testing.T, b *banktest.Bank) *client.Client {
	t.Helper()
	if _, err := b.Owner().AddTenant(t.Context(), tenant.AddParams{Name: "other"}); err != nil {
		t.Fatal(err)
	}
	return b.NewClientOf("other", tenant.ClientParams{Name: "x", Role: tenant.Admin, Employers: tenant.Everything, Carriers: tenant.Everything, Companies: tenant.Everything})
}

// A follower is told of each event once and in order, while others write and bankd restarts; another that resumes from any
// of its ids is told the rest.
func TestEventsResume(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	const adds = 120
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var mu sync.Mutex
	var got []trail.Event
	ready := make(chan struct{})
	enough := errors.New("enough")
	var over sync.WaitGroup
	over.Go(func() {
		told := sync.OnceFunc(func() { close(ready) })
		n := 0
		err := b.Client.FollowEvents(ctx, trail.EventQuery{Type: "account.add"}, func(e trail.Event) error {
			if e.Type == trail.Ready {
				told()
				return nil
			}
			mu.Lock()
			got = append(got, e)
			mu.Unlock()
			if n++; n == adds {
				return enough
			}
			return nil
		}, func(error) bool { return true })
		if !errors.Is(err, enough) {
			t.Errorf("%v after %d events", err, n)
		}
	})
	<-ready
	var made []string
	for i := range adds {
		if i == adds/3 || i == 2*adds/3 {
			b.Restart()
		}
		a, err := b.Client.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: fmt.Sprint(i), BankName: "b", EmployerID: "e1"})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, "account:"+a.ID)
	}
	over.Wait()
	var objects []string
	for _, e := range got {
		objects = append(objects, e.Object)
		if e.EmployerID != "e1" || e.Outcome != "ok" {
			t.Errorf("%+v", e)
		}
	}
	if !slices.Equal(objects, made) {
		t.Fatalf("%d events for %d accounts, or another order", len(objects), len(made))
	}
	for _, i := range []int{0, 17, adds - 2, adds - 1} {
		rest := told(t, b.Client, trail.EventQuery{After: got[i].ID, Type: "account.add"})
		if len(rest) != adds-1-i || len(rest) > 0 && rest[0].Object != made[i+1] {
			t.Errorf("behind event %d there are %d", i, len(rest))
		}
	}
	if rest := told(t, b.Client, trail.EventQuery{Since: got[adds-3].Time, Type: "account"}); len(rest) != 3 {
		t.Errorf("since the third last: %d", len(rest))
	}
}

// A stream ends with its client, and with the daemon, which does not wait for it.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := banktest.Start(t, banktest.OnDisk)
	open := func(c *client.Client) (ended chan error) {
		ready := make(chan struct{})
		ended = make(chan error, 1)
		go func() {
			ended <- c.StreamEvents(ctx, trail.EventQuery{}, func(e trail.Event) error {
				if e.Type == trail.Ready {
					close(ready)
				}
				return nil
			})
		}()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal("the stream did not begin:", err)
		}
		return ended
	}
	c := b.NewClient(tenant.ClientParams{Name: "x", Role: tenant.Viewer, Employers: tenant.Everything})
	ended := open(c)
	if _, err := b.Owner().RevokeClient(ctx, c.ClientID); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := c.StreamEvents(ctx, trail.EventQuery{}, func(trail.Event) error { return nil }); !fault.Is(err, fault.Unauthenticated) {
		t.Error("a revoked client:", err)
	}
	ended = open(b.Client)
	began := time.Now()
	b.Stop()
	<-ended
	t.Logf("stopped in %s beside an open stream", time.Since(began))
}

// One client cannot hold all streams, and what cannot be resumed at is said.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b := banktest.Start(t)
	ready := make(chan struct{})
	var over sync.WaitGroup
	for range 20 {
		over.Go(func() {
			_ = b.Client.StreamEvents(ctx, trail.EventQuery{}, func(trail.Event) error { ready <- struct{}{}; <-ctx.Done(); return ctx.Err() })
		})
	}
	for range 20 {
		<-ready
	}
	none := func(trail.Event) error { return nil }
	if err := b.Client.StreamEvents(ctx, trail.EventQuery{}, none); !fault.Is(err, fault.RateLimited) {
		t.Error("a 21st stream:", err)
	}
	other := b.NewClient(tenant.ClientParams{Name: "x", Role: tenant.Viewer, Employers: tenant.Everything})
	told(t, other, trail.EventQuery{})
	for _, path := range []string{"after=x", "after=-1", "after=1,", "after=1,x", "after=1,x:y", "after=", "since=yesterday", "follow=2", "after=1&since=2026-01-01T00:00:00Z", "kind=x"} {
		if status, reply := b.Call(other, "GET", "/api/v1/events?follow=false&"+path, ""); status != 422 && status != 400 {
			t.Error(path, status, reply)
		}
	}
	if status, reply := b.Call(other, "GET", "/api/v1/events", "", "Last-Event-ID", "later"); status != 422 {
		t.Error(status, reply)
	}
	stop()
	over.Wait()
	if !banktest.Eventually(func() bool {
		return b.Client.StreamEvents(t.Context(), trail.EventQuery{After: "0", Follow: new(bool)}, none) == nil
	}) {
		t.Error("ended streams are still counted")
	}
}
