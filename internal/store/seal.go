package store

import (
	"fmt"

	"github.com/bankctl/bankctl/internal/vault"
)

// valueFormat begins every stored value and is part of its associated data.
const valueFormat = 1

func recordAAD(tenant, collection, id string) []byte {
	return vault.Bind("bankd/1 record", tenant, collection, id, string([]byte{valueFormat}))
}

// seal encrypts a value for its place.
func seal(s *vault.Sealer, tenant, collection, id string, plain []byte) ([]byte, error) {
	sealed, err := sealValue(s, plain, recordAAD(tenant, collection, id))
	if err != nil {
		return nil, fmt.Errorf("seal value: %w", err)
	}
	return append([]byte{storedAs}, sealed...), nil
}

// open is the inverse of seal. Its errors do not quote the value.
func open(s *vault.Sealer, tenant, collection, id string, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != storedAs {
		return nil, fmt.Errorf("%w: value of an unknown format", ErrDamaged)
	}
	plain, err := openValue(s, stored[1:], recordAAD(tenant, collection, id))
	if err != nil {
		return nil, fmt.Errorf("%w: value does not fit its place or key", ErrDamaged)
	}
	return plain, nil
}
