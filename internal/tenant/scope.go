package tenant

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Scope is a list of owners' ids, or all of them. Its JSON is a list, or "*".
type Scope struct {
	All bool
	IDs []string
}

// Everything is the scope of all owners.
var Everything = Scope{All: true}

// Has reports whether an owner is in the scope; the empty id is in none.
func (s Scope) Has(id string) bool {
	return id != "" && (s.All || slices.Contains(s.IDs, id))
}

// Covers reports whether every owner of another scope is in this one.
func (s Scope) Covers(other Scope) bool {
	if s.All || other.Empty() {
		return true
	}
	return !other.All && !slices.ContainsFunc(other.IDs, func(id string) bool { return !s.Has(id) })
}

// Empty reports whether the scope has no owner.
func (s Scope) Empty() bool { return !s.All && len(s.IDs) == 0 }

// ParseScope reads "*", "none" or a comma-separated list.
func ParseScope(text string) (Scope, error) {
	switch text = strings.TrimSpace(text); text {
	case "*":
		return Everything, nil
	case "", "none":
		return Scope{}, nil
	}
	s := Scope{IDs: strings.Split(text, ",")}
	for i, id := range s.IDs {
		s.IDs[i] = strings.TrimSpace(id)
	}
	return s, s.Check()
}

// Check finds malformed ids in a scope.
func (s Scope) Check() error {
	for _, id := range s.IDs {
		if CheckOwnerID(id) != nil {
			return errors.New(`must be "*", "none" or ids of 1 to 64 letters, digits, - or _`)
		}
	}
	return nil
}

// String is the inverse of ParseScope.
func (s Scope) String() string {
	switch {
	case s.All:
		return "*"
	case len(s.IDs) == 0:
		return "none"
	}
	return strings.Join(s.IDs, ",")
}

// MarshalJSON writes "*" or a list.
func (s Scope) MarshalJSON() ([]byte, error) {
	if s.All {
		return []byte(`"*"`), nil
	}
	if s.IDs == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(s.IDs)
}

// UnmarshalJSON reads "*", "none", null or a list.
func (s *Scope) UnmarshalJSON(b []byte) error {
	*s = Scope{}
	var word string
	if json.Unmarshal(b, &word) == nil {
		parsed, err := ParseScope(word)
		*s = parsed
		return err
	}
	if json.Unmarshal(b, &s.IDs) != nil {
		return errors.New(`must be "*", "none" or a list of ids`)
	}
	return s.Check()
}
