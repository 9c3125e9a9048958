package vault_test

import (
	"errors"
	"testing"

	"github.com/bankctl/bankctl/internal/vault"
)

// A turned sealer opens what both keys sealed. A dropped one does so in memory, for snapshots from before, and no longer
// once it was stored.
func TestTurnAndDrop(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	s, err := vault.NewDataKey()
	must(t, err)
	seal := func(s *vault.Sealer) []byte {
		t.Helper()
		sealed, err := s.Seal([]byte("plain"), []byte("place"))
		must(t, err)
		if id, ok := vault.KeyOf(sealed); !ok || id != s.KeyID() {
			t.Errorf("sealed by %s, not by %s", id, s.KeyID())
		}
		return sealed
	}
	opens := func(s *vault.Sealer, sealed []byte) bool {
		t.Helper()
		got, err := s.AppendOpen(nil, sealed, []byte("place"))
		again, err2 := s.Open(sealed, []byte("place"))
		if (err == nil) != (err2 == nil) || string(got) != string(again) || err != nil && !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("%v, %v", err, err2)
		}
		return err == nil && string(got) == "plain"
	}
	first := seal(s)
	turned, err := s.Turn()
	must(t, err)
	second := seal(turned)
	if turned.KeyID() == s.KeyID() || turned.Keys() != 2 || !opens(turned, first) || !opens(turned, second) || opens(s, second) {
		t.Error("after the turn")
	}
	dropped, err := turned.Drop()
	must(t, err)
	if dropped.KeyID() != turned.KeyID() || dropped.Keys() != 1 || !opens(dropped, first) || !opens(dropped, second) {
		t.Error("after the drop, in memory")
	}
	wrapped, err := dropped.Wrap(t.Context(), kek, nil)
	must(t, err)
	stored, err := vault.OpenSealer(t.Context(), kek, wrapped, nil)
	must(t, err)
	if opens(stored, first) || !opens(stored, second) {
		t.Error("after the drop, stored")
	}
	again, err := dropped.Turn()
	must(t, err)
	if again.Keys() != 2 || !opens(again, first) || !opens(again, second) {
		t.Error("after another turn")
	}
}
