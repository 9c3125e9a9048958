// Package plaid is the only code that speaks to Plaid: it handles the pitfalls of plaid-go v29 and returns our own
// types. Package bank decides what to store of an answer, and when.
package plaid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/secret"
)

// The environments.
const (
	Simulated  = "simulated"
	Sandbox    = "sandbox"
	Production = "production"
)

// AccessToken gives lasting access to one Item. It never leaves the daemon.
type AccessToken struct {
	secret.Text
	label string // id of the connection to which calls are counted
}

// PublicToken can be exchanged for an access token once, within 30 minutes.
type PublicToken struct{ secret.Text }

// LinkToken opens Plaid Link.
type LinkToken struct{ secret.Text }

// NewAccessToken wraps a stored access token.
func NewAccessToken(s string) AccessToken { return AccessToken{Text: secret.New(s)} }

// Of sets the connection for which calls with the token are counted and limited.
func (t AccessToken) Of(connectionID string) AccessToken {
	t.label = connectionID
	return t
}

// NewPublicToken wraps a public token.
func NewPublicToken(s string) PublicToken { return PublicToken{secret.New(s)} }

// NewLinkToken wraps a link token.
func NewLinkToken(s string) LinkToken { return LinkToken{secret.New(s)} }

// Config selects the Plaid to speak to, and the keys.
type Config struct {
	Environment string
	BaseURL     string // without a trailing slash; empty: by Environment
	ClientID    string
	Secret      secret.Text
	ClientName  string // shown in Link, at most 30 characters
	Days        int    // days of past transactions to ask for with a new Item, 1 to 730; 0: Plaid's 90
	Transport   http.RoundTripper
	Timeout     time.Duration // of a normal call; 0: 30 s. Slow calls get at least 60 s more
}

// Client speaks to Plaid. It is safe for concurrent use.
type Client struct {
	api     *sdk.APIClient
	config  Config
	live    *atomic.Pointer[live]
	http    *http.Client
	budgets *budgets
	calls   *calls
	keys    keyCache
}

var baseURLs = map[string]string{
	Sandbox:    "https://sandbox.plaid.com",
	Production: "https://production.plaid.com",
}

// New makes a client; it does not call Plaid.
func New(c Config) (*Client, error) {
	if c.BaseURL == "" {
		c.BaseURL = baseURLs[c.Environment]
	}
	if c.BaseURL == "" {
		return nil, fmt.Errorf("no address for Plaid environment %q", c.Environment)
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		c.Transport = t
	}
	now := new(atomic.Pointer[live])
	now.Store(&live{clientID: c.ClientID, secret: c.Secret, timeout: c.Timeout, days: c.Days})
	hc := &http.Client{
		Transport: rowStripper{limitBody{keyed{c.Transport, now}}},
		// A redirect would carry the secret to wherever Plaid's answer points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	cfg := sdk.NewConfiguration()
	cfg.UseEnvironment(sdk.Environment(strings.TrimRight(c.BaseURL, "/")))
	cfg.HTTPClient = hc
	return &Client{api: sdk.NewAPIClient(cfg), config: c, live: now, http: hc, budgets: newBudgets(c.Environment), calls: newCalls()}, nil
}

// live are the settings that can change while the client is used.
type live struct {
	clientID string
	secret   secret.Text
	timeout  time.Duration
	days     int
	ahead    atomic.Int64 // of our clock; 0: unknown
}

// Change replaces the keys, the timeout of a normal call, and the days of past transactions that a new Item asks for.
func (c *Client) Change(clientID string, key secret.Text, timeout time.Duration, days int) {
	c.live.Store(&live{clientID: clientID, secret: key, timeout: timeout, days: days})
}

// keyed adds the keys to each request.
type keyed struct {
	next http.RoundTripper
	live *atomic.Pointer[live]
}

func (t keyed) RoundTrip(req *http.Request) (*http.Response, error) {
	now := t.live.Load()
	req = req.Clone(req.Context())
	req.Header.Set("PLAID-CLIENT-ID", now.clientID)
	req.Header.Set("PLAID-SECRET", now.secret.Reveal())
	resp, err := t.next.RoundTrip(req)
	if err == nil {
		now.noteClock(resp, time.Now())
	}
	return resp, err
}

// Environment returns the environment of this client.
func (c *Client) Environment() string { return c.config.Environment }

// maxBody bounds one reply of Plaid's: 500 transactions are under 1 MiB.
const maxBody = 8 << 20

var errTooLarge = errors.New("answer is larger than 8 MiB")

// limitBody refuses replies larger than any real one. The SDK would read them whole.
type limitBody struct{ next http.RoundTripper }

func (t limitBody) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

type cappedBody struct {
	io.ReadCloser
	left int
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// timeout bounds one call. Slow ones wait for the bank: a balance may take 30 s and more.
func (c *Client) timeout(ctx context.Context, slow bool) (context.Context, context.CancelFunc) {
	d := c.live.Load().timeout
	if slow {
		d += time.Minute
	}
	return context.WithTimeout(ctx, d)
}
