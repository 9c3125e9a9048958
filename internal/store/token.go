package store

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/vault"
)

// ErrBadToken means that SealToken did not make the token for this use.
var ErrBadToken = errors.New("token does not fit")

// Tokens are kept by callers, so that a rotation of the data keys cannot seal them anew. Those of format 2 are sealed by a
// key that no rotation turns; those of format 1 by a data key, and end with its rotation.
const (
	tokenByDataKey = 1
	tokenFormat    = 2
)

func tokenAAD(format byte, tenant, purpose, bind string) []byte {
	return vault.Bind("bankd/1 token", tenant, purpose, bind, string([]byte{format}))
}

// SealToken encrypts plaintext to a text. OpenToken opens it with the same tenant, purpose and bind only.
func (db *DB) SealToken(tenant, purpose, bind string, plaintext []byte) (string, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return "", err
	}
	sealer, err := keys.digester.Tokens(purpose)
	if err != nil {
		return "", fmt.Errorf("seal token: %w", err)
	}
	sealed, err := sealer.Seal(plaintext, tokenAAD(tokenFormat, tenant, purpose, bind))
	if err != nil {
		return "", fmt.Errorf("seal token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{tokenFormat}, sealed...)), nil
}

// OpenToken is the inverse of SealToken.
func (db *DB) OpenToken(tenant, purpose, bind, token string) ([]byte, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(sealed) == 0 {
		return nil, ErrBadToken
	}
	var opener interface {
		Open(sealed, aad []byte) ([]byte, error)
	}
	switch sealed[0] {
	case tokenByDataKey:
		opener = keys.sealer
	case tokenFormat:
		if opener, err = keys.digester.Tokens(purpose); err != nil {
			return nil, err
		}
	default:
		return nil, ErrBadToken
	}
	plain, err := opener.Open(sealed[1:], tokenAAD(sealed[0], tenant, purpose, bind))
	if err != nil {
		return nil, ErrBadToken
	}
	return plain, nil
}
