package employee

import (
	"slices"
	"strings"
)

// NameScore tells from 0 to 100 how well two names fit, for use without Plaid's own score. It is symmetric, and 100 for
// names that differ only in case, accents, width, punctuation and the place of the family name.
//
// Words are paired in the best way, also where one name writes as two what the other writes as one; equal ones count
// fully; other spellings, nicknames, slips of one letter and initials count less. The score is the mean over the shorter
// name, so that a missing middle name costs little, while a contradicting one costs a whole word. A single word never
// stands for a longer name. Titles, legal forms and generations are set aside: where both names have one and they differ,
// or where one is a person's and the other an estate's, a trust's or a minor's, the names do not match.
func NameScore(a, b string) int {
	x, y := parseName(a), parseName(b)
	if len(x.words) == 0 || len(y.words) == 0 {
		return 0
	}
	score := scoreWords(x, y)
	if x.other(y) {
		return min(score, NamePass-1)
	}
	return max(0, score-x.missing(y))
}

// scoreWords scores the words alone.
func scoreWords(x, y parsedName) int {
	a, b := joinAlike(x.words, y.words)
	switch {
	case sameOrder(a, b):
		return 100
	case len(a) == len(b) && sameWords(a, b):
		return 90 // given names have changed places, which may be two people's
	case joined(x.words) == joined(y.words):
		return 98 // such as Mary Ann Jones and Maryannjones
	}
	score := pairWords(a, b)
	if whole, part := longer(a, b); cutOff(whole, part) {
		score = max(score, asCut)
	}
	return score
}

// OwnerScore is the best score of a holder's name over the owners' names, joint owners in one string included; ok is
// false if there is no owner's name.
func OwnerScore(holder string, owners []string) (best int, ok bool) {
	for _, h := range append(splitJoint(holder), ownerPart(holder)) {
		for _, owner := range owners {
			for _, o := range append(splitJoint(owner), ownerPart(owner)) {
				if len(parseName(o).words) > 0 && len(parseName(h).words) > 0 {
					best, ok = max(best, NameScore(h, o)), true
				}
			}
		}
	}
	return best, ok
}

// beneficiaries begin the part of an account's title that names who gets the money after the owner's death, or whose
// letter box it is: not an owner.
var beneficiaries = []string{" pod ", " p.o.d. ", " p/o/d ", " payable on death ", " tod ", " t.o.d. ", " itf ", " in trust for ", " c/o ", " attn "}

// ownerPart cuts off what does not name an owner.
func ownerPart(name string) string {
	lower := " " + strings.ToLower(name) + " "
	for _, word := range beneficiaries {
		if i := strings.Index(lower, word); i > 0 {
			lower = lower[:i]
		}
	}
	return lower
}

// splitJoint splits "John Smith & Jane Smith". A holder who is one of two owners is as good as a single owner. It drops
// parts of one word: "John & Jane Smith" does not say who John is.
func splitJoint(name string) []string {
	var out []string
	for _, part := range strings.Split(separators.Replace(ownerPart(name)), "|") {
		if len(parseName(part).words) > 1 {
			out = append(out, part)
		}
	}
	return out
}

var separators = strings.NewReplacer(" and/or ", "|", " and ", "|", " or ", "|", "&", "|", "/", "|", "+", "|", " dba ", "|", " d/b/a ", "|", " t/a ", "|", " trading as ", "|",
	";", "|", " jt ten ", "|", " jtwros ", "|", " und ", "|", " et ", "|")

// parsedName is a name split into its words, without what only says whose name it is.
type parsedName struct {
	words []word
	forms []string // llc, inc …
	gen   string   // 1 for Sr, 2 for Jr, 3 …
	kind  string   // estate, trust or minor; "" is a person or business
}

// word is one word of a name in its spellings.
type word struct {
	text    string // without accents
	spelled string // with umlauts spelled out; text where there are none
	core    string // without particles: cruz of de la cruz
}

