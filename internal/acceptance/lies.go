package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// lies are the ways in which replies are falsified. None is so gross that a check breaks off before it has judged.
var lies = []struct {
	name string
	tell func(reply) reply
}{
	{"all is granted", func(r reply) reply {
		if r.status >= 400 {
			r.status = 200
		}
		return r
	}},
	{"leaks", func(r reply) reply {
		r.raw = append(bytes.Clone(r.raw), []byte(platypusNumber+" access-sandbox-x")...)
		return r
	}},
	{"other values", func(r reply) reply {
		if r.status < 400 {
			r.raw = values.ReplaceAllFunc(r.raw, func(b []byte) []byte {
				switch string(b) {
				case ":true":
					return []byte(":false")
				case ":false":
					return []byte(":true")
				}
				return []byte(`:"other"`)
			})
		}
		return read(r)
	}},
}

// values are what the checks read in replies, but for ids and tokens, which the checks could not go on without.
var values = regexp.MustCompile(`:true|:false|:-?\d+|:"(?:verified|unverified|active|manual|plaid|Plaid|Manual|checking|savings|\d{4}|employer|carrier)"`)

// lieTo runs every check under every lie and tells which of them each one noticed. A check that notices none cannot
// fail.
func (w *world) lieTo(chosen []check, out io.Writer) int {
	blind := 0
	// The checks share these records, so they are made before the first lie.
	p := &probe{world: w, op: w.client(clientSpec{Name: "shared", Role: "operator", Employers: "*", Carriers: "*", Companies: "*", ActAs: true})}
	p.shared()
	p.rows()
	p.someoneElse()
	for _, c := range chosen {
		var noticed []string
		for _, l := range lies {
			w.lie = l.tell
			if len(w.run(c)) > 0 {
				noticed = append(noticed, l.name)
			}
			w.lie = nil
		}
		if len(noticed) == 0 {
			blind++
			fmt.Fprintf(out, "R%d BLIND %s\n", c.n, c.says)
		} else {
			fmt.Fprintf(out, "R%d notices: %s\n", c.n, strings.Join(noticed, ", "))
		}
	}
	fmt.Fprintf(out, "%d can fail, %d cannot\n", len(chosen)-blind, blind)
	if blind > 0 {
		return 1
	}
	return 0
}
