package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// ErrRecipient means that a text is no age recipient of the form age1….
var ErrRecipient = errors.New("no age recipient: want age1…, the public key that `age-keygen` prints")

// Recipients are age recipients that can each open an escrow.
type Recipients struct{ list []age.Recipient }

// ParseRecipients reads X25519 recipients.
func ParseRecipients(texts []string) (Recipients, error) {
	var r Recipients
	for _, text := range texts {
		one, err := age.ParseX25519Recipient(text)
		if err != nil {
			return Recipients{}, ErrRecipient // age's own error quotes the text, which may be an identity by mistake
		}
		r.list = append(r.list, one)
	}
	return r, nil
}

// Empty reports whether there is no recipient.
func (r Recipients) Empty() bool { return len(r.list) == 0 }

// Age returns the recipients as age takes them.
func (r Recipients) Age() []age.Recipient { return r.list }

// Identity is the private half of a recipient. It cannot print itself.
type Identity struct{ list *[]age.Identity }

func (Identity) String() string               { return redacted }
func (Identity) GoString() string             { return redacted }
func (Identity) Format(s fmt.State, _ rune)   { _, _ = io.WriteString(s, redacted) }
func (Identity) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Age returns the identities as age takes them.
func (i Identity) Age() []age.Identity {
	if i.list == nil {
		return nil
	}
	return *i.list
}

const maxIdentity = 64 << 10

// OpenIdentity reads the file that `age-keygen -o` wrote.
func OpenIdentity(path string) (Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return Identity{}, fmt.Errorf("open identity: %w", err)
	}
	defer f.Close()
	list, err := age.ParseIdentities(io.LimitReader(f, maxIdentity))
	if err != nil { // age's own error may quote a line
		return Identity{}, fmt.Errorf("open identity: %s is not what `age-keygen -o` writes; if it is encrypted, decrypt it first", path)
	}
	return Identity{&list}, nil
}

// escrowed is the plain text of an escrow: one tenant's keys, and whose they are.
type escrowed struct {
	Place    []byte `json:"place"` // a Bind of what Escrow was given
	Sealer   []byte `json:"aes_gcm"`
	Digester []byte `json:"prf"`
}

// Escrow returns an age file with the keys, which each recipient can open. The parts name whose keys they are.
func Escrow(to Recipients, s *Sealer, d *Digester, parts ...string) ([]byte, error) {
	aes, err := clear(s.handle)
	if err != nil {
		return nil, err
	}
	prf, err := clear(d.handle)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(escrowed{Bind(parts...), aes, prf})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to.list...)
	if err != nil {
		return nil, fmt.Errorf("encrypt escrow: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("encrypt escrow: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encrypt escrow: %w", err)
	}
	return out.Bytes(), nil
}

const maxEscrow = 1 << 20

// OpenEscrow opens an age file of Escrow, else ErrWrongKey.
func OpenEscrow(id Identity, file []byte, parts ...string) (*Sealer, *Digester, error) {
	r, err := age.Decrypt(bytes.NewReader(file), id.Age()...)
	if err != nil {
		return nil, nil, ErrWrongKey
	}
	text, err := io.ReadAll(io.LimitReader(r, maxEscrow))
	var e escrowed
	if err != nil || json.Unmarshal(text, &e) != nil || !bytes.Equal(e.Place, Bind(parts...)) {
		return nil, nil, ErrWrongKey
	}
	aes, err := fromClear(e.Sealer)
	if err != nil {
		return nil, nil, err
	}
	prf, err := fromClear(e.Digester)
	if err != nil {
		return nil, nil, err
	}
	s, err := sealer(aes)
	if err != nil {
		return nil, nil, err
	}
	d, err := digester(prf)
	return s, d, err
}
