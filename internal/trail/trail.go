// Package trail owns the words of the audit log: one record, a query, and what checking the chain found.
// Writing and chaining records is package audit's.
package trail

import "time"

// Record is one line of a tenant's audit chain. It names objects by id and never holds a number, a token or a name of
// a person.
type Record struct {
	Lane       string            `json:"lane,omitempty" doc:"The chain, where several bankd write one store; left out for the store's own"`
	Seq        uint64            `json:"seq" doc:"Position in the chain, from 1"`
	Time       time.Time         `json:"time"`
	Action     string            `json:"action" doc:"Noun and verb, for instance ach.add"`
	Object     string            `json:"object,omitempty" doc:"kind:id"`
	Outcome    string            `json:"outcome" doc:"ok, or the code of the refusal"`
	RequestID  string            `json:"request_id,omitempty"`
	ClientID   string            `json:"client_id,omitempty"`
	ClientName string            `json:"client_name,omitempty"`
	UID        *int              `json:"uid,omitempty" doc:"Unix user id of the peer on the socket"`
	OnBehalf   string            `json:"on_behalf,omitempty" doc:"company/employee, where the caller acted for one"`
	Owner      *Owner            `json:"owner,omitempty" doc:"Whose object it is; left out where it has no owner"`
	Details    map[string]string `json:"details,omitempty" doc:"Ids and reasons"`
	Others     map[string]Head   `json:"others,omitempty" doc:"The ends of the tenant's other chains that its writer had seen, by lane"`
	Prev       string            `json:"prev" doc:"Hash of the record before"`
	Hash       string            `json:"hash" doc:"Keyed hash over prev and this record"`
}

// Query selects records, newest first.
type Query struct {
	Limit     int       `query:"limit" min:"1" max:"1000" doc:"records to show, 50 where left out" flag:"-"` // below 0 is no limit
	BeforeSeq uint64    `query:"before" min:"1" doc:"records before this seq: the next page"`
	Action    string    `query:"action" doc:"noun and verb, for instance ach.add"`
	Object    string    `query:"object" doc:"kind:id"`
	ClientID  string    `query:"client_id" doc:"of this client"`
	Since     time.Time `query:"since" doc:"since this time" flag:"-"`
}

// Report is what a check of the whole chain found.
type Report struct {
	Records  int    `json:"records" doc:"Records read"`
	Intact   bool   `json:"intact"`
	FirstBad uint64 `json:"first_bad" doc:"The first seq that is missing, changed or out of place; 0 where the chain is whole"`
	Head     Head   `json:"head"`
}

// Head is the end of a chain. It is kept apart, so that a chain cut short shows.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}
