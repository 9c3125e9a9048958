package plaidsim

import (
	"slices"
	"strings"
)

// matchOwner scores the caller's data against the bank's. A score is null if either has none.
func matchOwner(c *call, o owner) obj {
	out := obj{"legal_name": nil, "phone_number": nil, "email_address": nil, "address": nil}
	if name := c.str("user.legal_name"); name != "" && len(o.names) > 0 {
		out["legal_name"] = matchName(name, o.names)
	}
	if phone := digits(c.str("user.phone_number")); phone != "" && len(o.phones) > 0 {
		known := slices.ContainsFunc(o.phones, func(d datum) bool {
			return strings.HasSuffix(phone, digits(d.data))
		})
		out["phone_number"] = obj{"score": yes(known)}
	}
	if mail := c.str("user.email_address"); mail != "" && len(o.emails) > 0 {
		known := slices.ContainsFunc(o.emails, func(d datum) bool { return strings.EqualFold(d.data, mail) })
		out["email_address"] = obj{"score": yes(known)}
	}
	if c.has("user.address") && len(o.addresses) > 0 {
		out["address"] = matchAddress(c, o.addresses)
	}
	return out
}

func yes(ok bool) int {
	if ok {
		return 100
	}
	return 0
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

func nameWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '.' || r == ',' || r == '-' })
}

func matchName(given string, known []string) obj {
	best, partial := 0, false
	for _, name := range known {
		score, shared := nameScore(nameWords(given), nameWords(name))
		best, partial = max(best, score), partial || shared
	}
	return obj{"score": best, "is_first_name_or_last_name_match": partial, "is_nickname_match": false, "is_business_name_detected": businessName(given)}
}

// nameScore follows what Plaid has answered: 100 for the same words, 99 if a middle name is short or absent, 93 if one
// letter differs, 60 for the last name alone, else at most 45 by how much of the letters agree. The bool reports whether
// the first or the last word agrees.
func nameScore(a, b []string) (int, bool) {
	if len(a) == 0 || len(b) == 0 {
		return 0, false
	}
	first, last := a[0] == b[0], a[len(a)-1] == b[len(b)-1]
	either := first || last
	switch {
	case slices.Equal(a, b):
		return 100, true
	case first && last && sameMiddle(a, b):
		return 99, true
	case lettersApart(ends(a), ends(b)) == 1 && sameMiddle(a, b):
		return 93, either
	case first && last:
		return 85, true
	case last:
		return 60, true
	}
	x, y := strings.Join(a, " "), strings.Join(b, " ")
	alike := 1 - float64(lettersApart(x, y))/float64(max(len([]rune(x)), len([]rune(y))))
	if alike < leastAlike {
		return 0, either
	}
	return min(45, int(100*alike)), either
}

// leastAlike is the share of letters below which two names have nothing to do with each other.
const leastAlike = 0.2

func ends(words []string) string { return words[0] + " " + words[len(words)-1] }

// sameMiddle reports whether the words between first and last are the same, initials of each other, or absent on one side.
func sameMiddle(a, b []string) bool {
	if len(a) < 2 || len(b) < 2 {
		return len(a) == len(b)
	}
	x, y := a[1:len(a)-1], b[1:len(b)-1]
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	return slices.EqualFunc(x, y, func(v, w string) bool { return strings.HasPrefix(v, w) || strings.HasPrefix(w, v) })
}

// lettersApart is the number of letters to add, drop or change between two texts.
func lettersApart(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		before := row[0]
		row[0] = i + 1
		for j, q := range y {
			cost := before
			if r != q {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}

func businessName(name string) bool {
	words := nameWords(name)
	return slices.ContainsFunc([]string{"llc", "inc", "corp", "ltd", "company", "co"}, func(w string) bool { return slices.Contains(words, w) })
}

func matchAddress(c *call, known []address) obj {
	best, postal := 0, false
	for _, a := range known {
		score := 0
		for _, part := range []struct {
			path, have string
			weight     int
		}{{"user.address.street", a.street, 40}, {"user.address.city", a.city, 20}, {"user.address.region", a.region, 15}, {"user.address.postal_code", a.postal, 25}} {
			if strings.EqualFold(c.str(part.path), part.have) && part.have != "" {
				score += part.weight
			}
		}
		best = max(best, score)
		given := c.str("user.address.postal_code")
		postal = postal || len(given) >= 5 && strings.HasPrefix(a.postal, given[:5])
	}
	return obj{"score": best, "is_postal_code_match": postal}
}
