package cli

import (
	"cmp"
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/bankctl/bankctl/internal/txn"
)

var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar draws a value as a share of the greatest one. A value above zero has a visible bar.
func bar(value, greatest int64, width int) string {
	if value <= 0 || greatest <= 0 || width <= 0 {
		return ""
	}
	n := int(float64(value) / float64(greatest) * float64(width*8)) // rounding is fine: the figures are printed beside it
	n = max(1, min(n, width*8))
	return strings.Repeat("█", n/8) + eighths[n%8]
}

const (
	leastBar  = 4
	longLabel = 28
)

// printChart draws a line for each bucket: its name, its debits and its credits, each with a bar. The bars of one
// currency have one scale.
func (a *app) printChart(s txn.Summary, by string) error {
	mixed := false
	greatest := map[string]int64{}
	for _, b := range s.By {
		greatest[b.Currency] = max(greatest[b.Currency], b.Debits, b.Credits)
		mixed = mixed || b.Currency != s.By[0].Currency
	}
	grid := [][]string{{strings.ToUpper(by), "", "OUT", "", "IN", ""}}
	for _, b := range s.By {
		name := cut(bucketName(b, by), longLabel)
		if mixed {
			name += " " + codeText(b.Currency)
		}
		grid = append(grid, []string{name, strconv.FormatInt(b.Total, 10), grouped(b.Debits, b.Currency), "", grouped(b.Credits, b.Currency), ""})
	}
	for _, column := range []int{1, 2, 4} {
		alignRight(grid, column, func(s string) string { return s })
	}
	room := (a.Width() - gridWidth(grid)) / 2
	if a.Width() == 0 {
		room = 20
	}
	for i, b := range s.By {
		if room >= leastBar {
			grid[i+1][3] = a.paint(red)(bar(b.Debits, greatest[b.Currency], room))
			grid[i+1][5] = a.paint(green)(bar(b.Credits, greatest[b.Currency], room))
		}
	}
	text := layOut(grid, make([]bool, len(grid[0])), a.Width(), a.color())
	for _, t := range totalsOf(s) {
		text += totalLine(t) + "\n"
	}
	_, err := io.WriteString(a.Stdout, text)
	return err
}

func bucketName(b txn.Bucket, by string) string {
	name := clean(cmp.Or(b.Label, b.Key))
	switch {
	case by == "category" && b.Key == "":
		return "without one"
	case by == "category":
		return categoryWords(name)
	}
	return name
}

// gridWidth is the width of a grid with its gaps.
func gridWidth(grid [][]string) int {
	total := gap * (len(grid[0]) - 1)
	for i := range grid[0] {
		widest := 0
		for _, row := range grid {
			widest = max(widest, lipgloss.Width(row[i]))
		}
		total += widest
	}
	return total
}
