package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/bankctl/bankctl/internal/vault"
)

// manifest is a keyed hash and the number of a set of entries. Entries can be added and removed in any order: the hash
// is the sum, mod 2^256, of one keyed digest an entry.
type manifest struct {
	sum   [4]uint64 // least significant first
	count uint64
}

const manifestSize = 8 + vault.DigestSize

// root is the manifest of a lane's own entries, and how many transactions the lane has committed.
type root struct {
	manifest
	commits uint64
}

const rootSize = 8 + manifestSize

func (m *manifest) add(d *vault.Digester, key, stored []byte) error {
	term, err := entryDigest(d, key, stored)
	if err != nil {
		return err
	}
	var carry uint64
	for i := range m.sum {
		m.sum[i], carry = bits.Add64(m.sum[i], term[i], carry)
	}
	m.count++
	return nil
}

func (m *manifest) remove(d *vault.Digester, key, stored []byte) error {
	term, err := entryDigest(d, key, stored)
	if err != nil {
		return err
	}
	var borrow uint64
	for i := range m.sum {
		m.sum[i], borrow = bits.Sub64(m.sum[i], term[i], borrow)
	}
	m.count--
	return nil
}

func entryDigest(d *vault.Digester, key, stored []byte) (term [4]uint64, err error) {
	value := sha256.Sum256(stored)
	input := make([]byte, 0, 4+len(key)+len(value))
	input = binary.BigEndian.AppendUint32(input, uint32(len(key)))
	input = append(input, key...)
	input = append(input, value[:]...)
	sum, err := d.Sum(input)
	if err != nil {
		return term, err
	}
	for i := range term {
		term[i] = binary.LittleEndian.Uint64(sum[8*i:])
	}
	return term, nil
}

func (m manifest) encode() []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, manifestSize), m.count)
	for _, limb := range m.sum {
		out = binary.LittleEndian.AppendUint64(out, limb)
	}
	return out
}

// merge adds another lane's manifest. A lane may have taken out what another put in, so that one lane's sum and count can
// be "negative", modulo their size; only the total counts.
func (m *manifest) merge(other manifest) {
	var carry uint64
	for i := range m.sum {
		m.sum[i], carry = bits.Add64(m.sum[i], other.sum[i], carry)
	}
	m.count += other.count
}

func (r root) encode() []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, rootSize), r.commits), r.manifest.encode()...)
}

func decodeRoot(b []byte) (r root, err error) {
	if len(b) != rootSize {
		return r, fmt.Errorf("%w: root of a wrong size", ErrDamaged)
	}
	r.commits = binary.BigEndian.Uint64(b)
	r.manifest, err = decodeManifest(b[8:])
	return r, err
}

func decodeManifest(b []byte) (m manifest, err error) {
	if len(b) != manifestSize {
		return m, fmt.Errorf("%w: manifest of a wrong size", ErrDamaged)
	}
	m.count = binary.BigEndian.Uint64(b)
	for i := range m.sum {
		m.sum[i] = binary.LittleEndian.Uint64(b[8+8*i:])
	}
	return m, nil
}
