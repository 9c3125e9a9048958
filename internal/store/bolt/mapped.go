package bolt

import (
	"fmt"
	"os"
	"syscall"
)

// mapFile maps a file for reading, so that a walk reads the heads and keys of pages and not all values. A fault in it
// panics; openFile turns that into damage.
func mapFile(f *os.File, size int64) (data []byte, unmap func(), err error) {
	if size == 0 {
		return nil, func() {}, nil
	}
	data, err = syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map file: %w", err)
	}
	return data, func() { _ = syscall.Munmap(data) }, nil
}
