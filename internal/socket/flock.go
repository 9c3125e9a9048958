package socket

import (
	"errors"
	"os"
	"syscall"
)

// flock locks f. A signal does not interrupt the wait.
func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
