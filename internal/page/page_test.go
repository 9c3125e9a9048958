package page_test

import (
	"math"
	"testing"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"pgregory.net/rapid"
)

// Every row stands on exactly one page, in order, whatever the limit (R56, R57, A23).
func TestPagesTileTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int(), 0, 300).Draw(t, "all")
		limit := rapid.IntRange(1, page.MaxLimit).Draw(t, "limit")
		var got []int
		for n := 1; ; n++ {
			rows, info := page.Of(all, page.Request{Page: n, Limit: limit})
			if info.Total != len(all) {
				t.Fatalf("total %d of %d", info.Total, len(all))
			}
			got = append(got, rows...)
			if n >= info.Pages {
				break
			}
		}
		if len(got) != len(all) {
			t.Fatalf("%d rows of %d", len(got), len(all))
		}
		for i := range got {
			if got[i] != all[i] {
				t.Fatalf("row %d differs", i)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		r   page.Request
		bad int
	}{
		{page.Request{}, 0}, {page.Request{Page: 3, Limit: 200}, 0},
		{page.Request{Page: -1, Limit: 201}, 2}, {page.Request{Limit: -5}, 1},
	} {
		var bad fault.Problems
		c.r.Check(&bad)
		if len(bad) != c.bad {
			t.Errorf("%+v: %v", c.r, bad)
		}
	}
	if rows, _ := page.Of([]int{1}, page.Request{Page: math.MaxInt, Limit: 200}); len(rows) != 0 {
		t.Error("a page far beyond the end has rows")
	}
}
