package plaidsim_test

import (
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

// The tests TestPlaidRow… hold the simulator to what was settled about Plaid by recorded replies, its own SDKs and its own
// applications; where one caller alone has seen it, both behaviours are tested.

// as starts a simulator whose behaviour of that name is the observed one.
func as(t *testing.T, name string, o plaidsim.Options) *sim {
	t.Helper()
	var err error
	if o.Switches, err = plaidsim.ParseAs(name + "=observed"); err != nil {
		t.Fatal(err)
	}
	return start(t, o)
}

func (s *sim) publicToken(products ...string) any {
	s.t.Helper()
	return s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": products})["public_token"]
}

func TestPlaidRow2(t *testing.T) {
	t.Parallel()
	t.Run("documented", func(t *testing.T) {
		s := start(t, plaidsim.Options{})
		public := s.publicToken("auth")
		s.ok("/item/public_token/exchange", object{"public_token": public})
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
	})
	t.Run("observed", func(t *testing.T) {
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		s.clock.add(29 * time.Minute)
		again := s.ok("/item/public_token/exchange", object{"public_token": public})
		if again["item_id"] != first["item_id"] || again["access_token"] != first["access_token"] {
			t.Error("a second exchange gives another Item or token")
		}
		s.clock.add(2 * time.Minute)
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
		if n := s.server.Counts()["items"]; n != 1 {
			t.Errorf("%d Items, want 1", n)
		}
	})
	t.Run("rotated", func(t *testing.T) { // the token in force, not the first one
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		rotated := s.ok("/item/access_token/invalidate", object{"access_token": first["access_token"]})
		if again := s.ok("/item/public_token/exchange", object{"public_token": public}); again["access_token"] != rotated["new_access_token"] {
			t.Error("a second exchange gives a token that was replaced")
		}
	})
	t.Run("removed", func(t *testing.T) {
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		s.ok("/item/remove", object{"access_token": first["access_token"]})
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "ITEM_NOT_FOUND")
	})
}

func TestParseAs(t *testing.T) {
	t.Parallel()
	all, err := plaidsim.ParseAs("all=observed, phone=documented")
	if err != nil || !all.ReExchange || !all.FieldsFirst || all.PhoneStep || all.Production {
		t.Errorf("all but the phone: %+v, %v", all, err)
	}
	for _, text := range []string{"phone", "phone=yes", "nothing=observed", "=observed"} {
		if _, err := plaidsim.ParseAs(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
