package config

import (
	"fmt"
	"math"
	"slices"

	"github.com/bankctl/bankctl/internal/suggest"
)

// unknownKey names the known key that is nearest to name.
func unknownKey(name string) error {
	return fmt.Errorf("unknown key %s, perhaps %s is meant", name, suggest.Nearest(name, knownNames(), math.MaxInt))
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
