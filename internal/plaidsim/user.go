package plaidsim

import "slices"

// user is what /user/create makes: the owner of several Items.
type user struct {
	ID, Token, Client string
	ClientUserID      string
}

// userCreate makes a user, or gives the one that the caller made under the same client_user_id before.
func (s *Server) userCreate(c *call) (obj, *apiError) {
	for _, u := range s.st.Users {
		if u.Client == c.client && u.ClientUserID == c.str("client_user_id") {
			return obj{"user_id": u.ID, "user_token": u.Token}, nil
		}
	}
	u := &user{ID: "usr_" + s.ids.alnum("user", 14), Token: "user-sandbox-" + s.ids.uuid("user"), Client: c.client, ClientUserID: c.str("client_user_id")}
	s.st.Users[u.ID] = u
	s.markChanged()
	return obj{"user_id": u.ID, "user_token": u.Token}, nil
}

// userOf finds the user that a call names by id or token; none is "".
func (s *Server) userOf(c *call) (string, *apiError) {
	id, token := c.str("user_id"), c.str("user_token")
	if id == "" && token == "" {
		return "", nil
	}
	for _, u := range s.st.Users {
		if u.Client == c.client && (u.ID == id || u.Token == token) {
			return u.ID, nil
		}
	}
	return "", errInvalidField("user_id", "is not the id of a user")
}

// sandboxUserReset is /sandbox/item/reset_login for the Items of a user, or for some of them.
func (s *Server) sandboxUserReset(c *call) (obj, *apiError) {
	owner, err := s.userOf(c)
	if err != nil {
		return nil, err
	}
	if owner == "" {
		return nil, errMissingFields([]string{"user_id"})
	}
	wanted := c.strs("item_ids")
	for _, id := range sortedKeys(s.st.Items) {
		it := s.st.Items[id]
		if it.Owner == owner && !it.Removed && it.Manual == nil && (len(wanted) == 0 || slices.Contains(wanted, id)) {
			s.breakLogin(it)
		}
	}
	return obj{}, nil
}

// sandboxUserWebhook sends a webhook about a user to the address that the call names.
func (s *Server) sandboxUserWebhook(c *call) (obj, *apiError) {
	owner, err := s.userOf(c)
	if err != nil {
		return nil, err
	}
	if owner == "" {
		return nil, errMissingFields([]string{"user_id"})
	}
	if !validURL(c.str("webhook")) {
		return nil, bad("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID", "the webhook must be a valid URL")
	}
	s.queue(c.str("webhook"), obj{"webhook_type": c.str("webhook_type"), "webhook_code": c.str("webhook_code"), "user_id": owner, "environment": "sandbox"})
	return obj{"webhook_fired": true}, nil
}

// itemImport makes an Item of credentials that the caller holds, at First Platypus Bank.
func (s *Server) itemImport(c *call) (obj, *apiError) {
	products := c.strs("products")
	if err := checkItemProducts(products); err != nil {
		return nil, err
	}
	it, err := s.signedIn(c, findBank("ins_109508"), login{c.str("user_auth.user_id"), c.str("user_auth.auth_token")}, products)
	if err != nil {
		return nil, err
	}
	return obj{"access_token": s.newAccessToken(it)}, nil
}
