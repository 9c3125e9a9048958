package bank

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// Events are read from the audit log, which has each of them for good: a stream that broke off resumes with nothing lost,
// and one that is slow holds up nobody.

// Bounds of the streams.
const (
	eventsAtOnce   = 200 // audit records read in one transaction
	mostStreams    = 500 // of all clients
	clientsStreams = 20  // of one
)

// Events is one caller's stream.
type Events struct {
	bank   *Bank
	caller tenant.Caller
	query  trail.EventQuery
	seen   map[string]uint64 // seqs by lane
	bell   <-chan struct{}
	more   bool
	leave  func()
}

// openStreams counts streams by client.
type openStreams struct {
	mu    sync.Mutex
	all   int
	owned map[string]int
}

func (s *openStreams) enter(client string) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= mostStreams || s.owned[client] >= clientsStreams {
		return nil, tooMany(5*time.Second, "too many event streams are open")
	}
	if s.owned == nil {
		s.owned = map[string]int{}
	}
	s.all++
	s.owned[client]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all--
		if s.owned[client]--; s.owned[client] == 0 {
			delete(s.owned, client)
		}
	}, nil
}

// OpenEvents begins a stream. Close must be called at its end.
func (b *Bank) OpenEvents(ctx context.Context, c tenant.Caller, q trail.EventQuery) (*Events, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	seen, err := parseEventID(q.After)
	if err != nil {
		return nil, err
	}
	leave, err := b.streams.enter(c.Client.ID)
	if err != nil {
		return nil, err
	}
	if q.After == "" {
		err = b.db.View(ctx, func(tx *store.Tx) (err error) {
			if q.Since.IsZero() {
				seen, err = audit.Ends(tx, c.TenantID)
			} else {
				seen, err = audit.Before(tx, c.TenantID, q.Since)
			}
			return err
		})
		if err != nil {
			leave()
			return nil, err
		}
	}
	return &Events{bank: b, caller: c, query: q, seen: seen, more: true, leave: leave}, nil
}

// Close ends the stream.
func (e *Events) Close() { e.leave() }

// Cursor is the id at which the stream resumes.
func (e *Events) Cursor() string { return eventID(e.seen) }

// Next returns the events that happened since the last call, at most a few hundred: none, if all were told. The caller's
// client may have been revoked meanwhile.
func (e *Events) Next(ctx context.Context) ([]trail.Event, error) {
	if err := e.bank.stillKnown(ctx, e.caller); err != nil {
		return nil, err
	}
	e.bell = e.bank.bell.Listen(e.caller.TenantID) // before the look, so that nothing is missed between them
	var list []trail.Event
	err := e.bank.db.View(ctx, func(tx *store.Tx) error {
		records, err := audit.After(tx, e.caller.TenantID, e.seen, eventsAtOnce)
		if err != nil {
			return err
		}
		e.more = len(records) == eventsAtOnce
		for _, r := range records {
			lane := r.Lane
			if lane == "" {
				lane = store.OwnLane
			}
			e.seen[lane] = r.Seq
			if !seesRecord(e.caller, r) {
				continue
			}
			if event := eventOf(r, e.Cursor()); e.query.Selects(event) {
				list = append(list, event)
			}
		}
		return nil
	})
	return list, err
}

// Told reports whether the last Next found all that has happened.
func (e *Events) Told() bool { return !e.more }

// Changed closes when something happened after the last Next.
func (e *Events) Changed() <-chan struct{} { return e.bell }

// stillKnown refuses a client that was revoked after its call began.
func (b *Bank) stillKnown(ctx context.Context, c tenant.Caller) error {
	stored, err := b.client(ctx, c.Client.ID)
	if err != nil || stored.RevokedAt != nil {
		return fault.New(fault.Unauthenticated, "the client was revoked")
	}
	return nil
}

// seesRecord reports whether what a record is about exists for a caller. Only administrators see what was refused, done
// to clients, keys and the store, or is a step that another record completes.
func seesRecord(c tenant.Caller, r trail.Record) bool {
	kind, _, _ := strings.Cut(r.Object, ":")
	var owner trail.Owner
	if r.Owner != nil {
		owner = *r.Owner
	}
	if c.Client.BindEmployee == "" && c.May(tenant.Administer) == nil && !employeesOwn(kind, owner) {
		return c.Sees(owner.EmployerID, owner.CarrierID) || !ownedKinds[kind]
	}
	if !ownedKinds[kind] || innerSteps[r.Action] {
		return false
	}
	if employeesOwn(kind, owner) {
		if kind == "company" {
			return c.SeesCompany(owner.CompanyID)
		}
		return owner.EmployeeID != "" && c.ActsFor(owner.CompanyID, owner.EmployeeID, tenant.Read)
	}
	return c.Sees(owner.EmployerID, owner.CarrierID)
}

