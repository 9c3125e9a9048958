package banktest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidspec"
)

// writeReport leaves what a test said to the simulator where BANKD_SPEC_REPORT names a directory, so that the counts of
// a whole run can be added up.
func writeReport(t testing.TB, r *plaidspec.Recorder) {
	dir := os.Getenv("BANKD_SPEC_REPORT")
	if dir == "" {
		return
	}
	b, err := json.Marshal(map[string]any{"test": t.Name(), "counts": r.Counts(), "errors": r.ErrorCodes(), "violations": len(r.Violations())})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(dir, "spec-*.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
