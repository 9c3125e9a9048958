package employee

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Letters that Unicode does not take apart, as they are written without accents, and as they are spelled with e.
var (
	plainLetters   = map[rune]string{'æ': "ae", 'œ': "oe", 'ø': "o", 'ð': "d", 'đ': "d", 'ħ': "h", 'ı': "i", 'ł': "l", 'ŀ': "l", 'ŧ': "t", 'þ': "th", 'ß': "ss", 'ŋ': "n", 'ĸ': "k", 'ς': "σ"}
	spelledLetters = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'å': "aa", 'ø': "oe", 'ñ': "nn"}
)

// accented are the scripts whose marks are accents or optional vowels. In others, such as the Indic ones and Thai, marks
// are letters, and two names that differ by one are two names.
var accented = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Arabic, unicode.Hebrew, unicode.Armenian}

// fold lowers case, drops accents and apostrophes, writes full-width and joined letters as plain ones, and turns other
// punctuation into spaces.
func fold(text string) string { return foldLetters(text, nil) }

// foldSpelled is fold for a name whose umlauts are spelled out: Müller as Mueller.
func foldSpelled(text string) string { return foldLetters(norm.NFC.String(text), spelledLetters) }

func foldLetters(text string, spelled map[rune]string) string {
	var b strings.Builder
	var script rune // the letter that marks belong to
	for _, whole := range text {
		whole = unicode.ToLower(whole)
		if to := spelled[whole]; to != "" {
			b.WriteString(to)
			continue
		}
		for _, r := range norm.NFKD.String(string(whole)) {
			r = unicode.ToLower(r)
			switch {
			case plainLetters[r] != "":
				b.WriteString(plainLetters[r])
				script = r
			case unicode.Is(unicode.Mn, r):
				if !unicode.In(script, accented...) {
					b.WriteRune(r)
				}
			case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r):
				b.WriteRune(r)
				script = r
			case apostrophe(r) || unicode.Is(unicode.Cf, r):
			case r == '&' || r == '+':
				b.WriteString(" and ")
			default:
				b.WriteByte(' ')
				script = 0
			}
		}
	}
	return b.String()
}

// apostrophe reports whether r stands within a word: O'Brien, N’Diaye, Oʻahu.
func apostrophe(r rune) bool { return strings.ContainsRune("'’‘`´ʻʼ′", r) }
