package employee

import (
	"strings"
	"sync"
	"unicode"
)

// unaccented maps each accented letter of the European alphabets to its plain form; other scripts stay as they are.
var unaccented = sync.OnceValue(func() map[rune]string {
	out := map[rune]string{}
	for to, from := range map[string]string{
		"a": "àáâãäåāăą", "ae": "æ", "c": "çćĉċč", "d": "ðďđ", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥħ", "i": "ìíîïĩīĭįı",
		"j": "ĵ", "k": "ķ", "l": "ĺļľŀł", "n": "ñńņň", "o": "òóôõöøōŏő", "oe": "œ", "r": "ŕŗř", "s": "śŝşšș", "ss": "ß",
		"t": "ţťŧț", "th": "þ", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
	} {
		for _, r := range from {
			out[r] = to
		}
	}
	return out
})

// fold lowers case, drops accents and apostrophes, and turns other punctuation into spaces.
func fold(text string) string {
	var b strings.Builder
	letters := unaccented()
	for _, r := range text {
		r = unicode.ToLower(r)
		switch to, accented := letters[r]; {
		case accented:
			b.WriteString(to)
		case r == '\'' || r == '’' || r == '‘' || r == '`' || unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case r == '&':
			b.WriteString(" and ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
