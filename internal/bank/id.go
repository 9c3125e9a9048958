package bank

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"
)

var (
	process = randomBytes(5)
	counter = func() *atomic.Uint32 {
		c := &atomic.Uint32{}
		c.Store(binary.BigEndian.Uint32(randomBytes(4)) & 0x3fffff) // leaves room to count up before it wraps
		return c
	}()
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// newID makes 24 lowercase hex characters: seconds, process, counter. Ids of one process sort by creation.
func newID(now time.Time) string {
	var id [12]byte
	binary.BigEndian.PutUint32(id[:4], uint32(now.Unix()))
	copy(id[4:9], process)
	n := counter.Add(1)
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return hex.EncodeToString(id[:])
}

// token makes 32 letters and digits: 160 random bits.
func token() string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(randomBytes(20)))
}
