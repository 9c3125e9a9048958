//go:build !bankd_unsealed

package store

import "github.com/bankctl/bankctl/internal/vault"

// Sealed tells whether this build encrypts what it stores. Every build does
// but one with the tag bankd_unsealed, which exists so that the search for
// leaked secrets can be shown to find them.
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
