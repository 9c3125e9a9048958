package cli

import (
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// clean takes out of a text whatever could move a cursor, change a colour or turn the reading direction: names come from
// banks and from other people.
func clean(s string) string {
	if strings.IndexFunc(s, hostile) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case hostile(r):
			return -1
		}
		return r
	}, s)
}

// hostile is C0, DEL, C1, the bidirectional controls, and what is not UTF-8.
func hostile(r rune) bool {
	bidi := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
	return r < 0x20 || r >= 0x7f && r < 0xa0 || bidi || r == utf8.RuneError || r == 0x2028 || r == 0x2029
}

// cleanWriter is a terminal that receives text from elsewhere: lines and tabs pass, other controls do not. Each Write is
// a whole text, never the middle of a character.
type cleanWriter struct{ w io.Writer }

func (c cleanWriter) Write(p []byte) (int, error) {
	text := strings.Map(func(r rune) rune {
		if hostile(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, string(p))
	if _, err := io.WriteString(c.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
