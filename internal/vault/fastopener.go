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

// fastOpener decrypts values of the primary key with the standard library's form of the same cipher, which, unlike
// Tink's, can decrypt into an existing buffer. The zero fastOpener has no key.
type fastOpener struct {
	gcm    cipher.AEAD
	prefix []byte // of all values that the key sealed
}

const nonceSize = 12

func newFastOpener(handle *keyset.Handle) (fastOpener, error) {
	entry, err := handle.Primary()
	if err != nil {
		return fastOpener{}, fmt.Errorf("use data key: %w", err)
	}
	key, ok := entry.Key().(*aesgcm.Key)
	if !ok {
		return fastOpener{}, nil
	}
	if p, ok := key.Parameters().(*aesgcm.Parameters); !ok || p.IVSizeInBytes() != nonceSize || p.TagSizeInBytes() != aes.BlockSize {
		return fastOpener{}, nil
	}
	block, err := aes.NewCipher(key.KeyBytes().Data(insecuresecretdataaccess.Token{}))
	if err != nil {
		return fastOpener{}, fmt.Errorf("use data key: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	return fastOpener{gcm, key.OutputPrefix()}, err
}

// AppendOpen appends the result of Open to dst.
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
