//go:build !bankd_unsealed

package store

import "github.com/bankctl/bankctl/internal/vault"

// Sealed reports whether this build encrypts stored values. Only builds with the tag bankd_unsealed do not; a test uses
// one to show that the search for leaked secrets finds them.
const Sealed = true

const (
	storedAs      = valueFormat
	storedInParts = partsFormat
)

func sealValue(s *vault.Sealer, plain, aad []byte) ([]byte, error)  { return s.Seal(plain, aad) }
func openValue(s *vault.Sealer, sealed, aad []byte) ([]byte, error) { return s.Open(sealed, aad) }

func appendOpened(dst []byte, s *vault.Sealer, sealed, aad []byte) ([]byte, error) {
	return s.AppendOpen(dst, sealed, aad)
}
