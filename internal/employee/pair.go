package employee

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Scores of a pair of words, up to 100.
const (
	asCore     = 92 // but for its particles
	asSpelling = 95 // another spelling of one name
	asNickname = 92
	asSlip     = 85
	asCut      = 84 // a long name that a bank has cut off
	asInitial  = 85 // a middle initial, beside two whole words
	asInitials = 75 // two and more of them, beside one whole word
	asBareWord = 55 // an initial beside less
	oneWord    = 60 // limit for a single word against a longer name
	perExtra   = 4  // deduction for each word that only the longer name has
	mostExtra  = 12
	mostWords  = 8 // longer names are cut to this
)

// pairWords scores two names by the best pairing of their words.
func pairWords(a, b []word) int {
	a, b = firstWords(a), firstWords(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	whole := bestPairing(a, b, func(x, y word) int { return min(1, wordScore(x, y, 0)) })
	initial := asBareWord
	switch {
	case whole >= 2:
		initial = asInitial
	case whole == 1 && len(a) > 2:
		initial = asInitials // the others would be left over if they did not fit
	}
	score := bestPairing(a, b, func(x, y word) int { return wordScore(x, y, initial) }) / len(a)
	score -= min(mostExtra, perExtra*(len(b)-len(a)))
	if len(a) == 1 && len(b) > 1 {
		score = min(score, oneWord)
	}
	return max(0, min(score, 99))
}

// firstWords cuts long names to bound the work, in a way that does not depend on the order of words.
func firstWords(words []word) []word {
	words = slices.SortedFunc(slices.Values(words), func(a, b word) int { return strings.Compare(a.text, b.text) })
	return words[:min(len(words), mostWords)]
}

// wordScore tells how well two words fit.
func wordScore(x, y word, initial int) int {
	switch {
	case x.is(y):
		return 100
	case sameSpelling(x.text, y.text):
		return asSpelling
	case sameGiven(x.text, y.text):
		return asNickname
	case sameCore(x, y):
		return asCore
	case typo(x.text, y.text):
		return asSlip
	case isInitial(x.text, y.text) || isInitial(y.text, x.text):
		return initial
	}
	return 0
}

// sameCore reports whether two words are one but for particles that only one of them has, or for Mac and Mc.
func sameCore(x, y word) bool {
	if x.core == y.core && len(x.core) > 1 {
		return x.core == x.text || y.core == y.text // de la Cruz and Cruz, but not de la Cruz and van Cruz
	}
	a, aMac := strings.CutPrefix(x.text, "mac")
	b, bMac := strings.CutPrefix(y.text, "mac")
	if aMac == bMac {
		return false
	}
	if aMac {
		b, bMac = strings.CutPrefix(y.text, "mc")
	} else {
		a, aMac = strings.CutPrefix(x.text, "mc")
	}
	return aMac && bMac && a == b && len(a) > 2
}

// cutOff reports whether a name of twenty letters or more is the beginning of the other, as banks cut names off.
func cutOff(whole, part []word) bool {
	w, p := joined(whole), joined(part)
	if len(part) < 2 || len(p)+len(part)-1 < 20 || len(whole) < len(part) {
		return false
	}
	for i, x := range part {
		last := i+1 == len(part)
		if !last && !x.is(whole[i]) || last && !(strings.HasPrefix(whole[i].text, x.text) && len(x.text) > 2) {
			return false
		}
	}
	return len(w) > len(p)
}

func isInitial(x, y string) bool {
	first, size := utf8.DecodeRuneInString(y)
	given, whole := utf8.DecodeRuneInString(x)
	return whole == len(x) && size < len(y) && first == given && first != utf8.RuneError
}

// typo reports whether two words differ by one letter changed, missing or swapped with its neighbour. The first letter
// and the last two, of long words the last, must be the same: Mario and Maria, Daniel and Daniela are two people.
func typo(x, y string) bool {
	a, b := []rune(x), []rune(y)
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 4 || len(b) < 5 || len(b)-len(a) > 1 || a[0] != b[0] {
		return false
	}
	end := 2
	if len(a) >= 7 {
		end = 1
	}
	if !slices.Equal(a[len(a)-end:], b[len(b)-end:]) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return slices.Equal(a[i:], b[i+1:])
	}
	if i == len(a) || slices.Equal(a[i+1:], b[i+1:]) {
		return i == len(a) || len(a) > 5 || soundAlike(a[i], b[i]) // Smith and Smyth, but not Zhang and Zheng
	}
	return a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
}

// soundAlike reports whether two letters are often written for each other.
func soundAlike(a, b rune) bool {
	for _, pair := range []string{"iy", "ck", "sz", "vw", "ei", "cs", "gj", "kq", "td", "mn"} {
		if strings.ContainsRune(pair, a) && strings.ContainsRune(pair, b) {
			return true
		}
	}
	return false
}

// bestPairing returns the highest sum of scores over all ways to pair each word of a, the shorter, with a word of b or
// none.
func bestPairing(a, b []word, score func(x, y word) int) int {
	best := make([]int, 1<<len(b)) // indexed by the set of used words of b
	for _, x := range a {
		next := slices.Clone(best)
		for j, y := range b {
			worth, bit := score(x, y), 1<<j
			for taken := range best {
				if taken&bit == 0 {
					next[taken|bit] = max(next[taken|bit], best[taken]+worth)
				}
			}
		}
		best = next
	}
	return slices.Max(best)
}
