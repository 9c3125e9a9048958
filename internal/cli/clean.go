package cli

import (
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// clean removes characters that move a terminal's cursor, change its colour or turn the reading direction: names come
// from banks and from other people.
func clean(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case isControl(r):
			return -1
		}
		return r
	}, s)
}

// isControl matches C0, DEL, C1, the bidirectional controls, and invalid UTF-8.
func isControl(r rune) bool {
	bidi := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
	return r < 0x20 || r >= 0x7f && r < 0xa0 || bidi || r == utf8.RuneError || r == 0x2028 || r == 0x2029
}

// cleanWriter passes foreign text to a terminal without control characters but newline and tab. Each Write must hold
// whole characters.
type cleanWriter struct{ w io.Writer }

func (c cleanWriter) Write(p []byte) (int, error) {
	text := strings.Map(func(r rune) rune {
		if isControl(r) && r != '\n' && r != '\t' {
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
