// Package enginetest is the contract of store.Engine as a test suite that every engine runs. Crashes and damaged files
// are tested by the engines that have a file.
package enginetest

import (
	"testing"

	"github.com/bankctl/bankctl/internal/store"
)

// Open returns a new, empty engine that lives as long as the test.
type Open func(t testing.TB) store.Engine

// Run tests an engine against the contract.
func Run(t *testing.T, open Open) {
	cases := []struct {
		name string
		test func(*testing.T, store.Engine)
	}{
		{"get-put-delete", testGetPutDelete},
		{"empty-value", testEmptyValue},
		{"rollback", testRollback},
		{"panic", testPanic},
		{"goexit", testGoexit},
		{"scan-order", testScanOrder},
		{"scan-while-writing", testScanWhileWriting},
		{"copies", testCopies},
		{"peek", testPeek},
		{"limits", testLimits},
		{"read-only", testReadOnly},
		{"tx-over", testTxOver},
		{"context", testContext},
		{"close", testClose},
		{"snapshot", testSnapshot},
		{"writers", testWriters},
		{"failing-members", testFailingMembers},
		{"abandoned", testAbandoned},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
	t.Run("model", func(t *testing.T) { testModel(t, open) })
}

func update(t testing.TB, e store.Engine, fn func(store.EngineTx) error) {
	t.Helper()
	if err := e.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, e store.Engine, fn func(store.EngineTx) error) {
	t.Helper()
	if err := e.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func put(keysAndValues ...string) func(store.EngineTx) error {
	return func(tx store.EngineTx) error {
		for i := 0; i < len(keysAndValues); i += 2 {
			if err := tx.Put([]byte(keysAndValues[i]), []byte(keysAndValues[i+1])); err != nil {
				return err
			}
		}
		return nil
	}
}

// pairs scans into "key=value" strings.
func pairs(tx store.EngineTx, from, to []byte, reverse bool) ([]string, error) {
	list := []string{}
	for e, err := range tx.Scan(from, to, reverse) {
		if err != nil {
			return nil, err
		}
		list = append(list, string(e.Key)+"="+string(e.Value))
	}
	return list, nil
}

func all(t testing.TB, e store.Engine) []string {
	t.Helper()
	var list []string
	view(t, e, func(tx store.EngineTx) (err error) {
		list, err = pairs(tx, nil, nil, false)
		return err
	})
	return list
}
