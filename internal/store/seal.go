package store

import (
	"fmt"

	"github.com/bankctl/bankctl/internal/vault"
)

// valueFormat leads every stored value and is part of what it is bound to.
const valueFormat = 1

func recordAAD(tenant, collection, id string) []byte {
	return vault.Bind("bankd/1 record", tenant, collection, id, string([]byte{valueFormat}))
}

// seal makes a stored value of plain.
func seal(s *vault.Sealer, tenant, collection, id string, plain []byte) ([]byte, error) {
	sealed, err := sealValue(s, plain, recordAAD(tenant, collection, id))
	if err != nil {
		return nil, fmt.Errorf("seal value: %w", err)
	}
	return append([]byte{storedAs}, sealed...), nil
}

// open is the inverse of seal. Its errors do not say what the value was.
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
