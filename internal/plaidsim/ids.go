package plaidsim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// ids makes every identifier and token from the seed, the number of the start and a counter. The same calls after the
// same starts give the same values, and a restart, which raises boot, never repeats one.
type ids struct {
	seed    int64
	boot    uint64
	counter uint64
}

func (g *ids) next(kind string) [32]byte {
	g.counter++
	return sha256.Sum256(fmt.Appendf(nil, "%d|%d|%d|%s", g.seed, g.boot, g.counter, kind))
}

func (g *ids) uuid(kind string) string { return uuidOf(g.next(kind)) }

func (g *ids) alnum(kind string, n int) string { return alnumOf(g.next(kind), n) }

// hex gives n lower-case hexadecimal digits, as request ids have been since 2026-09.
func (g *ids) hex(kind string, n int) string {
	sum := g.next(kind)
	return hex.EncodeToString(sum[:])[:n]
}

func uuidOf(sum [32]byte) string {
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func alnumOf(sum [32]byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		if i > 0 && i%24 == 0 {
			sum = sha256.Sum256(sum[:])
		}
		out[i] = base62[int(sum[i%24])%len(base62)]
	}
	return string(out)
}

// derivedID is the id of a part of something else, such as an account of an Item: a function of its arguments, so that
// the state need not hold it.
func (g *ids) derivedID(parts ...string) string {
	return alnumOf(sha256.Sum256(fmt.Appendf(nil, "%d|%q", g.seed, parts)), 37)
}

// roll is a pseudo-random number in [0, n), a function of the parts.
func roll(n int, parts ...string) int {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return int(binary.BigEndian.Uint32(sum[:4]) % uint32(n))
}
