package plaidsim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func hashOf(token any) string {
	sum := sha256.Sum256([]byte(token.(string)))
	return hex.EncodeToString(sum[:])
}

func TestItemsTellWhatLives(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})
	s.clock.add(1)
	access, id := s.item("ins_109509", "user_good", "auth")
	s.ok("/sandbox/item/reset_login", object{"access_token": access})
	s.clock.add(1)
	dead, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/item/remove", object{"access_token": dead})
	all := s.server.Items()
	if len(all) != 3 {
		t.Fatalf("%d Items", len(all))
	}
	if all[0].TokenHash != "" || all[0].Removed {
		t.Errorf("the one not exchanged is %+v", all[0])
	}
	if it := all[1]; it.ID != id || it.Client != s.client || it.Institution != "ins_109509" || it.Error != "ITEM_LOGIN_REQUIRED" || it.TokenHash != hashOf(access) || it.Created.IsZero() {
		t.Errorf("the broken one is %+v", it)
	}
	if all[2].TokenHash != "" || !all[2].Removed {
		t.Errorf("the removed one is %+v", all[2])
	}

	// The new token is saved before the reply, and the old one no longer works.
	fresh := s.ok("/item/access_token/invalidate", object{"access_token": access})["new_access_token"]
	again := start(t, plaidsim.Options{Store: store.snapshot(), Clock: s.clock.now})
	if got := again.server.Items()[1].TokenHash; got != hashOf(fresh) {
		t.Error("the rotated token was not saved before the reply")
	}
	for _, sim := range []*sim{s, again} {
		sim.refused("/item/get", object{"access_token": access}, 400, "INVALID_ACCESS_TOKEN")
		sim.ok("/item/get", object{"access_token": fresh})
	}
}
