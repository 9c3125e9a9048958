//go:build bankd_unsealed

package server_test

import "testing"

func TestUnsealedIsReadable(t *testing.T) {
	t.Parallel()
	b, stored, _ := plant(t)
	for kind, values := range stored {
		for _, v := range values {
			if search(t, b, v) == "" {
				t.Errorf("a %s that nothing seals is not found: the search is blind", kind)
			}
		}
	}
}
