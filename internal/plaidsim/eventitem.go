package plaidsim

import (
	"cmp"
	"slices"
	"time"
)

// noticeTime is how long before the end Plaid tells of it.
const noticeTime = 7 * 24 * time.Hour

// signedIn refuses events that need credentials for Items of typed numbers.
func signedIn(it *item, kind string) error {
	if it.Manual != nil {
		return wrongField("item_id", "is an Item of typed numbers, which has no login for %s", kind)
	}
	if it.Error == "USER_PERMISSION_REVOKED" {
		return wrongField("item_id", "has had its permission revoked, so that %s cannot happen", kind)
	}
	return nil
}

func (s *Server) happenLoginRequired(it *item, e Event, _ time.Time) error {
	if err := signedIn(it, e.Kind); err != nil {
		return err
	}
	s.breakLogin(it)
	return nil
}

// happenLoginRepaired is a login that the user gave elsewhere.
func (s *Server) happenLoginRepaired(it *item, _ Event, now time.Time) error {
	if it.Error != "ITEM_LOGIN_REQUIRED" {
		return wrongField("item_id", "must be in ITEM_LOGIN_REQUIRED")
	}
	it.Error, it.Healed, it.Ends = "", now, time.Time{}
	s.sendItem(it, "ITEM", "LOGIN_REPAIRED", nil)
	return nil
}

func (s *Server) happenPendingDisconnect(it *item, e Event, now time.Time) error {
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

func (s *Server) happenPendingExpiration(it *item, e Event, now time.Time) error {
	if err := endConsent(it, e, now); err != nil {
		return err
	}
	s.sendItem(it, "ITEM", "PENDING_EXPIRATION", obj{"consent_expiration_time": stamp(it.Ends)})
	return nil
}

// endConsent sets when the Item stops; the clock does the rest.
func endConsent(it *item, e Event, now time.Time) error {
	if err := signedIn(it, e.Kind); err != nil {
		return err
	}
	it.Ends = now.Add(cmp.Or(e.After, noticeTime))
	return nil
}

// happenPermissionRevoked has one code with two types, as Plaid has: the
// webhook tells of an ITEM_ERROR, calls answer INVALID_INPUT.
func (s *Server) happenPermissionRevoked(it *item, e Event, _ time.Time) error {
	it.Error, it.Relinkable = "USER_PERMISSION_REVOKED", e.Relinkable
	s.sendItem(it, "ITEM", it.Error, obj{"error": errPermissionRevoked().hookBody()})
	return nil
}

func errPermissionRevoked() *apiError {
	return itemError("USER_PERMISSION_REVOKED", "the holder of this account has revoked their permission for your application to access it")
}

func (s *Server) happenInstitutionDown(it *item, e Event, now time.Time) error {
	it.DownUntil = now.Add(e.After)
	return nil
}

// happenGone is an Item that the user or Plaid removed: as if its owner had.
func (s *Server) happenGone(it *item, _ Event, _ time.Time) error {
	s.removeItem(it)
	return nil
}

func (s *Server) happenTokenInvalid(it *item, _ Event, _ time.Time) error {
	token := s.st.Access[it.Token]
	if token == nil {
		return wrongField("item_id", "has no access token")
	}
	token.Rotated, it.Token = true, ""
	return nil
}

func (s *Server) happenNoAccounts(it *item, _ Event, _ time.Time) error {
	it.bar(anyProduct, "NO_ACCOUNTS")
	return nil
}

func (s *Server) happenNoAuthAccounts(it *item, _ Event, _ time.Time) error {
	it.bar("auth", "NO_AUTH_ACCOUNTS")
	return nil
}

func (s *Server) happenAccessNotGranted(it *item, e Event, _ time.Time) error {
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

// happenConsentMissing takes back what update mode asks for with
// additional_consented_products.
func (s *Server) happenConsentMissing(it *item, e Event, _ time.Time) error {
	if it.Manual != nil || !slices.Contains(it.Consented, e.Product) {
		return wrongField("product", "must be one that the user consented to")
	}
	it.Consented = slices.DeleteFunc(slices.Clone(it.Consented), func(p string) bool { return p == e.Product })
	return nil
}
