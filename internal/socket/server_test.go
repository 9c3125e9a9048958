package socket

import (
	"errors"
	"testing"
)

func TestCheckServerUID(t *testing.T) {
	for _, ok := range []int{1000, 0} {
		if err := checkServerUID(ok, 1000); err != nil {
			t.Errorf("uid %d: %v", ok, err)
		}
	}
	if err := checkServerUID(1001, 1000); !errors.Is(err, ErrForeignServer) {
		t.Errorf("another user: %v", err)
	}
}
