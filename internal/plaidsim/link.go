package plaidsim

import (
	"time"
)

const (
	sessionKept = 6 * time.Hour
	linkKept    = 24 * time.Hour
)

func (s *Server) linkTokenCreate(c *call) (obj, *apiError) {
	if err := s.checkLink(c); err != nil {
		return nil, err
	}
	req := readLinkRequest(c)
	life := newItemLife
	if c.str("access_token") != "" {
		it, err := s.updatable(c)
		if err != nil {
			return nil, err
		}
		req.Item, req.Webhook, life = it.ID, "", updateLife
	}
	lt := &linkToken{Token: "link-sandbox-" + s.ids.uuid("link"), Client: c.client, Created: c.now, Request: req}
	out := obj{"link_token": lt.Token}
	if _, hosted := c.body["hosted_link"].(map[string]any); hosted {
		life = hostedLifetime(c)
		lt.Opaque = s.ids.alnum("hosted", 24)
		s.byOpaque[lt.Opaque] = lt
		out["hosted_link_url"] = s.base + "/hl/" + lt.Opaque
	}
	lt.Expires = c.now.Add(life)
	s.st.Links[lt.Token] = lt
	s.markChanged()
	out["expiration"] = stamp(lt.Expires)
	return out, nil
}

func hostedLifetime(c *call) time.Duration {
	if n := c.num("hosted_link.url_lifetime_seconds", 0); n > 0 {
		return time.Duration(n) * time.Second
	}
	switch c.str("hosted_link.delivery_method") {
	case "sms":
		return smsHostedLife
	case "email":
		return mailHostedLife
	}
	return hostedLife
}

// updatable finds the Item of a create in update mode, and refuses one that cannot be updated.
func (s *Server) updatable(c *call) (*item, *apiError) {
	token := s.st.Access[c.str("access_token")]
	if token == nil || token.Client != c.client || token.Rotated {
		return nil, errUnknownToken(c.str("access_token"))
	}
	it := s.st.Items[token.Item]
	if it == nil || it.Removed {
		return nil, errItemNotFound()
	}
	if it.Error == "USER_PERMISSION_REVOKED" && !it.Relinkable {
		return nil, brokenItem(it)
	}
	for _, p := range c.strs("products") {
		if b := findBank(it.Institution); b != nil && !b.supports([]string{p}) || b == nil && p != "auth" {
			return nil, errNotSupported()
		}
	}
	return it, nil
}

func (s *Server) linkTokenGet(c *call) (obj, *apiError) {
	lt := s.st.Links[c.str("link_token")]
	if lt == nil || lt.Client != c.client {
		return nil, errLinkToken()
	}
	if s.opt.Switches.CloseAbandoned && c.now.After(lt.Expires) {
		s.closeAbandoned(lt)
	}
	r := lt.Request
	meta := obj{"initial_products": list(r.Products), "webhook": orNull(r.Webhook), "country_codes": list(r.Countries),
		"language": orNull(r.Language), "redirect_uri": orNull(r.RedirectURI), "client_name": orNull(r.ClientName)}
	if r.Filters != nil {
		filters := obj{}
		for typ, subtypes := range r.Filters {
			filters[typ] = obj{"account_subtypes": list(subtypes)}
		}
		meta["account_filters"] = filters
	}
	if r.Routing != "" {
		meta["institution_data"] = obj{"routing_number": r.Routing}
	}
	out := obj{"link_token": lt.Token, "created_at": stamp(lt.Created), "expiration": stamp(lt.Expires), "metadata": meta}
	if sessions := s.sessionObjects(lt, c.now); len(sessions) > 0 {
		out["link_sessions"] = sessions
	}
	return out, nil
}

func (s *Server) sessionObjects(lt *linkToken, now time.Time) []obj {
	var out []obj
	for _, ss := range lt.Sessions {
		ended := ss.Finished
		if ended.IsZero() {
			ended = lt.Expires
		}
		if s.opt.Switches.KeepSessions || now.Sub(ended) <= sessionKept {
			out = append(out, s.sessionObject(ss))
		}
	}
	return out
}

// sweepLinks deletes link tokens that are of no use any more.
func (s *Server) sweepLinks(now time.Time) {
	for token, lt := range s.st.Links {
		if now.Sub(lt.Expires) > linkKept {
			delete(s.st.Links, token)
			delete(s.byOpaque, lt.Opaque)
			s.markChanged()
		}
	}
}
