package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// check is one requirement and the function that holds bankd against it.
type check struct {
	n    int
	says string
	run  func(*probe)
}

// late are the checks that search what all others left behind.
var late = map[int]bool{49: true, 102: true, 103: true, 105: true, 106: true}

// checks returns every requirement in order.
func checks() []check {
	all := slices.Concat(modelChecks, envelopeChecks, linkChecks, fromPlaidChecks, manualChecks, listChecks, connectionChecks,
		transactionChecks, securityChecks, employeeChecks, employeeLinkChecks, scenarioChecks)
	slices.SortStableFunc(all, func(a, b check) int { return a.n - b.n })
	return all
}

// probe is one run of one check: what it asserted, and what was wrong.
type probe struct {
	*world
	n        int
	asserted int
	wrong    []string
	op       client // may do everything in the default tenant but administer it
}

// abandoned ends a check that cannot go on.
type abandoned struct{}

// want records an assertion.
func (p *probe) want(ok bool, format string, args ...any) bool {
	p.asserted++
	if !ok {
		p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
	}
	return ok
}

// need is want for what the rest of the check stands on.
func (p *probe) need(ok bool, format string, args ...any) {
	if !p.want(ok, format, args...) {
		panic(abandoned{})
	}
}

// same asserts that two values are equal as they are printed.
func (p *probe) same(what string, got, want any) bool {
	return p.want(fmt.Sprint(got) == fmt.Sprint(want), "%s is %v, not %v", what, got, want)
}

// join puts values side by side.
func join(v ...any) string { return strings.TrimSpace(fmt.Sprintln(v...)) }

// ok asserts success, and ends the check where there is none.
func (p *probe) ok(r reply) reply {
	p.need(r.status == 200 || r.status == 201, "%s", r)
	return r
}

// refused asserts a status, and that each of fields is named as wrong.
func (p *probe) refused(r reply, status int, fields ...string) {
	p.want(r.status == status, "%s, where %d is right", r, status)
	for _, f := range fields {
		fields, _ := r.at("error.fields").(object)
		_, named := fields[f]
		p.want(named, "%s: field %s is not named", r, f)
	}
}

// run runs one check and says what was wrong.
func (w *world) run(c check) []string {
	p := &probe{world: w, n: c.n}
	return p.judge(func(p *probe) {
		p.op = w.client(clientSpec{Name: fmt.Sprintf("r%d", c.n), Role: "operator", Employers: "*", Carriers: "*", Companies: "*", ActAs: true})
		c.run(p)
	})
}

// judge runs f and says what was wrong. A check that asserts nothing is wrong too.
func (p *probe) judge(f func(*probe)) (wrong []string) {
	defer func() {
		switch e := recover().(type) {
		case nil, abandoned:
		default:
			p.wrong = append(p.wrong, fmt.Sprint("broke off: ", e))
		}
		if p.asserted == 0 && len(p.wrong) == 0 {
			p.wrong = append(p.wrong, "asserted nothing")
		}
		wrong = p.wrong
	}()
	f(p)
	return nil
}

// runAll runs the checks, those that search last, and returns what was wrong by number.
func (w *world) runAll(chosen []check) map[int][]string {
	wrong := map[int][]string{}
	for _, searching := range []bool{false, true} {
		for _, c := range chosen {
			if late[c.n] == searching {
				wrong[c.n] = w.run(c)
			}
		}
	}
	return wrong
}

func (w *world) audit(chosen []check, out io.Writer) int {
	began, failed := time.Now(), 0
	all := w.runAll(chosen)
	for _, c := range chosen {
		if wrong := all[c.n]; len(wrong) > 0 {
			failed++
			fmt.Fprintf(out, "R%d FAIL %s: %s\n", c.n, c.says, strings.Join(wrong, "; "))
		} else {
			fmt.Fprintf(out, "R%d pass %s\n", c.n, c.says)
		}
	}
	fmt.Fprintf(out, "%d calls in %s\n%d passed, %d failed\n", w.calls, time.Since(began).Round(time.Second), len(chosen)-failed, failed)
	if failed > 0 {
		return 1
	}
	return 0
}