// employeesOwn reports whether the object belongs to an employee or a company.
func employeesOwn(kind string, o trail.Owner) bool {
	return kind == "employee_account" || kind == "company" || o.CompanyID != ""
}

// ownedKinds are the kinds of objects that scopes decide about.
var ownedKinds = map[string]bool{"account": true, "ach": true, "connection": true, "session": true, "employee_account": true, "company": true}

// innerSteps are records of intents and reads: another record tells what came of them.
var innerSteps = map[string]bool{
	"connection.intend": true, "connection.intend_removal": true, "connection.intend_rotation": true, "link.read": true,
	"balance.read": true, "call.refuse": true,
}

// toldDetails are the details that an event repeats: counts and states, no ids and no words that somebody typed.
var toldDetails = []string{"added", "modified", "updated", "removed", "inactive", "status", "verified", "plaid_error_code", "result"}

func eventOf(r trail.Record, id string) trail.Event {
	e := trail.Event{ID: id, Time: r.Time, Type: r.Action, Object: r.Object, Outcome: r.Outcome}
	if r.Owner != nil {
		e.Owner = *r.Owner
	}
	for _, name := range toldDetails {
		if v, ok := r.Details[name]; ok {
			if e.Details == nil {
				e.Details = map[string]string{}
			}
			e.Details[name] = v
		}
	}
	return e
}

// eventID writes seqs by lane as 17, or as 17,lane:4 where there are several lanes.
func eventID(seen map[string]uint64) string {
	id := strconv.FormatUint(seen[store.OwnLane], 10)
	for _, lane := range slices.Sorted(maps.Keys(seen)) {
		if lane != store.OwnLane {
			id += fmt.Sprintf(",%s:%d", lane, seen[lane])
		}
	}
	return id
}

func parseEventID(id string) (map[string]uint64, error) {
	seen := map[string]uint64{}
	if id == "" {
		return seen, nil
	}
	wrong := fault.Field("after", "must be the id of an event, or 0")
	for i, part := range strings.Split(id, ",") {
		lane, seq := store.OwnLane, part
		if i > 0 {
			var named bool
			if lane, seq, named = strings.Cut(part, ":"); !named || lane == store.OwnLane || !store.ValidID(lane) {
				return nil, wrong
			}
		}
		n, err := strconv.ParseUint(seq, 10, 63)
		if err != nil {
			return nil, wrong
		}
		seen[lane] = n
	}
	return seen, nil
}

// ownerOf finds whose object an audit event is about; nil if it has no owner or is gone.
func ownerOf(tx *store.Tx, tenantID string, d auditEvent) *trail.Owner {
	if d.owner != nil {
		return d.owner
	}
	kind, id, _ := strings.Cut(d.object, ":")
	var o trail.Owner
	var err error
	switch kind {
	case "account":
		var a storedAccount
		a, err = bankAccounts.Get(tx, tenantID, id)
		o.EmployerID, o.CarrierID = a.EmployerID, a.CarrierID
	case "ach":
		var a storedACH
		a, err = achAccounts.Get(tx, tenantID, id)
		o = ownerOfACH(a)
	case "connection":
		var conn storedConnection
		conn, err = connections.Get(tx, tenantID, id)
		o.EmployerID, o.CarrierID = conn.EmployerID, conn.CarrierID
		if conn.Employee != nil {
			o.CompanyID, o.EmployeeID = conn.Employee.Company, conn.Employee.Employee
		}
	case "session":
		var s storedSession
		s, err = linkSessions.Get(tx, tenantID, id)
		o = trail.Owner{EmployerID: s.EmployerID, CarrierID: s.CarrierID, CompanyID: s.CompanyID, EmployeeID: s.EmployeeID}
	case "employee_account":
		var a storedEmployee
		a, err = employeeAccounts.Get(tx, tenantID, id)
		o.CompanyID, o.EmployeeID = a.CompanyID, a.EmployeeID
	case "company":
		o.CompanyID = id
	}
	if o == (trail.Owner{}) && d.onWhose != "" {
		o.CompanyID, o.EmployeeID, _ = strings.Cut(d.onWhose, "/")
	}
	if err != nil && d.onWhose == "" || o == (trail.Owner{}) {
		return nil // whoever sees all owners sees it
	}
	return &o
}

func ownerOfACH(a storedACH) trail.Owner {
	employer, carrier := a.Owner()
	return trail.Owner{EmployerID: employer, CarrierID: carrier}
}
