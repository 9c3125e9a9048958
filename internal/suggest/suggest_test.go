package suggest_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/suggest"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"status", "stats", 1}, {"lst", "list", 1}, {"abc", "", 3}, {"kitten", "sitting", 3}} {
		if got := suggest.Distance(c.a, c.b); got != c.want || suggest.Distance(c.b, c.a) != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"status", "state", "date_from", "date_to"}
	for _, c := range []struct {
		typed  string
		within int
		want   string
	}{{"stats", 2, "status"}, {"date_form", 2, "date_from"}, {"xyz", 2, ""}, {"status", 0, "status"}, {"stat", 0, ""}, {"stat", 1, "state"}} {
		if got := suggest.Nearest(c.typed, known, c.within); got != c.want {
			t.Errorf("Nearest(%q, within %d) = %q, want %q", c.typed, c.within, got, c.want)
		}
	}
	if got := suggest.Nearest("x", nil, 9); got != "" {
		t.Errorf("nothing is known, and %q is suggested", got)
	}
}
