package ach_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/ach"
)

func TestRoutingNumberForm(t *testing.T) {
	// A29: ABA mod 10 beside the nine digits; Plaid's sandbox numbers pass.
	for _, good := range []string{"021000021", "011401533", "110000000", "333333334", "021200339", "052001633"} {
		if err := ach.NewRoutingNumber(good).Check(); err != nil {
			t.Errorf("routing ending %s: %v", good[5:], err)
		}
	}
	for _, bad := range []string{"", "02100002", "0210000210", "021000022", "000000000", "02100002a", "021 00021", "٠٢١٠٠٠٠٢١"} {
		if ach.NewRoutingNumber(bad).Check() == nil { // R41
			t.Errorf("%q passes", bad)
		}
	}
}

func TestAccountNumberForm(t *testing.T) {
	for _, good := range []string{"12345", "1234567890", "00000", "12345678901234567"} { // R42
		if err := ach.NewAccountNumber(good).Check(); err != nil {
			t.Errorf("%d digits: %v", len(good), err)
		}
	}
	for _, bad := range []string{"", "1234", "123456789012345678", "12345x", "1234 5678", "-12345"} {
		if ach.NewAccountNumber(bad).Check() == nil {
			t.Errorf("%q passes", bad)
		}
	}
	// R50: the published pins.
	if ach.NewAccountNumber("1234567890").Last4() != "7890" || ach.NewRoutingNumber("021000021").Last4() != "0021" {
		t.Error("last four differ from the published ones")
	}
	if got := ach.NewAccountNumber("123").Last4(); got != "" {
		t.Errorf("fewer than four digits show %q", got)
	}
}

// R49, R105: a number is hidden when it is printed, encoded or logged.
func TestNumbersCannotPrintThemselves(t *testing.T) {
	n := ach.Numbers{Routing: ach.NewRoutingNumber("021000021"), Account: ach.NewAccountNumber("1111222233330000")}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, n, n.Routing, &n.Account, struct{ hidden ach.AccountNumber }{n.Account})
	}
	for _, v := range []any{n, n.Routing, &n.Account, map[string]any{"n": n.Account}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "n", n, "r", n.Routing, "a", n.Account)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "n", n, "r", n.Routing, "a", n.Account)
	fmt.Fprint(&out, fmt.Errorf("wrapped %v %w", n.Account, n.Routing.Check()))
	for _, digits := range []string{"021000021", "1111222233330000", "30323130"} {
		if strings.Contains(out.String(), digits) {
			t.Errorf("%s… is printed: %s", digits[:3], out.String())
		}
	}
	if n.Account.Reveal() != "1111222233330000" {
		t.Error("the one door is shut")
	}
}

func TestEqual(t *testing.T) {
	a := ach.NewAccountNumber("00012345")
	if !a.Equal(ach.NewAccountNumber("00012345")) || a.Equal(ach.NewAccountNumber("12345")) {
		t.Error("leading zeros count")
	}
}

func FuzzRoutingNumber(f *testing.F) {
	f.Add("021000021")
	f.Fuzz(func(t *testing.T, s string) {
		n := ach.NewRoutingNumber(s)
		if n.Check() != nil {
			return
		}
		// The check digit catches any single wrong digit.
		for i := range s {
			for d := byte('0'); d <= '9'; d++ {
				other := s[:i] + string(d) + s[i+1:]
				if other != s && ach.NewRoutingNumber(other).Check() == nil {
					t.Fatalf("digit %d can be changed unseen", i)
				}
			}
		}
	})
}

func TestHoldsNumber(t *testing.T) {
	for text, want := range map[string]bool{
		"voided check of 2026-11-20": false, "check no. 12345678": false, "acct 0114 0153-3": true, "1111222233330000": true, "": false,
	} {
		if ach.HoldsNumber(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
