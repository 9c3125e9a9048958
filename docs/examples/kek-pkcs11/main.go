// Command bankd-kek-pkcs11 is a helper for bankd's `kek_provider: exec` that keeps the key in a PKCS#11 token: an HSM, a
// smart card, SoftHSM2. It is a program of its own, so that bankd needs no C library. docs/keys.md describes the protocol.
//
// Its settings are environment variables: KEK_PKCS11_MODULE (the vendor's library), KEK_PKCS11_TOKEN (the token's label),
// KEK_PKCS11_PIN_FILE, KEK_PKCS11_LABEL (of the keys). `bankd-kek-pkcs11 make-key` makes the first key.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/miekg/pkcs11"
)

type request struct {
	Op   string `json:"op"`
	ID   string `json:"id"`
	DEK  []byte `json:"dek"`
	Blob []byte `json:"blob"`
	AAD  []byte `json:"aad"`
}

type reply struct {
	ID      string   `json:"id,omitempty"`
	Opens   []string `json:"opens,omitempty"`
	Rotates bool     `json:"rotates,omitempty"`
	DEK     []byte   `json:"dek,omitempty"`
	Blob    []byte   `json:"blob,omitempty"`
	Error   string   `json:"error,omitempty"`
	Message string   `json:"message,omitempty"`
}

var (
	errWrongKey  = errors.New("key does not fit")
	errNoKey     = errors.New("the token holds no key with this label: run `bankd-kek-pkcs11 make-key`")
	errOperation = errors.New("unknown operation")
)

func main() {
	out, err := run()
	switch {
	case errors.Is(err, errWrongKey):
		out = reply{Error: "wrong_key"}
	case errors.Is(err, errOperation):
		out = reply{Error: "unsupported", Message: err.Error()}
	case err != nil:
		out = reply{Error: "unavailable", Message: err.Error()}
	}
	if json.NewEncoder(os.Stdout).Encode(out) != nil || err != nil && len(os.Args) > 1 {
		os.Exit(1)
	}
}

func run() (reply, error) {
	var r request
	if len(os.Args) == 2 && os.Args[1] == "make-key" {
		r.Op = "rotate"
	} else if err := json.NewDecoder(os.Stdin).Decode(&r); err != nil {
		return reply{}, fmt.Errorf("read request: %w", err)
	}
	pin, err := lockedPIN()
	if err != nil {
		return reply{}, err
	}
	t, err := open(pin)
	if err != nil {
		return reply{}, err
	}
	defer t.close()
	switch r.Op {
	case "id":
		ids, err := t.ids()
		if err != nil {
			return reply{}, err
		}
		last := len(ids) - 1
		return reply{ID: ids[last], Opens: ids[:last], Rotates: true}, nil
	case "wrap":
		blob, err := t.wrap(r.ID, r.DEK, r.AAD)
		return reply{Blob: blob}, err
	case "unwrap":
		dek, err := t.unwrap(r.ID, r.Blob, r.AAD)
		return reply{DEK: dek}, err
	case "rotate":
		id, err := t.makeKey()
		return reply{ID: id}, err
	}
	return reply{}, errOperation
}

// token is a session with the token, logged in.
type token struct {
	p       *pkcs11.Ctx
	session pkcs11.SessionHandle
	label   string
}

// lockedPIN reads the PIN and holds its file's lock until the process ends: SoftHSM2 fails now and then where two
// processes use one token.
func lockedPIN() (string, error) {
	f, err := os.Open(os.Getenv("KEK_PKCS11_PIN_FILE"))
	if err != nil {
		return "", errors.New("KEK_PKCS11_PIN_FILE cannot be read")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return "", errors.New("KEK_PKCS11_PIN_FILE cannot be locked")
	}
	pin, err := io.ReadAll(f)
	locked = f
	return strings.TrimSpace(string(pin)), err
}

var locked *os.File // keeps the lock

