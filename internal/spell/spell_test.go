package spell_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/spell"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"status", "stats", 1}, {"lst", "list", 1}, {"abc", "", 3}, {"kitten", "sitting", 3}} {
		if got := spell.Distance(c.a, c.b); got != c.want || spell.Distance(c.b, c.a) != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
