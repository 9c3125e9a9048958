package plaid

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bankctl/bankctl/internal/money"
)

// The SDK refuses a whole reply for one field of another type, also for a field that nobody reads. So replies about
// accounts are rebuilt before the SDK sees them, out of the fields that are used: what cannot be read of an optional
// field is left out. What names a thing, an account's id, is not optional: without it the reply stays as it is, and is
// refused whole, for a list that lacks an account would read as if the bank had closed it.

// lenient is as lenient as the SDK's decoder, so that both accept the same replies.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

type (
	wireObject map[string]jsontext.Value
	built      map[string]any
)

func objectOf(v jsontext.Value) wireObject {
	var o wireObject
	if v.Kind() != '{' || json.Unmarshal(v, &o, lenient) != nil {
		return nil
	}
	return o
}

// list returns an array's elements; ok is false if it is none.
func (o wireObject) list(name string) (out []jsontext.Value, ok bool) {
	v := o[name]
	return out, v.Kind() == '[' && json.Unmarshal(v, &out, lenient) == nil
}

// text returns a string; "" if it is none.
func (o wireObject) text(name string) (s string) {
	if o[name].Kind() == '"' && json.Unmarshal(o[name], &s, lenient) != nil {
		return ""
	}
	return s
}

// texts returns the strings of an array.
func (o wireObject) texts(name string) []string {
	out := []string{}
	values, _ := o.list(name)
	for _, v := range values {
		if s := (wireObject{"": v}).text(""); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// copyTexts adds the strings of these names.
func (b built) copyTexts(from wireObject, names ...string) {
	for _, n := range names {
		if s := from.text(n); s != "" {
			b[n] = s
		}
	}
}

// rebuilders make a reply out of what is used of it; ok is false where it must be refused.
var rebuilders = map[string]func(wireObject) (built, bool){
	"/accounts/get": rebuiltAccounts, "/accounts/balance/get": rebuiltAccounts, "/auth/get": rebuiltNumbers,
	"/identity/get": rebuiltOwners, "/identity/match": rebuiltMatch, "/item/get": rebuiltItem,
}

// rebuild returns the reply of an endpoint as the SDK can read it, or as it is where that is not to be.
func rebuild(path string, body []byte) []byte {
	for suffix, make := range rebuilders {
		if !strings.HasSuffix(path, suffix) {
			continue
		}
		o := objectOf(jsontext.Value(body))
		out, ok := make(o)
		if o == nil || !ok {
			return body
		}
		out.copyTexts(o, "request_id")
		if rest, err := json.Marshal(out); err == nil {
			return rest
		}
	}
	return body
}

func rebuiltItem(o wireObject) (built, bool) {
	item := objectOf(o["item"])
	return built{"item": itemParts(item)}, item.text("item_id") != ""
}

func itemParts(item wireObject) built {
	out := built{"error": nil, "available_products": []string{}, "billed_products": item.texts("billed_products"), "products": item.texts("products")}
	out.copyTexts(item, "item_id", "institution_id", "institution_name", "webhook", "update_type")
	if consented := item.texts("consented_products"); len(consented) > 0 {
		out["consented_products"] = consented
	}
	if end := item.text("consent_expiration_time"); isTime(end) {
		out["consent_expiration_time"] = end
	}
	if code := objectOf(item["error"]); code.text("error_code") != "" {
		e := built{"error_type": "", "error_message": "", "display_message": nil}
		e.copyTexts(code, "error_type", "error_code", "error_message")
		out["error"] = e
	}
	return out
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func rebuiltAccounts(o wireObject) (built, bool) {
	accounts, ok := o.list("accounts")
	out := make([]built, 0, len(accounts))
	for _, v := range accounts {
		a := objectOf(v)
		if a.text("account_id") == "" {
			return nil, false
		}
		out = append(out, accountParts(a))
	}
	return built{"accounts": out, "item": itemParts(objectOf(o["item"]))}, ok
}

func accountParts(a wireObject) built {
	out := built{"balances": balanceParts(objectOf(a["balances"])), "name": "", "mask": nil, "official_name": nil, "type": "", "subtype": nil}
	out.copyTexts(a, "account_id", "name", "mask", "official_name", "type", "subtype", "verification_status", "persistent_account_id")
	return out
}

func balanceParts(b wireObject) built {
	out := built{"available": nil, "current": nil, "limit": nil, "iso_currency_code": nil, "unofficial_currency_code": nil}
	currency, ok := currencyOf(b)
	if !ok {
		return out // figures of an unknown currency are no figures
	}
	out.copyTexts(b, "iso_currency_code", "unofficial_currency_code")
	for _, name := range []string{"available", "current", "limit"} {
		if n := b[name]; n.Kind() == '0' {
			if a, _, err := money.Parse(string(n), currency); err == nil && inRange(a.Minor) {
				out[name] = n
			}
		}
	}
	return out
}

// currencyOf reads a currency's code: the official one, else the other, else none, which is "". ok is false where a code
// is there and cannot be read.
func currencyOf(o wireObject) (code string, ok bool) {
	for _, name := range []string{"iso_currency_code", "unofficial_currency_code"} {
		switch o[name].Kind() {
		case '"':
			if code = o.text(name); code != "" {
				return code, isCode(code)
			}
		case 0, 'n':
		default:
			return "", false
		}
	}
	return "", true
}

// maxCode bounds a currency's code: Plaid's longest has four letters.
const maxCode = 64

// isCode reports whether a currency's code can be one. It is kept as it comes, whatever it says.
func isCode(code string) bool { return len(code) <= maxCode }

// maxMinor bounds an amount, so that no sum of real ones overflows: a hundred trillion dollars.
const maxMinor = 1e16

func inRange(minor int64) bool { return minor > -maxMinor && minor < maxMinor }

func rebuiltNumbers(o wireObject) (built, bool) {
	out, ok := rebuiltAccounts(o)
	found, listed := objectOf(o["numbers"]).list("ach")
	if !ok || !listed {
		return nil, false
	}
	ach := []built{}
	for _, v := range found {
		n := objectOf(v)
		if n.text("account_id") == "" {
			return nil, false
		}
		if n.text("account") == "" || n.text("routing") == "" {
			continue // the account is known without numbers
		}
		one := built{"wire_routing": nil}
		one.copyTexts(n, "account_id", "account", "routing", "wire_routing")
		if k := n["is_tokenized_account_number"].Kind(); k == 't' || k == 'f' {
			one["is_tokenized_account_number"] = k == 't'
		}
		ach = append(ach, one)
	}
	out["numbers"] = built{"ach": ach, "eft": []built{}, "international": []built{}, "bacs": []built{}}
	return out, true
}

func rebuiltOwners(o wireObject) (built, bool) {
	out, ok := rebuiltAccounts(o)
	if !ok {
		return nil, false
	}
	accounts, _ := o.list("accounts")
	for i, a := range out["accounts"].([]built) {
		a["owners"] = []built{}
		owners, _ := objectOf(accounts[i]).list("owners")
		for _, v := range owners {
			if names := objectOf(v).texts("names"); len(names) > 0 {
				a["owners"] = append(a["owners"].([]built), built{"names": names, "phone_numbers": []built{}, "emails": []built{}, "addresses": []built{}})
			}
		}
	}
	return out, true
}

func rebuiltMatch(o wireObject) (built, bool) {
	out, ok := rebuiltAccounts(o)
	if !ok {
		return nil, false
	}
	accounts, _ := o.list("accounts")
	for i, a := range out["accounts"].([]built) {
		v := objectOf(objectOf(accounts[i])["legal_name"])["score"]
		if score, err := strconv.ParseFloat(string(v), 64); v.Kind() == '0' && err == nil && score >= 0 && score <= 100 {
			a["legal_name"] = built{"score": int(score)}
		}
	}
	return out, true
}

// wantsRebuilding reports whether a reply is one that rebuild knows.
func wantsRebuilding(resp *http.Response, path string) bool {
	if resp.StatusCode != http.StatusOK {
		return false
	}
	for suffix := range rebuilders {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}
