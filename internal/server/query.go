package server

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
)

// query reads a request's query strictly: every parameter that is read is known, every other one is refused.
type query struct {
	values url.Values
	known  []string
	bad    fault.Problems
}

func (c *call) query() *query {
	q := &query{}
	if c.r.URL.RawQuery != "" {
		q.values = c.r.URL.Query()
	}
	return q
}

func (q *query) text(name string) string {
	if q.known == nil {
		q.known = make([]string, 0, 20)
	}
	q.known = append(q.known, name)
	given := q.values[name]
	if len(given) == 0 {
		return ""
	}
	if len(given) > 1 {
		q.bad.Add(name, "is given more than once")
	}
	return given[0]
}

// twin reads a parameter that has two spellings (A4).
func (q *query) twin(name, other string) string {
	own, twin := q.text(name), q.text(other)
	if own != "" && twin != "" && own != twin {
		q.bad.Add(name, "differs from its other spelling, "+other)
	}
	if own == "" {
		return twin
	}
	return own
}

func (q *query) enum(name string, allowed ...string) string {
	v := q.text(name)
	if v != "" && !slices.Contains(allowed, v) {
		q.bad.Add(name, "must be one of "+strings.Join(allowed, ", "))
	}
	return v
}

func (q *query) boolean(name, value string) *bool {
	switch value {
	case "":
		return nil
	case "true", "false":
		b := value == "true"
		return &b
	}
	q.bad.Add(name, "must be true or false")
	return nil
}

func (q *query) number(name string) int {
	v := q.text(name)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		q.bad.Add(name, "must be a whole number from 1")
	}
	return n
}

func (q *query) page() page.Request {
	p := page.Request{Page: q.number("page"), Limit: q.number("limit")}
	p.Check(&q.bad)
	return p
}

func (q *query) duration(name string, most time.Duration) time.Duration {
	v := q.text(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		q.bad.Add(name, "must be a duration such as 25s")
	}
	return min(d, most)
}

func (q *query) moment(name string) time.Time {
	v := q.text(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		q.bad.Add(name, "must be a time such as 2026-01-31T00:00:00Z")
	}
	return t
}

// owners reads the two owner filters, in either of their spellings.
func (q *query) owners() (employer, carrier string) {
	employer, carrier = q.text("employer_id"), q.text("carrier_id")
	kind, id := q.enum("owner_type", account.Employer, account.Carrier), q.text("owner_id")
	switch {
	case id == "" && kind == "":
	case id == "" || kind == "":
		q.bad.Add("owner_id", "owner_type and owner_id go together")
	case kind == account.Employer:
		employer = q.same("employer_id", employer, id)
	default:
		carrier = q.same("carrier_id", carrier, id)
	}
	return employer, carrier
}

func (q *query) same(name, own, twin string) string {
	if own != "" && own != twin {
		q.bad.Add(name, "differs from its other spelling, owner_id")
	}
	return twin
}

// err refuses what was not read, with the list of what may be sent.
func (q *query) err() error {
	for name := range q.values {
		if !slices.Contains(q.known, name) {
			reason := "is not a parameter of this route"
			if len(q.known) > 0 {
				slices.Sort(q.known)
				reason += "; it takes " + strings.Join(slices.Compact(q.known), ", ")
			}
			q.bad.Add(shorten(name), reason)
		}
	}
	return q.bad.Err()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
