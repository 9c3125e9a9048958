package plaidsim

// owner is what identity knows about the holders of an account.
type owner struct {
	names     []string
	phones    []datum
	emails    []datum
	addresses []address
}

type datum struct {
	data, kind string
	primary    bool
}

type address struct {
	street, city, region, postal, country string
	primary                               bool
}

var goodOwner = owner{
	names:  []string{"Alberta Bobbeth Charleson"},
	phones: []datum{{data: "1112223333", kind: "home"}, {data: "1112224444", kind: "work"}, {data: "1112225555", kind: "mobile"}},
	emails: []datum{{"accountholder0@example.com", "primary", true}, {"accountholder1@example.com", "secondary", false},
		{"extraordinarily.long.email.username.123456@reallylonghostname.com", "other", false}},
	addresses: []address{{"2992 Cameron Road", "Malakoff", "NY", "14236", "US", true}, {"2493 Leisure Lane", "San Matias", "CA", "93405-2255", "US", false}},
}

func (f fixture) owner() owner {
	if f.owners != nil {
		return *f.owners
	}
	return goodOwner
}

func (o owner) object() obj {
	return obj{"names": list(o.names), "phone_numbers": data(o.phones), "emails": data(o.emails), "addresses": o.addressObjects()}
}

func data(in []datum) []obj {
	out := []obj{}
	for _, d := range in {
		out = append(out, obj{"data": d.data, "primary": d.primary, "type": d.kind})
	}
	return out
}

func (o owner) addressObjects() []obj {
	out := []obj{}
	for _, a := range o.addresses {
		out = append(out, obj{"primary": a.primary, "data": obj{"street": a.street, "city": orNull(a.city), "region": orNull(a.region),
			"postal_code": orNull(a.postal), "country": orNull(a.country)}})
	}
	return out
}

func (s *Server) identityGet(c *call) (obj, *apiError) {
	if err := s.checkConsent(c.item, "identity"); err != nil {
		return nil, err
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	s.recordUse(c.item, "identity")
	out := s.accountObjects(c.item, accounts)
	for i, a := range accounts {
		out[i]["owners"] = []obj{a.owner().object()}
	}
	return obj{"accounts": out, "item": s.itemObject(c.item)}, nil
}

func (s *Server) identityRefresh(c *call) (obj, *apiError) {
	if err := s.checkConsent(c.item, "identity"); err != nil {
		return nil, err
	}
	s.recordUse(c.item, "identity")
	return obj{}, nil
}

// sameDayMatchRouting makes Identity Match work on an Item of typed numbers.
const sameDayMatchRouting = "011401533"

func (s *Server) identityMatch(c *call) (obj, *apiError) {
	known := c.item.Manual != nil && c.item.Manual.Routing == sameDayMatchRouting
	if !known {
		if err := s.checkConsent(c.item, "identity"); err != nil {
			return nil, err
		}
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	s.recordUse(c.item, "identity_match")
	out := s.accountObjects(c.item, accounts)
	for i, a := range accounts {
		out[i]["balances"] = obj{"available": nil, "current": nil, "limit": nil, "iso_currency_code": nil, "unofficial_currency_code": nil}
		for key, score := range matchOwner(c, a.owner()) {
			out[i][key] = score
		}
	}
	return obj{"accounts": out, "item": s.itemObject(c.item)}, nil
}
