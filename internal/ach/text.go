package ach

import (
	"strings"
	"unicode"
)

// Bare drops the spaces and dashes of every kind that people type into numbers, and nothing else: what is left and no
// digit is for Check to refuse.
func Bare(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '\u2212' || r == '\u200b' || r == '\u00ad' {
			return -1
		}
		return r
	}, typed)
}

// HoldsNumber reports whether a free text holds what could be a routing or account number: nine digits in a row, spaces
// and dashes between them passed over. Such a text must not go where numbers may not.
func HoldsNumber(text string) bool {
	run := 0
	for _, r := range Bare(text) {
		if run++; !unicode.IsDigit(r) {
			run = 0
		}
		if run >= 9 {
			return true
		}
	}
	return false
}
