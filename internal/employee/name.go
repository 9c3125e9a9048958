package employee

import (
	"slices"
	"strings"
)

// NameScore tells from 0 to 100 how well two names fit, for use without Plaid's own score. It is symmetric, and 100 for
// names that differ only in case, accents, punctuation and order.
//
// Words are paired in the best way: equal ones count fully; a nickname, a typo of one letter and an initial count less.
// The score is the mean over the shorter name, so that a missing middle name costs little, while a contradicting one
// costs a whole word. A single word never stands for a longer name. Titles, legal forms and generations are set aside,
// but different ones (Jr and Sr, LLC and Inc) cost: Jr and Sr so much that the names do not match.
func NameScore(a, b string) int {
	x, y := parseName(a), parseName(b)
	switch {
	case len(x.words) == 0 || len(y.words) == 0:
		return 0
	case slices.Equal(sorted(x.words), sorted(y.words)):
		return 100 - x.titlePenalty(y)
	}
	score := pairWords(x.words, y.words)
	if strings.Join(x.words, "") == strings.Join(y.words, "") {
		score = 98 // such as Mary Ann and Maryann
	}
	if x.titlePenalty(y) >= sonForFather {
		return min(score, NamePass-1)
	}
	return max(0, score-x.titlePenalty(y))
}

// OwnerScore is the best score of a holder's name over the owners' names, joint owners in one string included; ok is
// false if there is no owner's name.
func OwnerScore(holder string, owners []string) (best int, ok bool) {
	for _, h := range append(splitJoint(holder), holder) {
		for _, owner := range owners {
			for _, o := range append(splitJoint(owner), owner) {
				if len(parseName(o).words) > 0 && len(parseName(h).words) > 0 {
					best, ok = max(best, NameScore(h, o)), true
				}
			}
		}
	}
	return best, ok
}

// splitJoint splits "John Smith & Jane Smith". A holder who is one of two owners is as good as a single owner. It drops
// parts of one word: "John & Jane Smith" does not say who John is.
func splitJoint(name string) []string {
	var out []string
	for _, part := range strings.Split(separators.Replace(" "+strings.ToLower(name)+" "), "|") {
		if len(parseName(part).words) > 1 {
			out = append(out, part)
		}
	}
	return out
}

var separators = strings.NewReplacer(" and ", "|", " or ", "|", "&", "|", "/", "|", " dba ", "|", " d/b/a ", "|", ";", "|")

// parsedName is a name split into its words, without titles.
type parsedName struct {
	words []string
	form  string // llc, inc …
	gen   string // jr, sr, ii …
}

var (
	titles = []string{"mr", "mrs", "ms", "miss", "dr", "prof", "rev", "md", "phd", "esq", "dds", "cpa", "the", "and"}
	gens   = map[string]string{"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
	forms  = map[string]string{
		"llc": "llc", "inc": "inc", "incorporated": "inc", "corp": "inc", "corporation": "inc", "co": "co", "company": "co",
		"ltd": "ltd", "limited": "ltd", "llp": "llp", "lp": "lp", "pllc": "pllc", "pc": "pc",
	}
	particles = []string{"de", "la", "las", "los", "del", "der", "den", "dos", "von", "mc", "mac", "st"}
)

func parseName(name string) parsedName {
	var p parsedName
	all := joinLetters(strings.Fields(fold(name)))
	for i, w := range all {
		switch {
		case slices.Contains(titles, w):
		case forms[w] != "" && i > 0:
			p.form = forms[w]
		case gens[w] != "" && i > 0:
			p.gen = gens[w]
		default:
			p.words = append(p.words, w)
		}
	}
	if len(p.words) == 0 { // the name is all titles
		p = parsedName{words: all}
	}
	p.words = joinParticles(p.words)
	return p
}

// joinLetters joins a legal form written with dots, L.L.C., to one word.
func joinLetters(all []string) []string {
	for size := 4; size > 1; size-- {
		for i := 0; i+size <= len(all); i++ {
			run := all[i : i+size]
			if w := strings.Join(run, ""); len(w) == size && forms[w] != "" {
				all = slices.Concat(all[:i], []string{w}, all[i+size:])
			}
		}
	}
	return all
}

// joinParticles joins de la Cruz to one word.
func joinParticles(all []string) []string {
	var out []string
	prefix := ""
	for i, w := range all {
		if prefix += w; i+1 < len(all) && slices.Contains(particles, w) {
			continue
		}
		out, prefix = append(out, prefix), ""
	}
	return out
}

const sonForFather = 31

// titlePenalty is the deduction for different legal forms and generations.
func (p parsedName) titlePenalty(o parsedName) int {
	cost := 0
	switch {
	case p.gen == o.gen:
	case p.gen != "" && o.gen != "":
		return sonForFather
	default:
		cost = 3
	}
	switch {
	case p.form == o.form:
	case p.form != "" && o.form != "":
		cost += 10
	default:
		cost += 3
	}
	return cost
}

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }
