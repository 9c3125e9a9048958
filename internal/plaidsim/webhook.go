package plaidsim

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// standingKeyID is a key id that the sandbox always answers for.
const standingKeyID = "6c5516e1-92dc-479e-a8ff-5a51992e0001"

// ensureKey makes the signing key at the first start.
func (s *Server) ensureKey() error {
	if s.st.Key != nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make webhook key: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode webhook key: %w", err)
	}
	s.st.Key, s.st.KeyID, s.st.KeyMade = raw, s.ids.uuid("key"), s.now()
	s.touch()
	return nil
}

func (s *Server) signingKey() (*ecdsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(s.st.Key)
	if err != nil {
		return nil, fmt.Errorf("decode webhook key: %w", err)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("webhook key has the wrong type")
	}
	return ec, nil
}

func (s *Server) webhookKeyGet(c *call) (obj, *apiError) {
	id := c.str("key_id")
	if id != s.st.KeyID && id != standingKeyID {
		return nil, invalidInput("INVALID_WEBHOOK_VERIFICATION_KEY_ID", "invalid webhook verification key_id provided")
	}
	key, err := s.signingKey()
	if err != nil {
		return nil, errInternal()
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, errInternal()
	}
	x, y := point[1:33], point[33:]
	return obj{"key": obj{"alg": "ES256", "crv": "P-256", "kid": id, "kty": "EC", "use": "sig",
		"x": base64.RawURLEncoding.EncodeToString(x), "y": base64.RawURLEncoding.EncodeToString(y),
		"created_at": s.st.KeyMade.Unix(), "expired_at": nil}}, nil
}

// hook is one webhook on its way.
type hook struct {
	url  string
	body []byte
}

// sendItem queues a webhook about an Item, with the fields that all of them
// have. Callers hold s.mu.
func (s *Server) sendItem(it *item, typ, code string, fields obj) {
	if it.Webhook == "" {
		return
	}
	body := obj{"webhook_type": typ, "webhook_code": code, "item_id": it.ID, "environment": "sandbox", "error": nil}
	for k, v := range fields {
		body[k] = v
	}
	it.LastHook, it.LastHookAt = code, s.now()
	s.touch()
	s.queue(it.Webhook, body)
}

func (s *Server) queue(target string, body obj) {
	if target == "" || s.hooks == nil {
		return
	}
	if !s.opt.WebhookAny && !isLoopback(target) {
		s.log.Warn("webhook not sent: target is not loopback")
		return
	}
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		s.log.Error("encode webhook", "error", err)
		return
	}
	s.hooks.add(hook{target, raw})
}

func isLoopback(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// hookSender delivers webhooks in order, one at a time, with a few retries.
type hookSender struct {
	s      *Server
	client *http.Client
	mu     sync.Mutex
	wake   chan struct{}
	todo   []hook
	cancel context.CancelFunc
	ended  chan struct{}
}

const (
	hookTimeout  = 10 * time.Second
	hookAttempts = 4
	hookQueueMax = 10_000
)

var hookPause = 250 * time.Millisecond // before the second attempt; four times as long before each later one

func newHookSender(s *Server) *hookSender {
	ctx, cancel := context.WithCancel(context.Background())
	h := &hookSender{s: s, client: &http.Client{Timeout: hookTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}, wake: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	go h.run(ctx)
	return h
}

func (h *hookSender) add(k hook) {
	h.mu.Lock()
	if len(h.todo) < hookQueueMax {
		h.todo = append(h.todo, k)
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *hookSender) stop() {
	h.cancel()
	<-h.ended
	h.client.CloseIdleConnections()
}

func (h *hookSender) run(ctx context.Context) {
	defer close(h.ended)
	for {
		h.mu.Lock()
		var next *hook
		if len(h.todo) > 0 {
			next = &h.todo[0]
			h.todo = h.todo[1:]
		}
		h.mu.Unlock()
		if next != nil {
			h.deliver(ctx, *next)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
	}
}

func (h *hookSender) deliver(ctx context.Context, k hook) {
	pause := hookPause
	for attempt := range hookAttempts {
		if attempt > 0 && !h.s.wait(ctx, pause) {
			return
		}
		if attempt > 0 {
			pause *= 4
		}
		err := h.post(ctx, k)
		if err == nil || ctx.Err() != nil {
			return
		}
		h.s.log.Warn("webhook not accepted", "attempt", attempt+1)
	}
}

func (h *hookSender) post(ctx context.Context, k hook) error {
	token, err := h.s.signHook(k.body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(k.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Plaid-Verification", token)
	resp, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("webhook answered with status %d", resp.StatusCode)
	}
	return nil
}

func (s *Server) signHook(body []byte) (string, error) {
	s.mu.Lock()
	key, err := s.signingKey()
	kid := s.st.KeyID
	s.mu.Unlock()
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
