package employee

import (
	"slices"
	"strings"
)

// Words that say something of a name and are no part of it.
var (
	titles = strings.Fields("mr mrs ms miss mx dr prof rev sir dame md phd esq dds dvm cpa jd rn the and und et y e cia hon herr frau " +
		"mme mlle sra srta don dona")
	firstTitles = strings.Fields("sr fr m")

	// particles belong to the word behind them, and banks drop them. gluedParticles are part of it.
	particles      = strings.Fields("de da do dos das di del della du la las los le el al van von der den des ter ten te vander vanden vd af av zu zum zur bin bint ibn ben ul")
	gluedParticles = strings.Fields("mc mac o st san santa fitz abu abd abdul")
	givenParticles = strings.Fields("al ben del la le van abdul san santa mac da di el bin")

	generations = map[string]string{
		"sr": "1", "snr": "1", "senior": "1", "jr": "2", "jnr": "2", "junior": "2", "ii": "2", "2nd": "2", "second": "2", "iii": "3", "3rd": "3", "third": "3",
		"iv": "4", "4th": "4", "fourth": "4", "v": "5", "5th": "5", "fifth": "5", "filho": "2", "neto": "3",
	}

	// forms of bodies, by what they are called in names. One that is a word or a person's name as well is a form only
	// written with dots or behind two words.
	forms = map[string]string{
		"llc": "llc", "lc": "llc", "inc": "inc", "incorporated": "inc", "corp": "corp", "corporation": "corp", "co": "co", "company": "co",
		"ltd": "ltd", "limited": "ltd", "llp": "llp", "lllp": "lllp", "lp": "lp", "pllc": "pllc", "pc": "pc", "plc": "plc", "gmbh": "gmbh", "ag": "ag", "kg": "kg", "ug": "ug",
		"sa": "sa", "sas": "sas", "sarl": "sarl", "srl": "srl", "spa": "spa", "snc": "snc", "bv": "bv", "nv": "nv", "oy": "oy", "oyj": "oyj", "ab": "ab", "as": "as", "aps": "aps",
		"kk": "kk", "pty": "pty", "pte": "pte", "bhd": "bhd", "slu": "sl", "sl": "sl", "ltda": "ltda", "eirl": "eirl", "jsc": "jsc", "ooo": "ooo", "kft": "kft", "sro": "sro", "doo": "doo",
		"cv": "cv", "sadecv": "sadecv", "pvt": "pvt", "pa": "pa",
	}
	ambiguousForms = strings.Fields("co sa as ab ag pa sl lp pc spa kg ug cv nv oy bv")
	weakForms      = []string{"co", "corp", "inc", "pvt", "pty", "pte"} // often left out, or used for each other

	kinds = map[string]string{
		"estate": "estate", "deceased": "estate", "decd": "estate", "trust": "trust", "trustee": "trust", "trustees": "trust", "ttee": "trust", "ttees": "trust",
		"utma": "minor", "ugma": "minor", "cust": "minor", "custodian": "minor", "conservator": "minor", "conservatorship": "minor", "guardian": "minor", "guardianship": "minor", "fbo": "minor",
	}
	kindWords = strings.Fields("of the for living revocable irrevocable family rev liv dated dtd ua u a under")

	abbreviations = map[string]string{
		"intl": "international", "mfg": "manufacturing", "svc": "service", "svcs": "services", "assoc": "associates", "bros": "brothers", "ctr": "center", "centre": "center",
		"grp": "group", "mgmt": "management", "natl": "national", "univ": "university", "hldgs": "holdings", "mgt": "management", "dept": "department", "ent": "enterprises", "dist": "distributors",
		"constr": "construction", "const": "construction", "prop": "properties", "props": "properties", "inv": "investments", "tech": "technologies", "sys": "systems", "sols": "solutions",
	}
)

const dotted = "dotted" // marks a form that was written with dots, S.A.

// markDots joins a legal form that is written with dots or slashes to one word: S.A. de C.V., L.L.C., S/A.
func markDots(name string) string {
	fields := strings.Fields(name)
	for i, f := range fields {
		bare := strings.ToLower(strings.Map(func(r rune) rune {
			if r == '.' || r == '/' || r == ',' {
				return -1
			}
			return r
		}, f))
		if i > 0 && bare != strings.ToLower(strings.TrimRight(f, ".,")) && forms[bare] != "" {
			fields[i] = dotted + bare
		}
	}
	return strings.Join(fields, " ")
}

