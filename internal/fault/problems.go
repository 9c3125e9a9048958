package fault

import "strings"

// Problems collects every bad field of one request, so that a caller mends them in one go.
type Problems map[string]string

// Add notes what is wrong with a field; the first reason stays.
func (p *Problems) Add(field, reason string) {
	if *p == nil {
		*p = Problems{}
	}
	if _, known := (*p)[field]; !known {
		(*p)[field] = reason
	}
}

// AddUnknown notes a field that nobody knows. Its name is foreign text: it is shortened, and freed of what may be a number,
// before it comes near a log.
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

// Check notes a field whose check failed.
func (p *Problems) Check(field string, err error) {
	if err != nil {
		p.Add(field, err.Error())
	}
}

// Require notes a field that is missing, and reports whether it was there.
func (p *Problems) Require(field, value string) bool {
	if value == "" {
		p.Add(field, "is required")
	}
	return value != ""
}

// Err is nil where nothing was noted.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return Fields(p)
}
