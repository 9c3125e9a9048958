package config

import (
	"fmt"
	"slices"

	"github.com/bankctl/bankctl/internal/spell"
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
	return slices.MinFunc(known, func(a, b string) int { return spell.Distance(name, a) - spell.Distance(name, b) })
}
