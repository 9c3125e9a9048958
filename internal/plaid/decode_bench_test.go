package plaid

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	sdk "github.com/plaid/plaid-go/v29/plaid"
)

// BenchmarkDecodeInTurn decodes the reply of /transactions/sync in the file BANKD_BENCH_PAGE with the SDK's decoder and
// with ours, in turn, and reports the CPU time a row of each: the median of the rounds. The module bench runs it too,
// beside a sync, because only this package may import the SDK.
func BenchmarkDecodeInTurn(b *testing.B) {
	path := os.Getenv("BANKD_BENCH_PAGE")
	if path == "" {
		b.Skip("no page: make bench brings one of the simulator's")
	}
	body, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	rows := 0
	bySDK := func() error {
		var r sdk.TransactionsSyncResponse
		err := json.Unmarshal(body, &r)
		rows = len(r.Added)
		return err
	}
	byUs := func() error {
		var r syncRows
		r.extractRows(body)
		if len(r.added) != rows {
			b.Fatalf("%d rows, the SDK reads %d", len(r.added), rows)
		}
		return nil
	}
	const pages = 20 // a round, so that it includes the cost of its garbage
	var theirs, ours []float64
	for b.Loop() {
		for i, decode := range []func() error{bySDK, byUs} {
			runtime.GC()
			start := cpuTime()
			for range pages {
				if err := decode(); err != nil {
					b.Fatal(err)
				}
			}
			spent := float64(cpuTime()-start) / float64(pages*rows)
			if i == 0 {
				theirs = append(theirs, spent)
			} else {
				ours = append(ours, spent)
			}
		}
	}
	b.ReportMetric(median(theirs), "sdk-cpu-ns/row")
	b.ReportMetric(median(ours), "ours-cpu-ns/row")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with this argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
