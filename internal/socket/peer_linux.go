package socket

import (
	"errors"

	"golang.org/x/sys/unix"
)

func peerUID(fd int) (int, error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, err
	}
	if domain != unix.AF_UNIX {
		return 0, errors.New("not a unix socket") // others answer with uid -1, which is no user
	}
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
