package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/bankctl/bankctl/internal/txn"
)

// leastName is the width to which names shrink before whole columns are dropped.
const leastName = 26

// printStatement is printTable with its amounts under each other: digits to the right, out red and in green.
func (a *app) printStatement(rows []txn.Transaction, columns []column[txn.Transaction]) error {
	columns = slices.DeleteFunc(columns, func(c column[txn.Transaction]) bool { return c.name == "pending" }) // the name column shows it
	grid := [][]string{headers(columns, strings.ToUpper)}
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
	whole := make([]bool, len(columns))
	name := 0
	for i, c := range columns {
		whole[i] = c.name == "id" || c.name == "date" || c.name == "out" || c.name == "in" || c.name == "currency" || c.name == "account"
		switch c.name {
		case "out":
			alignRight(grid, i, a.paint(red))
		case "in":
			alignRight(grid, i, a.paint(green))
		case "currency":
			grid[0][i] = ""
		case "name":
			name = i
		}
	}
	n := fittingColumns(grid, name, a.Width())
	for i := range grid {
		grid[i] = grid[i][:n]
	}
	_, err := io.WriteString(a.Stdout, layOut(grid, whole[:n], a.Width(), a.color()))
	return err
}

// fittingColumns gives the number of columns that fit while names keep leastName.
func fittingColumns(grid [][]string, name, width int) int {
	n := len(grid[0])
	if width <= 0 {
		return n
	}
	for ; n > name+1; n-- {
		total := gap * (n - 1)
		for i := range n {
			widest := 0
			for _, row := range grid {
				widest = max(widest, lipgloss.Width(row[i]))
			}
			if i == name {
				widest = min(widest, leastName)
			}
			total += widest
		}
		if total <= width {
			break
		}
	}
	return n
}

// alignRight pads a column on its left, and colours the cells below its head.
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

// paint gives a function that colours text; without colours it returns the text unchanged.
func (a *app) paint(color string) func(string) string {
	return func(s string) string {
		if s == "" || !a.color() {
			return s
		}
		return color + s + "\x1b[0m"
	}
}