func open(pin string) (*token, error) {
	p := pkcs11.New(os.Getenv("KEK_PKCS11_MODULE"))
	if p == nil {
		return nil, errors.New("KEK_PKCS11_MODULE cannot be loaded")
	}
	if err := p.Initialize(); err != nil {
		return nil, err
	}
	slots, err := p.GetSlotList(true)
	if err != nil {
		return nil, err
	}
	for _, slot := range slots {
		info, err := p.GetTokenInfo(slot)
		if err != nil || strings.TrimSpace(info.Label) != os.Getenv("KEK_PKCS11_TOKEN") {
			continue
		}
		session, err := p.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			return nil, err
		}
		return &token{p, session, os.Getenv("KEK_PKCS11_LABEL")}, p.Login(session, pkcs11.CKU_USER, pin)
	}
	return nil, errors.New("there is no token with the label of KEK_PKCS11_TOKEN")
}

func (t *token) close() {
	_ = t.p.Finalize()
	t.p.Destroy()
}

// A key's id is the label, its number among the keys of that label, and a random part; CKA_ID keeps number and part.
func (t *token) id(ckaID []byte) string { return "pkcs11:" + t.label + "#" + string(ckaID) }

// ids lists the keys of the label, oldest first.
func (t *token) ids() ([]string, error) {
	handles, err := t.find(nil)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(handles))
	for _, h := range handles {
		a, err := t.p.GetAttributeValue(t.session, h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
		if err != nil {
			return nil, err
		}
		number := 0
		if _, err := fmt.Sscanf(string(a[0].Value), "%d-", &number); err != nil || number < 1 || number > len(ids) || ids[number-1] != "" {
			return nil, errors.New("the token holds keys of this label that this helper did not make")
		}
		ids[number-1] = t.id(a[0].Value)
	}
	if len(ids) == 0 {
		return nil, errNoKey
	}
	return ids, nil
}

func (t *token) find(ckaID []byte) ([]pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.label),
	}
	if ckaID != nil {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, ckaID))
	}
	if err := t.p.FindObjectsInit(t.session, template); err != nil {
		return nil, err
	}
	handles, _, err := t.p.FindObjects(t.session, 1000)
	return handles, errors.Join(err, t.p.FindObjectsFinal(t.session))
}

func (t *token) key(id string) (pkcs11.ObjectHandle, error) {
	ckaID, ok := strings.CutPrefix(id, t.id(nil))
	if !ok || ckaID == "" {
		return 0, errWrongKey
	}
	handles, err := t.find([]byte(ckaID))
	if err == nil && len(handles) != 1 {
		err = errWrongKey
	}
	if err != nil {
		return 0, err
	}
	return handles[0], nil
}

// makeKey makes an AES-256 key that cannot leave the token.
func (t *token) makeKey() (string, error) {
	older, err := t.ids()
	if err != nil && !errors.Is(err, errNoKey) {
		return "", err
	}
	var random [4]byte
	_, _ = rand.Read(random[:])
	ckaID := fmt.Appendf(nil, "%d-%s", len(older)+1, hex.EncodeToString(random[:]))
	_, err = t.p.GenerateKey(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, true), pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, true),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32), pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.label), pkcs11.NewAttribute(pkcs11.CKA_ID, ckaID),
	})
	return t.id(ckaID), err
}

const (
	nonceSize = 12
	tagBits   = 128
)

// wrap seals with AES-256-GCM: 12 bytes nonce, ciphertext, 16 bytes tag.
func (t *token) wrap(id string, dek, aad []byte) ([]byte, error) {
	key, err := t.key(id)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce)
	params := pkcs11.NewGCMParams(nonce, aad, tagBits)
	defer params.Free()
	if err := t.p.EncryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, err
	}
	sealed, err := t.p.Encrypt(t.session, dek)
	return append(nonce, sealed...), err
}

func (t *token) unwrap(id string, blob, aad []byte) ([]byte, error) {
	key, err := t.key(id)
	if err != nil {
		return nil, err
	}
	if len(blob) < nonceSize+tagBits/8 {
		return nil, errWrongKey
	}
	params := pkcs11.NewGCMParams(blob[:nonceSize], aad, tagBits)
	defer params.Free()
	if err := t.p.DecryptInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_GCM, params)}, key); err != nil {
		return nil, err
	}
	dek, err := t.p.Decrypt(t.session, blob[nonceSize:])
	if err != nil { // the token is there and logged in: the blob does not fit
		return nil, errWrongKey
	}
	return dek, nil
}
