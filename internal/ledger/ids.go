package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
)

// idCipher encrypts a locator to a public id of 24 hex characters and back, by a keyed permutation of 96 bits. So ids
// need no index, reveal nothing, and cannot be guessed: of 2^32 made-up ids one decrypts to a locator.
type idCipher struct{ block cipher.Block }

const idSize = 24

func newIDCipher(db *store.DB, tenant string) (idCipher, error) {
	key, err := db.Digest(tenant, "transaction ids")
	if err != nil {
		return idCipher{}, err
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return idCipher{}, fmt.Errorf("transaction ids: %w", err)
	}
	return idCipher{block}, nil
}

const rounds = 6

// scratch is the block cipher's buffer. It escapes to the heap, so a page shares one instead of allocating one a round.
type scratch [aes.BlockSize]byte

// round is the Feistel network's function: 48 bits of a keyed digest of the other half.
func (s idCipher) round(b *scratch, n int, half uint64) uint64 {
	b.setInput(n, half)
	s.block.Encrypt(b[:], b[:])
	return b.output()
}

func (b *scratch) setInput(n int, half uint64) {
	*b = scratch{byte(n)}
	binary.BigEndian.PutUint64(b[8:], half)
}

func (b *scratch) output() uint64 { return binary.BigEndian.Uint64(b[:8]) & (1<<48 - 1) }

// appendID appends the public id of a row: the locator's 64 bits and 32 zero bits, encrypted.
func (s idCipher) appendID(to []byte, at locator, b *scratch) []byte {
	left, right := uint64(at)>>16, uint64(at)&0xffff<<32
	for n := range rounds {
		left, right = right, left^s.round(b, n, right)
	}
	var raw [12]byte
	put48(raw[:6], left)
	put48(raw[6:], right)
	return hex.AppendEncode(to, raw[:])
}

// idSlot is a gap in the written page; fillIDs writes a row's id there.
type idSlot struct {
	from int
	at   locator
}

// idBatch is how many ids are encrypted side by side, so that the processor need not wait for one call before the next.
const idBatch = 8

// fillIDs writes a page's ids into their slots.
func (s idCipher) fillIDs(b []byte, gaps []idSlot, work *[idBatch]scratch) {
	for ; len(gaps) > 0; gaps = gaps[min(idBatch, len(gaps)):] {
		part := gaps[:min(idBatch, len(gaps))]
		var left, right [idBatch]uint64
		for i, g := range part {
			left[i], right[i] = uint64(g.at)>>16, uint64(g.at)&0xffff<<32
		}
		for n := range rounds {
			for i := range part { // in a loop of its own: to read bytes as one word just after writing them singly stalls
				work[i].setInput(n, right[i])
			}
			for i := range part {
				s.block.Encrypt(work[i][:], work[i][:])
			}
			for i := range part {
				left[i], right[i] = right[i], left[i]^work[i].output()
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

// locator is the inverse of appendID; ok is false for an id that was not made with this key.
func (s idCipher) locator(id string) (at locator, ok bool) {
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
