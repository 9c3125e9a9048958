package plaidsim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// standingKeyID is the key id that Plaid's sandbox always knows.
const standingKeyID = "6c5516e1-92dc-479e-a8ff-5a51992e0001"

// retiredKey is a signing key that was rotated away; its signatures can still be verified.
type retiredKey struct {
	ID            string
	Key           []byte // PKCS #8
	Made, Expired time.Time
}

// ensureKey makes the signing key at the first start.
func (s *Server) ensureKey() error {
	if s.st.Key != nil {
		return nil
	}
	return s.makeKey()
}

func (s *Server) makeKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make webhook key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode webhook key: %w", err)
	}
	s.st.Key, s.st.KeyID, s.st.KeyMade = raw, s.ids.uuid("key"), s.now()
	s.markChanged()
	return nil
}

// RotateWebhookKey signs with a new key from now on. /webhook_verification_key/get still knows the old one, as expired.
// The change is saved when it returns.
func (s *Server) RotateWebhookKey() error {
	s.mu.Lock()
	err := s.rotateKey()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.flushUncancelled(context.Background())
}

func (s *Server) rotateKey() error {
	old := retiredKey{ID: s.st.KeyID, Key: s.st.Key, Made: s.st.KeyMade, Expired: s.now()}
	if err := s.makeKey(); err != nil {
		return err
	}
	s.st.OldKeys = append(s.st.OldKeys, old)
	return nil
}

func parseKey(raw []byte) (*ecdsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("decode webhook key: %w", err)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("webhook key has the wrong type")
	}
	return ec, nil
}

// findKey returns the key with an id; its Expired is zero while it signs.
func (s *Server) findKey(id string) (retiredKey, bool) {
	if id == s.st.KeyID || id == standingKeyID {
		return retiredKey{ID: id, Key: s.st.Key, Made: s.st.KeyMade}, true
	}
	for _, k := range s.st.OldKeys {
		if k.ID == id {
			return k, true
		}
	}
	return retiredKey{}, false
}

func (s *Server) webhookKeyGet(c *call) (obj, *apiError) {
	found, ok := s.findKey(c.str("key_id"))
	if !ok {
		return nil, invalidInput("INVALID_WEBHOOK_VERIFICATION_KEY_ID", "invalid webhook verification key_id provided")
	}
	key, err := parseKey(found.Key)
	if err != nil {
		return nil, errInternal()
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, errInternal()
	}
	var expired any
	if !found.Expired.IsZero() {
		expired = found.Expired.Unix()
	}
	return obj{"key": obj{"alg": "ES256", "crv": "P-256", "kid": found.ID, "kty": "EC", "use": "sig",
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
		"created_at": found.Made.Unix(), "expired_at": expired}}, nil
}

// SignWebhook returns the Plaid-Verification header of a body, so that tests can send webhooks of their own making.
func (s *Server) SignWebhook(body []byte) (string, error) {
	s.mu.Lock()
	raw, kid := s.st.Key, s.st.KeyID
	s.mu.Unlock()
	key, err := parseKey(raw)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iat": s.now().Unix(), "request_body_sha256": hex.EncodeToString(sum[:])})
	token.Header["kid"] = kid
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign webhook: %w", err)
	}
	return signed, nil
}
