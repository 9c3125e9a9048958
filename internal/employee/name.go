package employee

import (
	"slices"
	"strings"
)

// NameScore says from 0 to 100 how well two names fit, for where only names are at hand and not Plaid's own score.
// It is the same both ways, and 100 for names equal but for case, accents, punctuation and order.
//
// Words are paired as best they can be: equal ones count whole; a nickname, a slip of one letter and an initial count
// less. The score is the mean over the shorter name, so that a middle name left out costs little, while one that
// contradicts costs a whole word. A single word never stands for a longer name. Titles, legal forms and generations are
// set aside, but two that differ (Jr and Sr, LLC and Inc) cost: Jr and Sr so much that it is no match.
func NameScore(a, b string) int {
	x, y := parseName(a), parseName(b)
	switch {
	case len(x.words) == 0 || len(y.words) == 0:
		return 0
	case slices.Equal(sorted(x.words), sorted(y.words)):
		return 100 - x.cost(y)
	}
	score := pairWords(x.words, y.words)
	if strings.Join(x.words, "") == strings.Join(y.words, "") {
		score = 98 // Mary Ann and Maryann
	}
	if x.cost(y) >= sonForFather {
		return min(score, NamePass-1)
	}
	return max(0, score-x.cost(y))
}

// OwnerScore is the best score of a holder's name over the owners' names, joint owners in one string included; ok is
// false where there is no name to hold it against.
func OwnerScore(holder string, owners []string) (best int, ok bool) {
	for _, h := range append(joint(holder), holder) {
		for _, owner := range owners {
			for _, o := range append(joint(owner), owner) {
				if len(parseName(o).words) > 0 && len(parseName(h).words) > 0 {
					best, ok = max(best, NameScore(h, o)), true
				}
			}
		}
	}
	return best, ok
}

// joint takes "John Smith & Jane Smith" apart. A holder who is a joint one is as good as one of the owners; parts of
// one word are left out, for "John & Jane Smith" does not say who John is.
func joint(name string) []string {
	var out []string
	for _, part := range strings.Split(separators.Replace(" "+strings.ToLower(name)+" "), "|") {
		if len(parseName(part).words) > 1 {
			out = append(out, part)
		}
	}
	return out
}

var separators = strings.NewReplacer(" and ", "|", " or ", "|", "&", "|", "/", "|", " dba ", "|", " d/b/a ", "|", ";", "|")

// parsed is a name without what does not tell people apart.
type parsed struct {
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

func parseName(name string) parsed {
	var p parsed
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
	if len(p.words) == 0 { // a name made of nothing else
		p = parsed{words: all}
	}
	p.words = joinParticles(p.words)
	return p
}

// joinLetters makes one word of a legal form written with dots, L.L.C.
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

// joinParticles makes one word of de la Cruz.
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

// cost is what differing titles take from a score.
func (p parsed) cost(o parsed) int {
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
