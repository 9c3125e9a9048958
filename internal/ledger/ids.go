package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
)

// scrambler turns a locator into 24 hex characters and back: a keyed permutation of 96 bits, so that an id needs no
// index, tells nothing, and cannot be guessed: all but one in 2^32 made-up ids lead nowhere.
type scrambler struct{ block cipher.Block }

const idSize = 24

func newScrambler(db *store.DB, tenant string) (scrambler, error) {
	key, err := db.Digest(tenant, "transaction ids")
	if err != nil {
		return scrambler{}, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return scrambler{}, fmt.Errorf("transaction ids: %w", err)
	}
	return scrambler{block}, nil
}

const rounds = 6

// scratch is what the block cipher works in: one a page rather than one a round, for the call lets it escape.
type scratch [aes.BlockSize]byte

// round is the Feistel network's: 48 bits of a keyed digest of the other half.
func (s scrambler) round(b *scratch, n int, half uint64) uint64 {
	b.ask(n, half)
	s.block.Encrypt(b[:], b[:])
	return b.answer()
}

func (b *scratch) ask(n int, half uint64) {
	*b = scratch{byte(n)}
	binary.BigEndian.PutUint64(b[8:], half)
}

func (b *scratch) answer() uint64 { return binary.BigEndian.Uint64(b[:8]) & (1<<48 - 1) }

// appendID appends the public id of a row: the locator's 64 bits and 32 zero bits, scrambled.
func (s scrambler) appendID(to []byte, at locator, b *scratch) []byte {
	left, right := uint64(at)>>16, uint64(at)&0xffff<<32
	for n := range rounds {
		left, right = right, left^s.round(b, n, right)
	}
	var raw [12]byte
	put48(raw[:6], left)
	put48(raw[6:], right)
	return hex.AppendEncode(to, raw[:])
}

// gap is room for an id that is written with others.
type gap struct {
	from int
	at   locator
}

// together is how many ids take their rounds side by side: a cipher's call need not wait for the one before then.
const together = 8

// fill writes ids into their gaps.
func (s scrambler) fill(b []byte, gaps []gap, work *[together]scratch) {
	for ; len(gaps) > 0; gaps = gaps[min(together, len(gaps)):] {
		part := gaps[:min(together, len(gaps))]
		var left, right [together]uint64
		for i, g := range part {
			left[i], right[i] = uint64(g.at)>>16, uint64(g.at)&0xffff<<32
		}
		for n := range rounds {
			for i := range part { // all of them first: what was just written in pieces is slow to be read as one
				work[i].ask(n, right[i])
			}
			for i := range part {
				s.block.Encrypt(work[i][:], work[i][:])
			}
			for i := range part {
				left[i], right[i] = right[i], left[i]^work[i].answer()
			}
		}
		for i, g := range part {
			var raw [12]byte
			put48(raw[:6], left[i])
			put48(raw[6:], right[i])
			hex.Encode(b[g.from:], raw[:])
		}
	}
}

func (s scrambler) id(at locator) string {
	return string(s.appendID(make([]byte, 0, idSize), at, new(scratch)))
}

// locator is the inverse; ok is false for an id that was never made here.
func (s scrambler) locator(id string) (at locator, ok bool) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != 12 {
		return 0, false
	}
	b := new(scratch)
	left, right := get48(raw[:6]), get48(raw[6:])
	for n := rounds - 1; n >= 0; n-- {
		left, right = right^s.round(b, n, left), left
	}
	if right&0xffffffff != 0 {
		return 0, false
	}
	return locator(left<<16 | right>>32), true
}

func put48(b []byte, v uint64) {
	for i := range 6 {
		b[i] = byte(v >> (40 - 8*i))
	}
}

func get48(b []byte) (v uint64) {
	for _, c := range b[:6] {
		v = v<<8 | uint64(c)
	}
	return v
}
