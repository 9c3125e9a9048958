// Package suggest finds the known name that a mistyped one most likely stands for.
package suggest

// Nearest gives the known name that needs the fewest changes to become the one typed, if that is within so many
// changes; else "". Of names that are equally near the first is given.
func Nearest(typed string, known []string, within int) string {
	best := ""
	for _, name := range known {
		if d := Distance(typed, name); d <= within {
			best, within = name, d-1
		}
	}
	return best
}

// Distance is Levenshtein's: the least number of bytes to insert, delete or change.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
