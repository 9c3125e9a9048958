package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// swift opens what the primary key sealed, with the standard library's form of the same cipher: unlike Tink's, it can
// open into memory that is there. The zero swift knows no key.
type swift struct {
	gcm    cipher.AEAD
	prefix []byte // of all that the key sealed
}

const nonceSize = 12

func swiftOf(handle *keyset.Handle) (swift, error) {
	entry, err := handle.Primary()
	if err != nil {
		return swift{}, fmt.Errorf("use data key: %w", err)
	}
	key, ok := entry.Key().(*aesgcm.Key)
	if !ok {
		return swift{}, nil
	}
	if p, ok := key.Parameters().(*aesgcm.Parameters); !ok || p.IVSizeInBytes() != nonceSize || p.TagSizeInBytes() != aes.BlockSize {
		return swift{}, nil
	}
	block, err := aes.NewCipher(key.KeyBytes().Data(insecuresecretdataaccess.Token{}))
	if err != nil {
		return swift{}, fmt.Errorf("use data key: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	return swift{gcm, key.OutputPrefix()}, err
}

// AppendOpen is Open behind what dst holds.
func (s *Sealer) AppendOpen(dst, sealed, aad []byte) ([]byte, error) {
	rest, known := bytes.CutPrefix(sealed, s.prefix)
	if s.gcm == nil || !known || len(rest) < nonceSize {
		plain, err := s.Open(sealed, aad)
		return append(dst, plain...), err
	}
	out, err := s.gcm.Open(dst, rest[:nonceSize], rest[nonceSize:], aad)
	if err != nil {
		return dst, ErrWrongKey
	}
	return out, nil
}
