package plaid

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	sdk "github.com/plaid/plaid-go/v29/plaid"
	"golang.org/x/time/rate"

	"github.com/bankctl/bankctl/internal/fault"
)

// Webhook is a message from Plaid. It is a hint only: bankd asks Plaid again before it acts.
type Webhook struct {
	Type         string    `json:"webhook_type"`
	Code         string    `json:"webhook_code"`
	ItemID       string    `json:"item_id"`
	Environment  string    `json:"environment"`
	LinkToken    string    `json:"link_token"`
	Disconnect   time.Time `json:"disconnect_time"`
	ConsentEnds  time.Time `json:"consent_expiration_time"`
	AccountID    string    `json:"account_id"`
	SignedAt     time.Time `json:"-"`
	Verification string    `json:"-"` // hex SHA-256 of the signed token, to recognise a repeated delivery
}

// Limits for the age of a signature: Plaid recommends five minutes; clocks may differ by one.
const (
	oldestWebhook = 5 * time.Minute
	clockSkew     = time.Minute
	keysKept      = 24 * time.Hour
	mostKeys      = 64
)

// ReadWebhook checks a webhook's signature (header Plaid-Verification) over its exact body, and reads it. Our log
// gets the reason for a refusal; the sender does not. subject names what of ours an unchecked webhook is about, or "": it
// decides whose share of calls for unknown keys is spent.
func (c *Client) ReadWebhook(ctx context.Context, signed string, body []byte, now time.Time, subject func(Webhook) string) (Webhook, error) {
	refuse := func(why string) (Webhook, error) {
		return Webhook{}, fault.New(fault.Unauthenticated, "the webhook is not Plaid's: %s", why)
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding())
	var claims struct {
		jwt.RegisteredClaims
		BodyHash string `json:"request_body_sha256"`
	}
	var asked error // the key could not be fetched, which is no verdict on the webhook: Plaid shall send it again
	_, err := parser.ParseWithClaims(signed, &claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, err := c.webhookKey(ctx, kid, now, func() string {
			var w Webhook
			if json.Unmarshal(body, &w) != nil {
				return ""
			}
			return subject(w)
		})
		asked = err
		return key, err
	})
	switch {
	case asked != nil && !fault.Is(asked, fault.Unauthenticated):
		return Webhook{}, asked
	case err != nil:
		return refuse("its signature does not hold")
	case claims.IssuedAt == nil:
		return refuse("it does not say when it was signed")
	}
	at := claims.IssuedAt.Time
	if age := now.Sub(at); age > oldestWebhook || age < -clockSkew {
		return refuse("it was not signed just now")
	}
	sum := sha256.Sum256(body)
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(claims.BodyHash)) != 1 {
		return refuse("its body is not what was signed")
	}
	var w Webhook
	if json.Unmarshal(body, &w) != nil || w.Type == "" || w.Code == "" {
		return refuse("its body is no webhook")
	}
	if want := c.webhookEnvironment(); w.Environment != "" && w.Environment != want {
		return refuse("it is of another environment")
	}
	token := sha256.Sum256([]byte(signed))
	w.SignedAt, w.Verification = at.UTC(), hex.EncodeToString(token[:])
	return w, nil
}

// webhookEnvironment is Plaid's name of our environment; the simulator counts as the sandbox.
func (c *Client) webhookEnvironment() string {
	if c.config.Environment == Production {
		return Production
	}
	return Sandbox
}

// keyCache keeps Plaid's verification keys by id.
type keyCache struct {
	mu      sync.Mutex
	keys    map[string]cachedKey
	unknown map[string]time.Time // ids that Plaid does not know, and since when
	asks    [2]*rate.Limiter     // of unknown keys: of webhooks about nothing here, and of those about an Item or session of ours
	about   map[string]*rate.Limiter
}

type cachedKey struct {
	key     *ecdsa.PublicKey // nil: no such key
	expired time.Time        // zero: in use
	read    time.Time
}

// Unknown ids are remembered for a short while, so that repeated forgeries cause no calls to Plaid.
const unknownTTL = time.Minute

