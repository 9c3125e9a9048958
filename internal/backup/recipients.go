package backup

import (
	"fmt"

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
