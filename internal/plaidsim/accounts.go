package plaidsim

import (
	"slices"
	"strconv"
	"strings"
)

// account is a fixture as part of an Item.
type account struct {
	fixture
	id     string
	status string // verification_status, empty for Instant Auth
}

// accounts of an Item, those the user shared.
func (s *Server) accounts(it *item) []account {
	var out []account
	for _, f := range s.bankAccounts(it) {
		if it.shares(f.mask) && !it.AccountStates[f.mask].Closed && !it.AccountStates[f.mask].Revoked {
			out = append(out, account{fixture: f, id: s.accountID(it.ID, f.mask), status: it.Verification[f.mask].Status})
		}
	}
	return out
}

// bankAccounts are all of the user's accounts at the bank, closed ones included.
func (s *Server) bankAccounts(it *item) []fixture {
	if it.Manual != nil {
		return []fixture{it.current(manualFixture(it.Manual))}
	}
	var out []fixture
	for _, f := range s.fixtures(it.User, it.Custom) {
		if it.Typed != nil && it.Typed.Mask == f.mask {
			f.number, f.routing = it.Typed.Account, it.Typed.Routing
		}
		out = append(out, it.current(f))
	}
	for _, o := range it.Opened {
		out = append(out, it.current(fixture{name: o.Name, mask: o.Mask, typ: "depository", subtype: "checking",
			available: usd(25), current: usd(25), holder: "personal"}))
	}
	return out
}

// shares reports whether the user chose the account. An empty choice means all accounts that were open then, not those
// opened since.
func (it *item) shares(mask string) bool {
	if len(it.Chosen) == 0 {
		return !slices.ContainsFunc(it.Opened, func(o openedAccount) bool { return o.Mask == mask })
	}
	return slices.Contains(it.Chosen, mask)
}

func (s *Server) accountID(itemID, mask string) string {
	reissued := 0
	if it := s.st.Items[itemID]; it != nil {
		reissued = it.AccountStates[mask].Reissued
	}
	return s.accountIDs(itemID, mask, reissued)
}

// accountIDs are the ids that an account has had, one after the other.
func (s *Server) accountIDs(itemID, mask string, reissued int) string {
	if reissued == 0 {
		return s.ids.derivedID("account", itemID, mask)
	}
	return s.ids.derivedID("account", itemID, mask, strconv.Itoa(reissued))
}

func manualFixture(m *manualAccount) fixture {
	name := "Checking"
	if m.Subtype == "savings" {
		name = "Savings"
	}
	return fixture{name: name, mask: m.Mask, typ: "depository", subtype: m.Subtype, number: m.Account, routing: m.Routing,
		owners: &owner{names: []string{m.Holder}}}
}

// selectAccounts applies options.account_ids.
func selectAccounts(all []account, wanted []string) ([]account, *apiError) {
	if len(wanted) == 0 {
		return all, nil
	}
	var out []account
	for _, id := range wanted {
		i := slices.IndexFunc(all, func(a account) bool { return a.id == id })
		if i < 0 {
			return nil, errAccountID()
		}
		out = append(out, all[i])
	}
	return out, nil
}

func (s *Server) accountObject(it *item, a account) obj {
	manual := it.Manual != nil
	balances := obj{"available": number(a.available), "current": number(a.current), "limit": number(a.limit),
		"iso_currency_code": nil, "unofficial_currency_code": nil}
	balances[currencyKey(a.currencyCode())] = a.currencyCode()
	if it.Institution == "ins_128026" {
		balances["last_updated_datetime"] = stamp(it.Created)
	}
	out := obj{"account_id": a.id, "balances": balances, "mask": orNull(a.mask), "name": a.name,
		"official_name": orNull(a.official), "type": a.typ, "subtype": orNull(a.subtype)}
	if a.holder != "" && !manual {
		out["holder_category"] = a.holder
	}
	if s.opt.Switches.FourteenAccounts {
		out["apy"] = number(a.apy)
	}
	if a.status != "" {
		out["verification_status"] = a.status
	}
	if manual && strings.HasPrefix(a.status, "database") {
		out["verification_name"] = it.Manual.Holder
		out["verification_insights"] = insights(it)
	}
	if b := findBank(it.Institution); b != nil && b.tokenized && a.debitable() {
		out["persistent_account_id"] = s.ids.derivedID("persistent", it.Institution, it.User, a.mask)
	}
	return out
}

func insights(it *item) obj {
	known := it.Verification[it.Manual.Mask].Status == "database_insights_pass"
	score := 0
	if strings.EqualFold(it.Manual.Holder, "John Smith") {
		score = 100
	}
	return obj{"account_number_format": "valid", "name_match_score": score,
		"network_status": obj{"has_numbers_match": known, "is_numbers_match_verified": known}}
}

func number(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

func (s *Server) accountObjects(it *item, accounts []account) []obj {
	out := []obj{}
	for _, a := range accounts {
		out = append(out, s.accountObject(it, a))
	}
	return out
}

func (s *Server) accountsGet(c *call) (obj, *apiError) {
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	return obj{"accounts": s.accountObjects(c.item, accounts), "item": s.itemObject(c.item)}, nil
}

func (s *Server) accountsBalanceGet(c *call) (obj, *apiError) {
	if c.item.Manual != nil {
		return nil, errNotSupported()
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	if err := s.capitalOneFreshness(c, accounts); err != nil {
		return nil, err
	}
	s.recordUse(c.item, "balance")
	return obj{"accounts": s.accountObjects(c.item, accounts), "item": s.itemObject(c.item)}, nil
}

// capitalOneFreshness refuses a balance call to Capital One without min_last_updated_datetime, unless all accounts are
// depository. One caller has seen it answer without, in production.
func (s *Server) capitalOneFreshness(c *call, accounts []account) *apiError {
	if c.item.Institution != "ins_128026" ||
		!slices.ContainsFunc(accounts, func(a account) bool { return a.typ != "depository" }) {
		return nil
	}
	oldest := parseTime(c.str("options.min_last_updated_datetime"))
	if oldest.IsZero() && s.opt.Switches.BalanceOfAnyAge {
		return nil
	}
	if oldest.IsZero() {
		return errInvalidField("options.min_last_updated_datetime", "is required for this institution")
	}
	if c.item.Created.Before(oldest) {
		return bad("INVALID_RESULT", "LAST_UPDATED_DATETIME_OUT_OF_RANGE", "requested datetime out of range, most recently updated balance is older")
	}
	return nil
}
