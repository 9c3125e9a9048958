package tui

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden views anew")

// golden holds a view against the one in testdata.
func golden(t *testing.T, name, view string) {
	t.Helper()
	file, got := filepath.Join("testdata", name+".golden"), view+"\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("another view (-want +got), -update writes it:\n%s", diff)
	}
}
