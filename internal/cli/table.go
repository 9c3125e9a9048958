package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// printTable aligns rows on a terminal and cuts them to its width; in a pipe it writes whole values between tabs.
func printTable[T any](a *app, rows []T, columns []column[T]) error {
	if !a.OutTTY {
		return printTSV(a.Stdout, rows, columns)
	}
	if len(rows) == 0 {
		a.say("nothing to show")
		return nil
	}
	grid := [][]string{headers(columns, strings.ToUpper)}
	for i := range grid[0] {
		grid[0][i] = strings.ReplaceAll(grid[0][i], "_", " ")
	}
	whole := make([]bool, len(columns))
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			value := c.value
			if c.short != nil {
				value = c.short
			}
			cells[i] = clean(value(r))
			whole[i] = whole[i] || looksLikeID(cells[i])
		}
		grid = append(grid, cells)
	}
	_, err := io.WriteString(a.Stdout, layOut(grid, whole, a.Width(), a.color()))
	return err
}

// looksLikeID finds ids, which are never cut: those made in the same second differ only at their ends.
func looksLikeID(cell string) bool {
	return len(cell) == idLength && isHexID(cell) || strings.HasPrefix(cell, "bankd_") && strings.Contains(cell, clientMark)
}

const gap = 2

// layOut aligns a grid whose first row is its head. It never cuts the columns marked whole.
func layOut(grid [][]string, whole []bool, width int, color bool) string {
	widths := make([]int, len(grid[0]))
	for _, row := range grid {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	if width > 0 {
		widths = shrinkColumns(widths, whole, width)
	}
	var b strings.Builder
	for n, row := range grid {
		var line strings.Builder
		for i, w := range widths {
			cell := cut(row[i], w)
			line.WriteString(cell + strings.Repeat(" ", w-lipgloss.Width(cell)+gap))
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 && color {
			text = bold(text)
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// shrinkColumns narrows the widest columns until a row fits. If that is not enough it drops columns at the right.
func shrinkColumns(widths []int, whole []bool, width int) []int {
	const least = 12 // narrower cells tell nothing: drop a column instead
	for {
		total, widest := gap*(len(widths)-1), -1
		for i, w := range widths {
			total += w
			if !whole[i] && w > least && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		switch {
		case total <= width || len(widths) == 1:
			return widths
		case widest < 0:
			widths = widths[:len(widths)-1]
		default:
			widths[widest]--
		}
	}
}

func cut(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	runes := []rune(s)
	for len(runes) > 0 && lipgloss.Width(string(runes))+1 > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// fact is one line of a card.
type fact struct{ name, value string }

// card prints one object: names and values under each other, empty ones left out.
func (a *app) card(facts []fact) error {
	width := 0
	for _, f := range facts {
		if f.value != "" {
			width = max(width, len(f.name))
		}
	}
	var b strings.Builder
	for _, f := range facts {
		value := clean(f.value)
		switch {
		case value == "":
		case !a.OutTTY:
			fmt.Fprintf(&b, "%s\t%s\n", strings.ReplaceAll(f.name, " ", "_"), value)
		default:
			name := fmt.Sprintf("%-*s", width, f.name)
			if a.color() {
				name = faint(name)
			}
			fmt.Fprintf(&b, "%s  %s\n", name, value)
		}
	}
	_, err := io.WriteString(a.Stdout, b.String())
	return err
}

// color reports whether stdout may have colours.
func (a *app) color() bool { return a.OutTTY && a.mayColor() }

func (a *app) mayColor() bool {
	return !a.noColor && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

func bold(s string) string  { return "\x1b[1m" + s + "\x1b[0m" }
func faint(s string) string { return "\x1b[2m" + s + "\x1b[0m" }
