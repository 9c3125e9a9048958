// Package vaulttest is a Transit engine for tests, which speaks as Vault documents it. A test against a real Vault is in
// package vault.
package vaulttest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/vault"
)

// Token is the one that a Server takes.
const Token = "hvs.test-token"

// Server answers as Vault's Transit engine is documented to, for the four routes that bankd calls. It is small
// and ours: BANKD_VAULT_ADDR runs the same contract against a real one.
type Server struct {
	HTTP *httptest.Server
	Hang atomic.Bool // let calls wait for ever
	ca   string
	quit chan struct{}

	mu   sync.Mutex
	keys map[string]*transitKey
}

type transitKey struct {
	kind     string
	versions []cipher.AEAD
	least    int
}

// Start starts a server on loopback.
func Start(t *testing.T) *Server {
	s := &Server{keys: map[string]*transitKey{}, quit: make(chan struct{})}
	s.HTTP = httptest.NewServer(s)
	t.Cleanup(s.HTTP.Close)
	t.Cleanup(func() { close(s.quit) }) // first, so that Close finds no call under way
	return s
}

// StartTLS starts one with a certificate of its own.
func StartTLS(t *testing.T) *Server {
	s := &Server{keys: map[string]*transitKey{}, quit: make(chan struct{})}
	s.HTTP = httptest.NewTLSServer(s)
	t.Cleanup(s.HTTP.Close)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.HTTP.Certificate().Raw})
	if err := os.WriteFile(s.ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Settings reach one of its keys.
func (s *Server) Settings(key string) vault.Transit {
	return vault.Transit{Address: s.HTTP.URL, Key: "transit/" + key, Token: secret.New(Token), CAFile: s.ca}
}

// MakeKey makes a key, of a random name if none is given, and returns its name.
func (s *Server) MakeKey(name, kind string) string {
	if name == "" {
		name = rand.Text()
	}
	s.mu.Lock()
	s.keys[name] = &transitKey{kind: kind, least: 1}
	s.mu.Unlock()
	s.Rotate(name)
	return name
}

// Rotate makes a new version of a key.
func (s *Server) Rotate(name string) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	block, err := aes.NewCipher(raw)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[name].versions = append(s.keys[name].versions, gcm)
}

// ForbidBelow sets a key's min_decryption_version.
func (s *Server) ForbidBelow(name string, version int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[name].least = version
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Hang.Load() {
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		return
	}
	refuse := func(status int, words ...string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": words})
	}
	if r.Header.Get("X-Vault-Token") != Token {
		refuse(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/transit/")
	op, name, _ := strings.Cut(path, "/")
	switch name {
	case "make-503":
		refuse(503, "Vault is sealed")
		return
	case "make-307":
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
		return
	case "make-long":
		_, _ = io.WriteString(w, `{"data":{"x":"`+strings.Repeat("x", 1<<20)+`"}}`)
		return
	case "make-garbage":
		_, _ = io.WriteString(w, "<html>")
		return
	}
	var body struct {
		Plaintext  string `json:"plaintext"`
		Ciphertext string `json:"ciphertext"`
		AAD        string `json:"associated_data"`
		Version    int    `json:"key_version"`
	}
	if r.Method == "POST" {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			refuse(400, "failed to parse JSON input")
			return
		}
	}
	bare, rotating := strings.CutSuffix(name, "/rotate")
	if op == "keys" && r.Method == "POST" && rotating {
		s.Rotate(bare)
		name = bare
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := s.keys[name]
	if key == nil && op == "keys" {
		refuse(404)
		return
	}
	if key == nil {
		refuse(400, "encryption key not found")
		return
	}
	data, status, why := key.serve(op, body.Plaintext, body.Ciphertext, body.AAD, body.Version)
	if status != 200 {
		refuse(status, why)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"request_id": "0", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": nil, "warnings": nil, "auth": nil,
	})
}

func (k *transitKey) serve(op, plaintext, ciphertext, associated string, version int) (data any, status int, why string) {
	aad, err := base64.StdEncoding.DecodeString(associated)
	if err != nil {
		return nil, 400, "failed to base64-decode associated_data"
	}
	switch op {
	case "keys":
		return map[string]any{
			"type": k.kind, "latest_version": len(k.versions), "min_decryption_version": k.least, "min_encryption_version": 0, "derived": false,
			"exportable": false, "deletion_allowed": false,
		}, 200, ""
	case "encrypt":
		if version == 0 {
			version = len(k.versions)
		}
		plain, err := base64.StdEncoding.DecodeString(plaintext)
		if err != nil || version > len(k.versions) {
			return nil, 400, "requested version for encryption is higher than the latest key version"
		}
		nonce := make([]byte, 12)
		_, _ = rand.Read(nonce)
		sealed := k.versions[version-1].Seal(nonce, nonce, plain, aad)
		return map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", version, base64.StdEncoding.EncodeToString(sealed)), "key_version": version}, 200, ""
	case "decrypt":
		return k.decrypt(ciphertext, aad)
	}
	return nil, 404, ""
}

func (k *transitKey) decrypt(ciphertext string, aad []byte) (data any, status int, why string) {
	rest, ok := strings.CutPrefix(ciphertext, "vault:v")
	number, encoded, found := strings.Cut(rest, ":")
	version, err := strconv.Atoi(number)
	if !ok || !found || err != nil {
		return nil, 400, "invalid ciphertext: no prefix"
	}
	version = max(version, 1) // as Vault does
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case version > len(k.versions):
		return nil, 400, "invalid ciphertext: version is too new"
	case version < k.least:
		return nil, 400, "ciphertext or signature version is disallowed by policy (too old)"
	case err != nil:
		return nil, 400, "invalid ciphertext: could not decode base64"
	case len(sealed) < 12:
		return nil, 400, "invalid ciphertext length"
	}
	plain, err := k.versions[version-1].Open(nil, sealed[:12], sealed[12:], aad)
	if err != nil {
		return nil, 400, "cipher: message authentication failed"
	}
	return map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)}, 200, ""
}
