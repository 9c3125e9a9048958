package employee

import (
	"slices"
	"unicode/utf8"
)

// Scores of a pair of words, up to 100.
const (
	asNickname = 92
	asSlip     = 85
	asInitial  = 85 // a middle initial, beside two whole words
	asBareWord = 55 // an initial beside less
	oneWord    = 60 // limit for a single word against a longer name
	perExtra   = 4  // deduction for each word that only the longer name has
	mostExtra  = 12
	mostWords  = 8 // longer names are cut to this
)

// pairWords scores two names by the best pairing of their words.
func pairWords(a, b []string) int {
	a, b = firstWords(a), firstWords(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	whole := bestPairing(a, b, func(x, y string) int { return min(1, wordScore(x, y, 0)) })
	initial := asBareWord
	if whole >= 2 {
		initial = asInitial
	}
	score := bestPairing(a, b, func(x, y string) int { return wordScore(x, y, initial) }) / len(a)
	score -= min(mostExtra, perExtra*(len(b)-len(a)))
	if len(a) == 1 && len(b) > 1 {
		score = min(score, oneWord)
	}
	return max(0, min(score, 99))
}

// firstWords cuts long names to bound the work, in a way that does not depend on the order of words.
func firstWords(words []string) []string {
	words = sorted(words)
	return words[:min(len(words), mostWords)]
}

// wordScore tells how well two words fit.
func wordScore(x, y string, initial int) int {
	switch {
	case x == y:
		return 100
	case sameGiven(x, y):
		return asNickname
	case typo(x, y):
		return asSlip
	case isInitial(x, y) || isInitial(y, x):
		return initial
	}
	return 0
}

func isInitial(x, y string) bool {
	first, size := utf8.DecodeRuneInString(y)
	given, whole := utf8.DecodeRuneInString(x)
	return whole == len(x) && size < len(y) && first == given && first != utf8.RuneError
}

// typo reports whether two words differ by one letter changed, missing or swapped with its neighbour. The first letter
// and the last two must be the same: Mario and Maria, Daniel and Daniela are two people.
func typo(x, y string) bool {
	a, b := []rune(x), []rune(y)
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 4 || len(b) < 5 || len(b)-len(a) > 1 || a[0] != b[0] || !slices.Equal(a[len(a)-2:], b[len(b)-2:]) {
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
		return true
	}
	return a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
}

// bestPairing returns the highest sum of scores over all ways to pair each word of a, the shorter, with a word of b or
// none.
func bestPairing(a, b []string, score func(x, y string) int) int {
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