// takeForms takes out the legal forms.
func (p *parsedName) takeForms(all []word) []word {
	var out []word
	for i := 0; i < len(all); i++ {
		text, marked := strings.CutPrefix(all[i].text, dotted)
		size := 1
		for n := 4; n > 1 && !marked; n-- { // S A S, written with spaces
			if i > 0 && i+n <= len(all) && forms[lettersOf(all[i:i+n])] != "" {
				text, marked, size = lettersOf(all[i:i+n]), true, n
				break
			}
		}
		switch {
		case forms[text] != "" && i > 0 && (marked || !slices.Contains(ambiguousForms, text) || i+1 >= len(all) && len(out) > 1 || text == "co" && i+1 == len(all)):
			p.forms = append(p.forms, forms[text])
			i += size - 1
		default:
			w := all[i]
			if marked {
				w = word{text, text, text}
			}
			if full := abbreviations[w.text]; full != "" && i > 0 {
				w.text, w.spelled = full, full
			}
			out = append(out, w)
		}
	}
	return out
}

// lettersOf joins single letters; "" if a word is longer.
func lettersOf(all []word) string {
	var b strings.Builder
	for _, w := range all {
		if len(w.text) != 1 {
			return ""
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// takeGeneration takes out Jr, III or the third, which stand behind the name or behind the family name that comes first.
func (p *parsedName) takeGeneration(all []word) []word {
	var out []word
	for i, w := range all {
		gen := generations[w.text]
		last := i+1 == len(all)
		switch {
		case gen == "" || i == 0:
		case w.text == "v" && !last, (w.text == "second" || w.text == "third" || w.text == "fourth" || w.text == "fifth") && !last,
			(w.text == "filho" || w.text == "neto") && !last: // an initial, or a word
		case len(out) == 0:
		default:
			p.gen = gen
			if n := len(out); out[n-1].text == "the" {
				out = out[:n-1]
			}
			continue
		}
		out = append(out, w)
	}
	return out
}

// takeKind takes out the words that make a name an estate's, a trust's or a minor's.
func (p *parsedName) takeKind(all []word) []word {
	for i, w := range all {
		kind := kinds[w.text]
		if w.text == "est" && i+1 < len(all) && all[i+1].text == "of" {
			kind = "estate"
		}
		if kind == "estate" && w.text == "estate" && (i+1 == len(all) || all[i+1].text != "of") && i == 0 {
			kind = "" // Estate Wines: a word of a business
		}
		if kind == "estate" && len(all) > 1 && i > 0 && w.text == "estate" && all[i-1].text == "real" {
			kind = "" // Acme Real Estate
		}
		if kind != "" && len(all) > 1 && p.kind == "" {
			p.kind = kind
		}
	}
	if p.kind == "" {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(w word) bool {
		return kinds[w.text] != "" || w.text == "est" || slices.Contains(kindWords, w.text) || isYear(w.text)
	})
}

func isYear(s string) bool { return strings.Trim(s, "0123456789") == "" }

// other reports whether two names are those of different people or bodies, whatever their words.
func (p parsedName) other(o parsedName) bool {
	if p.kind != o.kind || p.gen != "" && o.gen != "" && p.gen != o.gen {
		return true
	}
	strong := func(forms []string) []string {
		return slices.DeleteFunc(slices.Clone(forms), func(f string) bool { return slices.Contains(weakForms, f) })
	}
	a, b := strong(p.forms), strong(o.forms)
	if len(a) > 0 && len(b) > 0 {
		return !slices.ContainsFunc(a, func(f string) bool { return slices.Contains(b, f) })
	}
	return (len(a) > 0) != (len(b) > 0) && len(p.forms) > 0 && len(o.forms) > 0 && !onlyWeak(p.forms, o.forms)
}

// onlyWeak reports whether one side has nothing but forms that go with any other, such as Pty beside Ltd.
func onlyWeak(a, b []string) bool {
	goes := func(forms []string) bool {
		return !slices.ContainsFunc(forms, func(f string) bool { return f != "co" && f != "pty" && f != "pte" && f != "pvt" })
	}
	return goes(a) || goes(b)
}

// missing is the deduction for a generation or form that only one of two names has, or that differ in a weak way.
func (p parsedName) missing(o parsedName) int {
	cost := 0
	if p.gen != o.gen {
		cost += 3
	}
	switch {
	case len(p.forms) == 0 && len(o.forms) == 0:
	case len(p.forms) == 0 || len(o.forms) == 0:
		cost += 3
	case !slices.ContainsFunc(p.forms, func(f string) bool { return slices.Contains(o.forms, f) }):
		cost += 10
	}
	return cost
}
