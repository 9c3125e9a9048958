//go:build bankd_unsealed

package store

import (
	"bytes"

	"github.com/bankctl/bankctl/internal/vault"
)

// Sealed is false: this build stores plain text, see seal_on.go.
const Sealed = false

const ( // other builds do not open these values
	storedAs      = 0xff
	storedInParts = 0xfe
)

func sealValue(_ *vault.Sealer, plain, _ []byte) ([]byte, error)  { return bytes.Clone(plain), nil }
func openValue(_ *vault.Sealer, stored, _ []byte) ([]byte, error) { return bytes.Clone(stored), nil }

func appendOpened(dst []byte, _ *vault.Sealer, stored, _ []byte) ([]byte, error) {
	return append(dst, stored...), nil
}
