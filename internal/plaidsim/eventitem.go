package plaidsim

import (
	"cmp"
	"slices"
	"time"
)

// noticeTime is how long before the end Plaid announces it.
const noticeTime = 7 * 24 * time.Hour

// requireLogin refuses events about credentials for Items made from typed numbers.
func requireLogin(it *item, kind string) error {
	if it.Manual != nil {
		return wrongField("item_id", "is an Item of typed numbers, which has no login for %s", kind)
	}
	if it.Error == "USER_PERMISSION_REVOKED" {
		return wrongField("item_id", "has had its permission revoked, so that %s cannot happen", kind)
	}
	return nil
}

func (s *Server) loginRequired(it *item, e Event, _ time.Time) error {
	if err := requireLogin(it, e.Kind); err != nil {
		return err
	}
	s.breakLogin(it)
	return nil
}

// loginRepaired acts as if the user had signed in again elsewhere.
func (s *Server) loginRepaired(it *item, _ Event, now time.Time) error {
	if it.Error != "ITEM_LOGIN_REQUIRED" {
		return wrongField("item_id", "must be in ITEM_LOGIN_REQUIRED")
	}
	it.Error, it.Healed, it.Ends = "", now, time.Time{}
	s.sendItem(it, "ITEM", "LOGIN_REPAIRED", nil)
	return nil
}

func (s *Server) pendingDisconnect(it *item, e Event, now time.Time) error {
	reason := cmp.Or(e.Reason, "INSTITUTION_TOKEN_EXPIRATION")
	if reason != "INSTITUTION_TOKEN_EXPIRATION" && reason != "INSTITUTION_MIGRATION" {
		return wrongField("reason", "must be INSTITUTION_MIGRATION or INSTITUTION_TOKEN_EXPIRATION")
	}
	if err := endConsent(it, e, now); err != nil {
		return err
	}
	s.sendItem(it, "ITEM", "PENDING_DISCONNECT", obj{"reason": reason, "disconnect_time": stamp(it.Ends)})
	return nil
}

func (s *Server) pendingExpiration(it *item, e Event, now time.Time) error {
	if err := endConsent(it, e, now); err != nil {
		return err
	}
	s.sendItem(it, "ITEM", "PENDING_EXPIRATION", obj{"consent_expiration_time": stamp(it.Ends)})
	return nil
}

// endConsent sets the end of the consent; the clock breaks the login then.
func endConsent(it *item, e Event, now time.Time) error {
	if err := requireLogin(it, e.Kind); err != nil {
		return err
	}
	it.Ends = now.Add(cmp.Or(e.After, noticeTime))
	return nil
}

// permissionRevoked uses one code with two types, as Plaid does: ITEM_ERROR in the webhook, INVALID_INPUT in calls.
func (s *Server) permissionRevoked(it *item, e Event, _ time.Time) error {
	it.Error, it.Relinkable = "USER_PERMISSION_REVOKED", e.Relinkable
	s.sendItem(it, "ITEM", it.Error, obj{"error": errPermissionRevoked().hookBody()})
	return nil
}

func errPermissionRevoked() *apiError {
	return itemError("USER_PERMISSION_REVOKED", "the holder of this account has revoked their permission for your application to access it")
}

func (s *Server) institutionDown(it *item, e Event, now time.Time) error {
	it.DownUntil = now.Add(e.After)
	return nil
}

// itemGone removes the Item, as its owner could.
func (s *Server) itemGone(it *item, _ Event, _ time.Time) error {
	s.removeItem(it)
	return nil
}

func (s *Server) invalidateToken(it *item, _ Event, _ time.Time) error {
	token := s.st.Access[it.Token]
	if token == nil {
		return wrongField("item_id", "has no access token")
	}
	token.Rotated, it.Token = true, ""
	return nil
}

func (s *Server) noAccounts(it *item, _ Event, _ time.Time) error {
	it.bar(anyProduct, "NO_ACCOUNTS")
	return nil
}

func (s *Server) noAuthAccounts(it *item, _ Event, _ time.Time) error {
	it.bar("auth", "NO_AUTH_ACCOUNTS")
	return nil
}

func (s *Server) accessNotGranted(it *item, e Event, _ time.Time) error {
	product := cmp.Or(e.Product, "auth")
	if !slices.Contains([]string{"auth", "identity", "transactions"}, product) {
		return wrongField("product", "must be auth, identity or transactions")
	}
	it.bar(product, "ACCESS_NOT_GRANTED")
	return nil
}

func (it *item) bar(product, code string) {
	if it.Barred == nil {
		it.Barred = map[string]string{}
	}
	it.Barred[product] = code
}

// consentMissing withdraws the consent to a product, until update mode asks for it with additional_consented_products.
func (s *Server) consentMissing(it *item, e Event, _ time.Time) error {
	consented := it.Consented
	if it.Unasked {
		consented = it.Products
	}
	if it.Manual != nil || !slices.Contains(consented, e.Product) {
		return wrongField("product", "must be one that the user consented to")
	}
	it.Unasked, it.Consented = false, consented // from now on the Item has a list of what the user consented to
	it.Consented = slices.DeleteFunc(slices.Clone(it.Consented), func(p string) bool { return p == e.Product })
	return nil
}
