package config

import (
	"fmt"
	"slices"
)

// unknownKey names the known key that is nearest to name.
func unknownKey(name string) error {
	return fmt.Errorf("unknown key %s, perhaps %s is meant", name, nearest(name, knownNames()))
}

func knownNames() []string {
	var names []string
	for _, k := range keys() {
		if k.name != keyConfig {
			names = append(names, k.name)
		}
	}
	for name := range listKeys() {
		names = append(names, name)
	}
	slices.Sort(names)
	return append(names, "link_products")
}

func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is Levenshtein's: how many bytes to put in, take out or change.
func distance(a, b string) int {
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
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
