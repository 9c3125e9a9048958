package plaidsim

import "time"

const publicTokenLife = 30 * time.Minute

func (s *Server) newPublicToken(it *item, now time.Time) string {
	token := "public-sandbox-" + s.ids.uuid("public")
	s.st.Publics[token] = &publicToken{Client: it.Client, Item: it.ID, Made: now}
	s.markChanged()
	return token
}

// sweepPublics deletes public tokens that cannot be exchanged any more.
func (s *Server) sweepPublics(now time.Time) {
	for token, p := range s.st.Publics {
		if now.Sub(p.Made) > 2*publicTokenLife {
			delete(s.st.Publics, token)
			s.markChanged()
		}
	}
}

func (s *Server) itemPublicTokenExchange(c *call) (obj, *apiError) {
	p := s.st.Publics[c.str("public_token")]
	if p == nil || p.Client != c.client || c.now.Sub(p.Made) > publicTokenLife {
		return nil, errPublicToken()
	}
	it := s.st.Items[p.Item]
	if it == nil || it.Removed {
		return nil, errItemNotFound()
	}
	if p.Used {
		return s.reExchange(it)
	}
	p.Used = true
	if it.Token == "" {
		s.newAccessToken(it)
	}
	s.markChanged()
	return obj{"access_token": it.Token, "item_id": it.ID}, nil
}

func (s *Server) reExchange(it *item) (obj, *apiError) {
	if !s.opt.Switches.ReExchange {
		return nil, errPublicToken()
	}
	return obj{"access_token": it.Token, "item_id": it.ID}, nil
}

func (s *Server) itemPublicTokenCreate(c *call) (obj, *apiError) {
	token := s.newPublicToken(c.item, c.now)
	return obj{"public_token": token, "expiration": stamp(c.now.Add(publicTokenLife))}, nil
}
