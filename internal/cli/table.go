package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

// printTable aligns rows for a terminal and cuts them to its width; through a pipe it gives whole values between tabs.
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
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			value := c.value
			if c.short != nil {
				value = c.short
			}
			cells[i] = clean(value(r))
		}
		grid = append(grid, cells)
	}
	_, err := io.WriteString(a.Stdout, layOut(grid, a.Width(), a.color()))
	return err
}

const gap = 2

// layOut gives the lines of a grid whose first row is its head.
func layOut(grid [][]string, width int, color bool) string {
	widths := make([]int, len(grid[0]))
	for _, row := range grid {
		for i, cell := range row {
			widths[i] = max(widths[i], lipgloss.Width(cell))
		}
	}
	if width > 0 {
		squeeze(widths, width)
	}
	var b strings.Builder
	for n, row := range grid {
		var line strings.Builder
		for i, cell := range row {
			cell = cut(cell, widths[i])
			if i < len(row)-1 {
				cell += strings.Repeat(" ", widths[i]-lipgloss.Width(cell)+gap)
			}
			line.WriteString(cell)
		}
		text := strings.TrimRight(line.String(), " ")
		if n == 0 && color {
			text = bold(text)
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// squeeze takes from the widest columns until the row fits; none goes below what still tells something.
func squeeze(widths []int, width int) {
	const least = 6
	for {
		total := gap * (len(widths) - 1)
		for _, w := range widths {
			total += w
		}
		widest := slices.Max(widths)
		if total <= width || widest <= least {
			return
		}
		widths[slices.Index(widths, widest)]--
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

// color reports whether stdout may have any.
func (a *app) color() bool { return a.OutTTY && a.mayColor() }

func (a *app) mayColor() bool {
	return !a.noColor && a.Getenv("NO_COLOR") == "" && a.Getenv("TERM") != "dumb"
}

func bold(s string) string  { return "\x1b[1m" + s + "\x1b[0m" }
func faint(s string) string { return "\x1b[2m" + s + "\x1b[0m" }
