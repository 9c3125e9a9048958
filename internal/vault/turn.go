package vault

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// KeyID names a data key: the number that begins every value it sealed, after a format byte.
type KeyID uint32

func (id KeyID) String() string { return fmt.Sprintf("%08x", uint32(id)) }

const tinkPrefix = 5 // a byte 1 and the key's id

// KeyOf returns the id of the data key that sealed a value.
func KeyOf(sealed []byte) (KeyID, bool) {
	if len(sealed) < tinkPrefix || sealed[0] != 1 {
		return 0, false
	}
	return KeyID(binary.BigEndian.Uint32(sealed[1:])), true
}

// KeyID returns the id of the key that seals.
func (s *Sealer) KeyID() KeyID { return s.id }

// Keys returns how many keys open values: one, or more while a rotation is under way.
func (s *Sealer) Keys() int { return s.handle.Len() }

// Turn returns a Sealer that seals with a new key and opens what the older ones sealed.
func (s *Sealer) Turn() (*Sealer, error) {
	m := keyset.NewManagerFromHandle(s.handle)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	turned, err := sealer(handle)
	if err == nil {
		turned.old = s.old
	}
	return turned, err
}

// Drop returns a Sealer without the older keys: Wrap leaves them out. In memory they go on opening values, for snapshots
// from before.
func (s *Sealer) Drop() (*Sealer, error) {
	m := keyset.NewManagerFromHandle(s.handle)
	for i := range s.handle.Len() {
		entry, err := s.handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("drop data key: %w", err)
		}
		if entry.IsPrimary() {
			continue
		}
		if err := m.Delete(entry.KeyID()); err != nil {
			return nil, fmt.Errorf("drop data key: %w", err)
		}
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("drop data key: %w", err)
	}
	dropped, err := sealer(handle)
	if err == nil {
		dropped.old = s
	}
	return dropped, err
}

// clear returns a keyset in plain text, for an escrow to encrypt.
func clear(handle *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&out)); err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return out.Bytes(), nil
}

func fromClear(text []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(text)))
	if err != nil {
		return nil, ErrWrongKey // Tink's own error may quote the key
	}
	return handle, nil
}
