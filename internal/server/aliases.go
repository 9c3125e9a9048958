package server

import (
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/query"
)

// aliases are pairs of names that S1 uses for one thing (A4). Bodies and queries accept either.
var aliases = [][2]string{{"item_id", "plaid_item_id"}, {"primary", "is_primary"}}

var ownerKinds = []string{account.Employer, account.Carrier}

// aliasResolver moves fields to the names that a route knows, and remembers the names that were sent.
type aliasResolver struct {
	fields map[string]string
	known  func(name string) bool
	quote  func(word string) string // writes a word as a field's value: with quotes in JSON
	bad    *fault.Problems
	sent   map[string]string // the alias that was sent, by the route's own name
}

// resolve moves every field to the route's own name. A field that is sent under both names must have equal values.
func (s *aliasResolver) resolve() {
	for _, t := range aliases {
		s.move(t[0], t[1])
		s.move(t[1], t[0])
	}
	_, employer := s.fields["employer_id"]
	if _, carrier := s.fields["carrier_id"]; employer && carrier && s.known("owner_id") && !s.known("employer_id") {
		s.bad.Add("carrier_id", "there is one owner: give employer_id or carrier_id")
		return
	}
	for _, kind := range ownerKinds {
		s.owner(kind)
	}
}

func (s *aliasResolver) move(from, to string) {
	value, given := s.fields[from]
	if !given || s.known(from) || !s.known(to) {
		return
	}
	delete(s.fields, from)
	s.put(to, value, from)
}

// put stores a value under the route's own name.
func (s *aliasResolver) put(to, value, from string) {
	if own, both := s.fields[to]; both {
		if strings.TrimSpace(own) != strings.TrimSpace(value) {
			s.bad.Add(to, "differs from its other spelling, "+from)
		}
		return
	}
	s.fields[to] = value
	if s.sent == nil {
		s.sent = map[string]string{}
	}
	s.sent[to] = from
}

// owner accepts employer_id or carrier_id for owner_type with owner_id, and the reverse.
func (s *aliasResolver) owner(kind string) {
	field, word := kind+"_id", s.quote(kind)
	if id, given := s.fields[field]; given && !s.known(field) && s.known("owner_id") {
		delete(s.fields, field)
		s.put("owner_type", word, field)
		s.put("owner_id", id, field)
	}
	id, given := s.fields["owner_id"]
	if given && s.known(field) && !s.known("owner_id") && strings.TrimSpace(s.fields["owner_type"]) == word {
		delete(s.fields, "owner_type")
		delete(s.fields, "owner_id")
		s.put(field, id, "owner_id")
	}
}

// aliasParams lists the aliases that a query accepts beside a route's own parameters.
func aliasParams(own query.Params) query.Params {
	var others query.Params
	add := func(name, of, doc string, enum ...string) {
		for _, p := range own {
			if p.Name == of && !own.Has(name) {
				others = append(others, query.Param{Name: name, Kind: p.Kind, Enum: enum, Doc: doc})
			}
		}
	}
	for _, t := range aliases {
		add(t[0], t[1], "another spelling of "+t[1])
		add(t[1], t[0], "another spelling of "+t[0])
	}
	add("owner_type", "employer_id", "with owner_id: another spelling of employer_id and carrier_id", ownerKinds...)
	add("owner_id", "employer_id", "goes with owner_type")
	for _, kind := range ownerKinds {
		add(kind+"_id", "owner_id", "another spelling of owner_type and owner_id")
	}
	return others
}
