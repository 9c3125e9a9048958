package cli

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/bankctl/bankctl/internal/txn"
)

// printStatement is printTable with its amounts under each other: digits to the right, out red and in green.
func (a *app) printStatement(rows []txn.Transaction, columns []column[txn.Transaction]) error {
	grid := [][]string{headers(columns, strings.ToUpper)}
	whole := make([]bool, len(columns))
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			value := c.value
			if c.short != nil {
				value = c.short
			}
			cells[i] = clean(value(r))
			whole[i] = whole[i] || c.name == "id" || c.name == "date"
		}
		grid = append(grid, cells)
	}
	for i, c := range columns {
		switch c.name {
		case "out":
			whole[i] = true
			alignRight(grid, i, a.paint(red))
		case "in":
			whole[i] = true
			alignRight(grid, i, a.paint(green))
		case "currency":
			grid[0][i] = ""
		}
	}
	_, err := io.WriteString(a.Stdout, layOut(grid, whole, a.Width(), a.color()))
	return err
}

// alignRight pads a column on its left, and paints what stands below its head.
func alignRight(grid [][]string, column int, paint func(string) string) {
	width := 0
	for _, row := range grid {
		width = max(width, lipgloss.Width(row[column]))
	}
	for n, row := range grid {
		cell := row[column]
		pad := strings.Repeat(" ", width-lipgloss.Width(cell))
		if n > 0 && cell != "" {
			cell = paint(cell)
		}
		row[column] = pad + cell
	}
}

const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
)

// paint gives the pen of a colour, which leaves texts as they are where there is none.
func (a *app) paint(color string) func(string) string {
	if !a.color() {
		return func(s string) string { return s }
	}
	return func(s string) string { return color + s + "\x1b[0m" }
}