func (w word) is(o word) bool {
	return w.text == o.text || w.spelled == o.text || w.text == o.spelled || w.spelled == o.spelled
}

func parseName(name string) parsedName {
	name = markDots(name)
	texts, spelled := strings.Fields(fold(name)), strings.Fields(foldSpelled(name))
	all := make([]word, len(texts))
	for i, t := range texts {
		all[i] = word{text: t, spelled: t, core: t}
		if len(spelled) == len(texts) {
			all[i].spelled = spelled[i]
		}
	}
	p := parsedName{}
	all = p.takeKind(all)
	all = p.takeGeneration(all)
	all = p.takeForms(all)
	rest := slices.DeleteFunc(slices.Clone(all), func(w word) bool { return slices.Contains(titles, w.text) })
	if len(rest) == 0 {
		rest = all // the name is all titles
	}
	if len(rest) == 0 {
		rest, p = asWords(texts), parsedName{}
	}
	p.words = joinParticles(dropFirstTitle(rest))
	return p
}

func asWords(texts []string) []word {
	out := make([]word, len(texts))
	for i, t := range texts {
		out[i] = word{t, t, t}
	}
	return out
}

// dropFirstTitle drops a title that is one only in front: Sr. Juan Pérez is a gentleman, John Smith Sr a father.
func dropFirstTitle(all []word) []word {
	if len(all) > 2 && slices.Contains(firstTitles, all[0].text) {
		return all[1:]
	}
	return all
}

// joinParticles joins de la Cruz to one word, whose core is cruz.
func joinParticles(all []word) []word {
	var out []word
	var run word
	for i, w := range all {
		if w.text == "saint" || w.text == "sainte" || w.text == "ste" {
			w = word{"st", "st", "st"}
		}
		run.text, run.spelled = run.text+w.text, run.spelled+w.spelled
		glued := slices.Contains(gluedParticles, w.text)
		if i+1 < len(all) && (glued || slices.Contains(particles, w.text) && !lastTwo(all, i, out)) {
			if glued {
				run.core += w.text
			}
			continue
		}
		run.core += w.text
		out, run = append(out, run), word{}
	}
	return out
}

// lastTwo reports whether a particle at i is a whole name: Al Smith, Ben Jones, La Toya.
func lastTwo(all []word, i int, before []word) bool {
	return i == 0 && len(before) == 0 && slices.Contains(givenParticles, all[i].text)
}

// joinAlike joins neighbours of one name where the other writes them as one word: Mary Ann and Maryann, Al Sayed and
// Alsayed.
func joinAlike(a, b []word) (x, y []word) { return joinAs(a, b), joinAs(b, a) }

func joinAs(a, b []word) []word {
	out := []word{}
	for i := 0; i < len(a); i++ {
		w, n := a[i], 0
		run := a[i]
		for k := i + 1; k < len(a) && k < i+3; k++ {
			run = word{run.text + a[k].text, run.spelled + a[k].spelled, run.text + a[k].text}
			if slices.ContainsFunc(b, func(o word) bool { return o.is(run) }) {
				w, n = run, k-i
			}
		}
		out = append(out, w)
		i += n
	}
	return out
}

// sameOrder reports whether two names have the same words in the same order, but for a family name that stands first in
// one and last in the other.
func sameOrder(a, b []word) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	for shift := range a {
		if shift > 0 && shift < len(a)-1 && len(a) > 2 && shift != 1 {
			continue
		}
		same := true
		for i := range a {
			same = same && a[i].is(b[(i+shift)%len(a)])
		}
		if same {
			return true
		}
	}
	return false
}

func sameWords(a, b []word) bool {
	left := slices.Clone(b)
	for _, w := range a {
		i := slices.IndexFunc(left, w.is)
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func joined(all []word) string {
	var b strings.Builder
	for _, w := range all {
		b.WriteString(w.text)
	}
	return b.String()
}

func longer(a, b []word) (whole, part []word) {
	if len(joined(a)) < len(joined(b)) {
		a, b = b, a
	}
	return a, b
}
