package fault

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
