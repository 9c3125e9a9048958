package trail

import (
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Owner says whose object a record is about. All empty: an object of the tenant that has no owner.
type Owner struct {
	EmployerID string `json:"employer_id,omitempty"`
	CarrierID  string `json:"carrier_id,omitempty"`
	CompanyID  string `json:"company_id,omitempty"`
	EmployeeID string `json:"employee_id,omitempty"`
}

// Event tells a caller that something happened to an object that it sees. It names the object; a call reads its state.
type Event struct {
	ID      string            `json:"id" doc:"Resumes the stream behind this event: sent back as Last-Event-ID, or as after"`
	Time    time.Time         `json:"time"`
	Type    string            `json:"type" doc:"Noun and verb, for instance connection.add"`
	Object  string            `json:"object" doc:"kind:id"`
	Outcome string            `json:"outcome" doc:"ok, or how it ended"`
	Details map[string]string `json:"details,omitempty" doc:"Counts and states"`
	Owner
}

// Ready is the type of the event that a stream begins with. It has the id to resume at, and no object.
const Ready = "ready"

// EventQuery selects the events of a stream.
type EventQuery struct {
	After  string    `query:"after" doc:"behind the event of this id; 0 is the first that is kept"`
	Since  time.Time `query:"since" doc:"from this time on" flag:"-"`
	Type   string    `query:"type" doc:"of this type, such as connection.add, or of all types of a noun"`
	Object string    `query:"object" doc:"of this kind:id"`
	Follow *bool     `query:"follow" doc:"false: the stream ends once it has told what happened" flag:"-"`
}

// Check refuses two beginnings.
func (q EventQuery) Check() error {
	if q.After != "" && !q.Since.IsZero() {
		return fault.Field("since", "after and since both say where to begin: give one")
	}
	return nil
}

// Follows reports whether the stream goes on with what happens later.
func (q EventQuery) Follows() bool { return q.Follow == nil || *q.Follow }

// Selects reports whether an event is one of those asked for.
func (q EventQuery) Selects(e Event) bool {
	noun, _, _ := strings.Cut(e.Type, ".")
	return (q.Type == "" || q.Type == e.Type || q.Type == noun) && (q.Object == "" || q.Object == e.Object)
}
