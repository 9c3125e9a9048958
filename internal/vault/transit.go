package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/secret"
)

// callTime bounds one call to a KEK outside the process, so that an outage is told within two seconds.
const callTime = 1800 * time.Millisecond

const (
	maxTransitReply = 256 << 10
	maxToken        = 4 << 10
)

// Transit says where a key of Vault's or OpenBao's Transit engine is.
type Transit struct {
	Address   string      // https://HOST, http://LOOPBACK or unix:///PATH
	Key       string      // MOUNT/NAME, such as transit/bankd
	Namespace string      // of Vault Enterprise or OpenBao; may be empty
	Token     secret.Text // used unless TokenFile is set
	TokenFile string      // read at each call, since an agent renews it
	CAFile    string      // of the server's certificate; empty = the system's
}

// transitKEK is one version of a key that never leaves its server.
type transitKEK struct {
	t       Transit
	base    string // of the URL
	http    *http.Client
	version int
}

// OpenTransit looks the key up and takes its newest version.
func OpenTransit(ctx context.Context, t Transit) (KEK, error) {
	k, err := newTransit(t)
	if err != nil {
		return nil, fmt.Errorf("open transit key: %w", err)
	}
	if err := k.look(ctx); err != nil {
		return nil, fmt.Errorf("open transit key %s: %w", t.Key, err)
	}
	return k, nil
}

func newTransit(t Transit) (*transitKEK, error) {
	mount, name, ok := cutLast(t.Key)
	if !ok {
		return nil, errors.New("its name is not of the form MOUNT/NAME, such as transit/bankd")
	}
	u, err := url.Parse(t.Address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("its address is not a URL such as https://vault.example:8200")
	}
	tr := &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: callTime}
	base := strings.TrimSuffix(t.Address, "/")
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		base = "http://vault"
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", u.Path)
		}
	case u.Scheme == "https" && u.Host != "":
		if tr.TLSClientConfig, err = transitTLS(t.CAFile); err != nil {
			return nil, err
		}
	case u.Scheme == "http" && loopback(u.Hostname()):
	default:
		return nil, errors.New("its address must be https, a unix socket, or http on loopback")
	}
	t.Key = mount + "/" + name
	return &transitKEK{t: t, base: base + "/v1/" + escapePath(mount), http: &http.Client{
		Transport: tr,
		// A redirect would carry the token and the data key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func cutLast(key string) (mount, name string, ok bool) {
	key = strings.Trim(key, "/")
	i := strings.LastIndexByte(key, '/')
	if i <= 0 || i == len(key)-1 {
		return "", "", false
	}
	for _, part := range strings.Split(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "#?%\\") {
			return "", "", false
		}
	}
	return key[:i], key[i+1:], true
}

func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func transitTLS(caFile string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read CA file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no certificate", caFile)
	}
	return c, nil
}

func (k *transitKEK) name() string { return k.t.Key[strings.LastIndexByte(k.t.Key, '/')+1:] }

// ID names mount, key and version, not the server: the same key may be reached by another address.
func (k *transitKEK) ID() string { return k.prefix() + strconv.Itoa(k.version) }

func (k *transitKEK) prefix() string { return "vault-transit:" + k.t.Key + "#v" }

func (k *transitKEK) keep(id string) (KEK, bool) {
	digits, ours := strings.CutPrefix(id, k.prefix())
	version, err := strconv.Atoi(digits)
	if !ours || err != nil || version < 1 {
		return nil, false
	}
	older := *k
	older.version = version
	return &older, true
}

// look reads the key's newest version. It writes nothing: a request to encrypt could make a missing key.
func (k *transitKEK) look(ctx context.Context) error {
	var key struct {
		Latest  int    `json:"latest_version"`
		Type    string `json:"type"`
		Derived bool   `json:"derived"`
	}
	if err := k.call(ctx, "GET", "keys/"+url.PathEscape(k.name()), nil, &key); err != nil {
		return err
	}
	if key.Latest < 1 || key.Derived || key.Type != "aes256-gcm96" && key.Type != "aes128-gcm96" && key.Type != "chacha20-poly1305" {
		return errors.New("it is no key that binds associated data: make one of type aes256-gcm96, not derived")
	}
	k.version = key.Latest
	return nil
}

// Wrap returns the key's version in 4 bytes and the ciphertext. Vault's own text is not kept, because base64 has several
// spellings of the same bytes and version 0 is read as 1: a changed blob could open.
func (k *transitKEK) Wrap(ctx context.Context, dek, aad []byte) ([]byte, error) {
	var reply struct {
		Ciphertext string `json:"ciphertext"`
	}
	err := k.call(ctx, "POST", "encrypt/"+url.PathEscape(k.name()), map[string]any{
		"plaintext": base64.StdEncoding.EncodeToString(dek), "associated_data": base64.StdEncoding.EncodeToString(aad),
		"key_version": k.version,
	}, &reply)
	if err != nil {
		return nil, err
	}
	want := "vault:v" + strconv.Itoa(k.version) + ":"
	encoded, ok := strings.CutPrefix(reply.Ciphertext, want)
	sealed, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(sealed) == 0 {
		return nil, errors.New("the key's server sealed with another version of the key, or in another form")
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(k.version)), sealed...), nil
}