// get returns a cached key. fresh is false if Plaid should be asked again; real is true if the id was ever a key.
func (k *keyCache) get(kid string, now time.Time) (c cachedKey, real, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, real = k.keys[kid]; real {
		return c, true, now.Sub(c.read) < keysKept
	}
	at, unknown := k.unknown[kid]
	return cachedKey{}, false, unknown && now.Sub(at) < unknownTTL
}

// put caches Plaid's answer about an id. Unknown ids never displace a real key.
func (k *keyCache) put(kid string, c cachedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.key == nil {
		delete(k.keys, kid)
		if k.unknown == nil || len(k.unknown) >= mostKeys {
			k.unknown = map[string]time.Time{}
		}
		k.unknown[kid] = c.read
		return
	}
	if k.keys == nil {
		k.keys = map[string]cachedKey{}
	}
	k.keys[kid] = c
}

// mayAsk rations the calls for unknown keys: Plaid uses one or two at a time. Webhooks about an Item or session of ours
// have calls of their own, and each of those no more than a few: neither a forger who knows none nor one who has some can
// use up the calls that Plaid's webhooks need.
func (k *keyCache) mayAsk(subject string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := 0
	if subject != "" {
		i = 1
		if k.about == nil || len(k.about) >= mostSubjects {
			k.about = map[string]*rate.Limiter{}
		}
		if k.about[subject] == nil {
			k.about[subject] = rate.NewLimiter(rate.Every(subjectRest), 3)
		}
		if !k.about[subject].Allow() {
			return false
		}
	}
	if k.asks[i] == nil {
		k.asks[i] = rate.NewLimiter(rate.Every(time.Second), 10)
	}
	return k.asks[i].Allow()
}

const (
	subjectRest  = 30 * time.Second
	mostSubjects = 4096 // remembered: each is an Item or session that is here
)

// webhookKey gives the key of an id, from Plaid where it is not known yet. A key that has expired verifies nothing.
func (c *Client) webhookKey(ctx context.Context, kid string, now time.Time, subject func() string) (*ecdsa.PublicKey, error) {
	refused := fault.New(fault.Unauthenticated, "unknown webhook key")
	if len(kid) == 0 || len(kid) > 64 {
		return nil, refused
	}
	known, real, fresh := c.keys.get(kid, now)
	if !fresh {
		if !real && !c.keys.mayAsk(subject()) {
			return nil, fault.New(fault.Unavailable, "too many unknown webhook keys")
		}
		var err error
		if known, err = c.readWebhookKey(ctx, kid, now); err != nil {
			return nil, err
		}
		c.keys.put(kid, known)
	}
	if known.key == nil || !known.expired.IsZero() && now.After(known.expired) {
		return nil, refused
	}
	return known.key, nil
}

func (c *Client) readWebhookKey(ctx context.Context, kid string, now time.Time) (cachedKey, error) {
	req := sdk.WebhookVerificationKeyGetRequest{KeyId: kid}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.WebhookVerificationKeyGetResponse, *http.Response, error) {
		return c.api.PlaidApi.WebhookVerificationKeyGet(ctx).WebhookVerificationKeyGetRequest(req).Execute()
	})
	if slices.Contains([]string{"INVALID_WEBHOOK_VERIFICATION_KEY_ID", "INVALID_FIELD"}, Code(err)) {
		return cachedKey{read: now}, nil
	}
	if err != nil {
		return cachedKey{}, err
	}
	k := cachedKey{read: now, key: publicKey(resp.Key)}
	if at := resp.Key.ExpiredAt.Get(); at != nil {
		k.expired = time.Unix(int64(*at), 0)
	}
	return k, nil
}

// publicKey reads a P-256 key; nil if it is none.
func publicKey(k sdk.JWKPublicKey) *ecdsa.PublicKey {
	x, errX := base64.RawURLEncoding.DecodeString(k.X)
	y, errY := base64.RawURLEncoding.DecodeString(k.Y)
	if k.Alg != "ES256" || k.Kty != "EC" || k.Crv != "P-256" || errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil
	}
	return key
}
