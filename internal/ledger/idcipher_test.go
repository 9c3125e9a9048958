package ledger

import (
	"crypto/aes"
	"testing"
)

func testScrambler(t testing.TB) idCipher {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return idCipher{block}
}
