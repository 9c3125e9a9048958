package backup

import (
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Recipients parses public keys (age1…) that a backup is made for.
func Recipients(keys []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for i, key := range keys {
		r, err := age.ParseX25519Recipient(key)
		if err != nil {
			return nil, fmt.Errorf("recipient %d is not an age public key (age1…)", i+1)
		}
		all = append(all, r)
	}
	return all, nil
}

const maxIdentityFile = 64 << 10

// Identities reads secret keys from a file as age-keygen writes it. Its errors do not quote the file.
func Identities(path string) ([]age.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	defer f.Close()
	all, err := age.ParseIdentities(io.LimitReader(f, maxIdentityFile))
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, errIdentity)
	}
	return all, nil
}

var errIdentity = errors.New("it holds no secret key of age (AGE-SECRET-KEY-1…), as age-keygen writes one")
