package bolt

import (
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/enginetest"
)

func openTest(t testing.TB, path string) *Engine {
	t.Helper()
	e, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(t testing.TB) store.Engine {
		return openTest(t, filepath.Join(t.TempDir(), "bankd.db"))
	})
}
