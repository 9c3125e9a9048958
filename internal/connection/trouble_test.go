package connection

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// After any notes, heals and drops in any order: the status is the worst trouble's, no code occurs twice, every trouble
// has a next step that can be copied, and healed ones are gone.
func TestTroubles(t *testing.T) {
	all := append(slices.Sorted(maps.Keys(codes)), "SOME_NEW_CODE")
	proofs := []Proof{ByTime, ByItem, ByAccounts, ByNumbers, ByUpdate}
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		c := Connection{ID: "6a1f0d8f2b3c4d5e6f708192", Status: Active}
		noted := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Minute)
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				code := rapid.SampledFrom(all).Draw(t, "code")
				if was := c.Has(code); c.Note(code, now, nil) == was {
					t.Fatalf("noting %s where it is %v", code, was)
				}
				noted[code] = true
			case 2:
				proof := rapid.SampledFrom(proofs).Draw(t, "proof")
				changed := c.Heal(proof, now, now)
				for code := range noted {
					if slices.Contains(trouble(code).Over, proof) {
						delete(noted, code)
						if c.Has(code) || !changed {
							t.Fatalf("%s outlives %v", code, proof)
						}
					}
				}
				if c.Heal(proof, now, now) {
					t.Fatal("healed twice")
				}
			case 3:
				code := rapid.SampledFrom(all).Draw(t, "code")
				if c.Drop(code, now) != noted[code] {
					t.Fatalf("dropping %s", code)
				}
				delete(noted, code)
			}
			checkTroubles(t, c, noted)
		}
	})
}

func checkTroubles(t *rapid.T, c Connection, noted map[string]bool) {
	worst, status := 0, Active
	for code := range noted {
		if s := trouble(code); s.Rank > worst {
			worst, status = s.Rank, s.Status
		}
		if !c.Has(code) {
			t.Fatalf("%s is lost", code)
		}
	}
	all := c.troubles()
	if len(all) != len(noted) {
		t.Fatalf("%+v, noted %v", all, noted)
	}
	if c.Status != status || (c.Error == nil) != (status == Active) {
		t.Fatalf("status %s, want %s of %v", c.Status, status, noted)
	}
	for _, tr := range all {
		if tr.Step == "" || tr.Step != Wait && !strings.Contains(tr.Hint, c.ID) {
			t.Fatalf("%+v has no next step", tr)
		}
	}
	if c.Working() && !c.Answers() {
		t.Fatal("it works and does not answer")
	}
}

// Every row of the table is complete: a trouble has a step, a refusal a hint, and the two ends of an Item name each
// other.
func TestCodesAreWhole(t *testing.T) {
	for code, c := range codes {
		if (c.Says == "") != (c.Step == "") || c.Status != "" && c.Rank == 0 {
			t.Errorf("%s: what it says, its step and its rank do not go together: %+v", code, c)
		}
		if c.Refusal != "" && (c.Hint == "" || c.Refuse().Message == "") || c.Refusal == "" && c.Refuse() != nil {
			t.Errorf("%s: the refusal is not whole: %+v", code, c)
		}
		if c.OppositeEnd != "" && codes[c.OppositeEnd].OppositeEnd != code {
			t.Errorf("%s: %s does not name it back", code, c.OppositeEnd)
		}
	}
}
