package bank

import (
	"errors"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
)

// explainKEK tells an outage of the provider of the key to the data, which nothing but new keys needs.
func explainKEK(err error) error {
	if !errors.Is(err, store.ErrKEKUnavailable) {
		return err
	}
	return fault.New(fault.Unavailable, "the key to the data is out of reach, so no keys can be made or turned; everything else goes on").
		WithHint("%s", "see bankd's log for the cause; `bankctl keys status` says which provider has the key").Because(err)
}
