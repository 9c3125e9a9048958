package fault

import "strings"

// Problems collects the bad fields of a request, so that the caller can fix all of them at once.
type Problems map[string]string

// Add records why a field is bad. The first reason for a field is kept.
func (p *Problems) Add(field, reason string) {
	if *p == nil {
		*p = Problems{}
	}
	if _, known := (*p)[field]; !known {
		(*p)[field] = reason
	}
}

// AddUnknown records a field that the route does not know. The name is foreign text: digits are masked and it is cut
// short, so that it carries no account number into a log.
func (p *Problems) AddUnknown(name, reason string) {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '-' {
			return r
		}
		return '?'
	}, name)
	if len(clean) > 40 {
		clean = clean[:40] + "…"
	}
	p.Add(clean, reason)
}

// Check records a field whose check failed.
func (p *Problems) Check(field string, err error) {
	if err != nil {
		p.Add(field, err.Error())
	}
}

// Require records a missing field, and reports whether it is present.
func (p *Problems) Require(field, value string) bool {
	switch {
	case value == "":
		p.Add(field, "is required")
	case strings.TrimSpace(value) == "":
		p.Add(field, "must not be blank")
	default:
		return true
	}
	return false
}

// Err is nil if no field is bad.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return Fields(p)
}
