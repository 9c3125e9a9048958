package plaidsim

import (
	"net/url"
	"slices"
	"time"
)

// checkConsent refuses a product that the Item does not support or the user did not consent to.
func (s *Server) checkConsent(it *item, product string) *apiError {
	if it.Manual != nil {
		if product != "auth" && product != "transfer" {
			return errNotSupported()
		}
		return nil
	}
	if b := findBank(it.Institution); b == nil || !b.supports([]string{product}) {
		return errNotSupported()
	}
	if !it.Unasked && !slices.Contains(it.Consented, product) {
		return errConsent(product)
	}
	return nil
}

// recordUse notes a product's first use. Balance is billed per call and never becomes a product of the Item.
func (s *Server) recordUse(it *item, product string) {
	if product == "balance" || slices.Contains(it.Products, product) {
		return
	}
	it.Products = append(it.Products, product)
	s.markChanged()
}

var consentScopes = []struct{ product, scope string }{
	{"auth", "account_routing_number"}, {"identity", "contact_info"}, {"transactions", "transactions"},
	{"liabilities", "credit_loan_info"}, {"investments", "investments"}, {"statements", "bank_statements"}, {"signal", "risk_info"},
}

func (s *Server) itemObject(it *item) obj {
	out := obj{"item_id": it.ID, "webhook": it.Webhook, "error": nil, "update_type": "background",
		"consent_expiration_time": timeOrNull(it.Ends), "billed_products": list(it.Products), "products": list(it.Products),
		"institution_id": orNull(it.Institution), "institution_name": nil}
	if slices.Contains(it.Products, "auth") {
		out["auth_method"] = orNull(it.AuthMethod)
	}
	if !it.Unasked {
		out["consented_products"], out["consented_use_cases"] = slices.Clone(list(it.Consented)), []string{"Verify your account"}
	}
	available := []string{}
	if b := findBank(it.Institution); b != nil {
		out["institution_name"] = b.name
		for _, p := range b.products {
			if !slices.Contains(it.Products, p) {
				available = append(available, p)
			}
		}
	}
	out["available_products"] = available
	out["products"], out["billed_products"] = slices.Clone(list(it.Products)), slices.Clone(list(it.Products))
	return out
}

// scopes are the data scopes that the user has consented to.
func (it *item) scopes() []string {
	out := []string{"account_balance_info"}
	for _, row := range consentScopes {
		if slices.Contains(it.Consented, row.product) {
			out = append(out, row.scope)
		}
	}
	return out
}

func (s *Server) itemGet(c *call) (obj, *apiError) {
	it := s.itemObject(c.item)
	it["created_at"] = stamp(c.item.Created)
	if !c.item.Unasked {
		it["consented_data_scopes"] = c.item.scopes()
	}
	if c.item.Error != "" {
		it["error"] = brokenItem(c.item).body("")
	}
	return obj{"item": it, "status": s.itemStatus(c.item, c.now)}, nil
}

func (s *Server) itemStatus(it *item, now time.Time) obj {
	out := obj{"investments": nil, "last_webhook": nil, "transactions": nil}
	if !it.Txns.Started.IsZero() {
		var done time.Time
		if v := s.history(it).version(now); v > 0 {
			done = it.Txns.Started.Add(s.opt.Ready.Initial)
		}
		out["transactions"] = obj{"last_successful_update": timeOrNull(done), "last_failed_update": nil}
	}
	if it.LastHook != "" {
		out["last_webhook"] = obj{"sent_at": stamp(it.LastHookAt), "code_sent": it.LastHook}
	}
	return out
}

// brokenItem is the error of every call on an Item in error.
func brokenItem(it *item) *apiError {
	switch it.Error {
	case "USER_PERMISSION_REVOKED":
		return invalidInput(it.Error, "the end user has revoked access to their data")
	default:
		return errLoginRequired()
	}
}

func (s *Server) itemRemove(c *call) (obj, *apiError) {
	s.removeItem(c.item)
	return obj{}, nil
}

func (s *Server) removeItem(it *item) {
	it.Removed = true
	it.Custom, it.Manual = "", nil
	s.markChanged()
}

func (s *Server) itemWebhookUpdate(c *call) (obj, *apiError) {
	hook := c.str("webhook")
	if hook != "" && !validURL(hook) {
		return nil, errInvalidField("webhook", "must be a valid URL")
	}
	c.item.Webhook = hook
	s.markChanged()
	s.sendItem(c.item, "ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED", obj{"new_webhook_url": hook})
	return obj{"item": s.itemObject(c.item)}, nil
}

func validURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (s *Server) itemAccessTokenInvalidate(c *call) (obj, *apiError) {
	c.token.Rotated = true
	token := s.newAccessToken(c.item)
	return obj{"new_access_token": token}, nil
}

func (s *Server) newAccessToken(it *item) string {
	token := "access-sandbox-" + s.ids.uuid("access")
	s.st.Access[token] = &accessToken{Client: it.Client, Item: it.ID}
	it.Token = token
	s.markChanged()
	return token
}
