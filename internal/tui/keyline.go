package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// keyLine lists keys and their actions in pairs. A narrow screen keeps the last two: help and leave.
func (s styles) keyLine(width int, pairs ...string) string {
	for len(pairs) > 4 && ansi.StringWidth(" "+strings.Join(pairs, " "))+len(pairs)/2 > width+1 {
		pairs = slices.Delete(slices.Clone(pairs), len(pairs)-6, len(pairs)-4)
	}
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(" " + s.key.Render(pairs[i]) + " " + pairs[i+1] + " ")
	}
	return strings.TrimRight(b.String(), " ")
}