func (k *transitKEK) Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(blob) < 5 || binary.BigEndian.Uint32(blob) != uint32(k.version) {
		return nil, ErrWrongKey
	}
	var reply struct {
		Plaintext string `json:"plaintext"`
	}
	err := k.call(ctx, "POST", "decrypt/"+url.PathEscape(k.name()), map[string]any{
		"ciphertext":      "vault:v" + strconv.Itoa(k.version) + ":" + base64.StdEncoding.EncodeToString(blob[4:]),
		"associated_data": base64.StdEncoding.EncodeToString(aad),
	}, &reply)
	if err != nil {
		return nil, err
	}
	dek, err := base64.StdEncoding.DecodeString(reply.Plaintext)
	if err != nil {
		return nil, errors.New("the key's server answered in another form")
	}
	return dek, nil
}

// Rotate makes a new version of the key on its server and returns it.
func (k *transitKEK) Rotate(ctx context.Context) (KEK, error) {
	if err := k.call(ctx, "POST", "keys/"+url.PathEscape(k.name())+"/rotate", struct{}{}, nil); err != nil {
		return nil, fmt.Errorf("rotate transit key: %w", err)
	}
	return k.Renew(ctx)
}

// Renew returns the key's newest version, which may have been made elsewhere.
func (k *transitKEK) Renew(ctx context.Context) (KEK, error) {
	newest := *k
	if err := newest.look(ctx); err != nil {
		return nil, fmt.Errorf("open transit key %s: %w", k.t.Key, err)
	}
	return &newest, nil
}

func (k *transitKEK) token() (string, error) {
	if k.t.TokenFile == "" {
		return k.t.Token.Reveal(), nil
	}
	f, err := os.Open(k.t.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read Vault's token: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("read Vault's token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// call sends one request and reads the "data" of its reply into out, which may be nil.
func (k *transitKEK) call(ctx context.Context, method, path string, body, out any) error {
	limited, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	status, reply, err := k.send(limited, method, path, body)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return fmt.Errorf("%w within %s at %s: check that Vault is up and reached", ErrKEKUnavailable, callTime, k.t.Address)
	case err != nil:
		return err
	case status == http.StatusNoContent && out == nil:
		return nil
	case status != http.StatusOK:
		return k.refusal(status, path, reply)
	}
	envelope := struct {
		Data any `json:"data"`
	}{out}
	if out != nil && json.Unmarshal(reply, &envelope) != nil {
		return fmt.Errorf("what answers at %s is no Vault", k.t.Address)
	}
	return nil
}

func (k *transitKEK) send(ctx context.Context, method, path string, body any) (int, []byte, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, k.base+"/"+path, payload)
	if err != nil {
		return 0, nil, errors.New("its address is not a URL such as https://vault.example:8200")
	}
	token, err := k.token()
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true")
	if k.t.Namespace != "" {
		req.Header.Set("X-Vault-Namespace", k.t.Namespace)
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%w at %s (%w): check that Vault is up and reached", ErrKEKUnavailable, k.t.Address, rootCause(err))
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxTransitReply+1))
	if err != nil || len(reply) > maxTransitReply {
		return 0, nil, fmt.Errorf("%w: its reply at %s was cut or too long", ErrKEKUnavailable, k.t.Address)
	}
	return resp.StatusCode, reply, nil
}

func rootCause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// refusal explains an answer other than 200. Vault's own words are searched, never quoted: they may hold what was sent.
func (k *transitKEK) refusal(status int, path string, reply []byte) error {
	var e struct {
		Errors []string `json:"errors"`
	}
	_ = json.Unmarshal(reply, &e)
	said := strings.Join(e.Errors, " ")
	op, _, _ := strings.Cut(path, "/")
	switch {
	case status == http.StatusBadRequest && strings.Contains(said, "too old"):
		return fmt.Errorf("version %d is below the key's min_decryption_version, lower that first: %w", k.version, ErrWrongKey)
	case strings.Contains(said, "not found") || status == http.StatusNotFound:
		return fmt.Errorf("there is no such key at %s: make it with `vault write -f %s`", k.t.Address, strings.Replace(k.t.Key, "/"+k.name(), "/keys/"+k.name(), 1))
	case status == http.StatusBadRequest && op == "decrypt":
		return ErrWrongKey
	case status == http.StatusForbidden:
		return fmt.Errorf("Vault at %s refuses the token for %s: renew it, or widen its policy", k.t.Address, op) //nolint:staticcheck // a name
	case status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: Vault at %s is sealed or on standby, unseal it", ErrKEKUnavailable, k.t.Address)
	case status >= 500 || status == http.StatusTooManyRequests:
		return fmt.Errorf("%w: Vault at %s answered %d to %s", ErrKEKUnavailable, k.t.Address, status, op)
	}
	return fmt.Errorf("Vault at %s answered %d to %s", k.t.Address, status, op) //nolint:staticcheck // a name
}
