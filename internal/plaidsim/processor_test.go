package plaidsim_test

import (
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func TestProcessorToken(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, item := s.item("ins_109508", "user_good", "auth")
	ids := map[any]any{}
	for _, a := range each(s.ok("/accounts/get", object{"access_token": access})["accounts"]) {
		ids[a["mask"]] = a["account_id"]
	}
	body := func(mask, processor string) object {
		return object{"access_token": access, "account_id": ids[mask], "processor": processor}
	}
	if token := s.ok("/processor/token/create", body("0000", "dwolla"))["processor_token"]; !strings.HasPrefix(token.(string), "processor-sandbox-") {
		t.Error("the token has another form")
	}
	s.refused("/processor/token/create", body("0000", "No Body"), 400, "INVALID_FIELD")
	s.refused("/processor/token/create", body("3333", "dwolla"), 400, "INVALID_FIELD")
	s.refused("/processor/token/create", object{"access_token": access, "account_id": "x", "processor": "dwolla"}, 400, "INVALID_ACCOUNT_ID")
	plain, _ := s.consented(object{"products": []string{"identity"}})
	s.refused("/processor/token/create", object{"access_token": plain, "account_id": ids["0000"], "processor": "dwolla"}, 400, "ADDITIONAL_CONSENT_REQUIRED")
	if err := s.server.ApplyEvent(plaidsim.Event{Kind: "verification", Item: item, Mask: "0000", Status: "pending_manual_verification"}); err != nil {
		t.Fatal(err)
	}
	s.refused("/processor/token/create", body("0000", "dwolla"), 400, "PRODUCT_NOT_READY")
}
