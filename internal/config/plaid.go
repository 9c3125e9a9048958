package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/secret"
)

// The simulator takes these; they are no secret.
const simulatorCredential = "simulated"

const (
	sandboxURL    = "https://sandbox.plaid.com"
	productionURL = "https://production.plaid.com"
)

func (l *loader) plaid(c *Config) error {
	c.PlaidURL = l.v.GetString("plaid_url")
	if err := l.plaidURL(c); err != nil {
		return err
	}
	if c.Plaid == Simulated {
		c.PlaidClientID, c.PlaidSecret = simulatorCredential, secret.New(simulatorCredential)
		return nil
	}
	id, err := l.credential("PLAID_CLIENT_ID")
	if err != nil {
		return err
	}
	key, err := l.credential("PLAID_SECRET")
	if err != nil {
		return err
	}
	if id.Empty() || key.Empty() {
		return fmt.Errorf("plaid: %w", errNoCredentials)
	}
	c.PlaidClientID, c.PlaidSecret = id.Reveal(), key
	for _, name := range []string{"PLAID_CLIENT_ID_FILE", "PLAID_SECRET_FILE"} {
		if path := l.getenv(name); path != "" {
			c.SecretFiles = append(c.SecretFiles, path)
		}
	}
	return nil
}

// plaidURL returns the default, or checks the given URL: no plain http over a network, and no host of another
// environment.
func (l *loader) plaidURL(c *Config) error {
	if c.PlaidURL == "" {
		c.PlaidURL = map[string]string{Sandbox: sandboxURL, Production: productionURL}[c.Plaid]
		return nil
	}
	u, err := url.Parse(c.PlaidURL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return l.bad("plaid_url", "want a URL like "+sandboxURL)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return l.bad("plaid_url", "plain http goes to loopback only: use https")
	case u.Scheme != "http" && u.Scheme != "https":
		return l.bad("plaid_url", "want a URL like "+sandboxURL)
	case plaidHost(u.Hostname()) && u.Hostname() != c.Plaid+".plaid.com":
		return l.bad("plaid_url", "this host is not of the environment "+c.Plaid+": set plaid to match")
	}
	c.PlaidURL = strings.TrimSuffix(c.PlaidURL, "/")
	return nil
}

func plaidHost(host string) bool {
	host = strings.ToLower(host)
	return host == "plaid.com" || strings.HasSuffix(host, ".plaid.com")
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// maxCredential bounds the size of a credential's file.
const maxCredential = 4 << 10

var errNotSmall = errors.New("not a small regular file")

func readSecret(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer must not hold the start up
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxCredential:
		return nil, errNotSmall
	}
	if err := private.Secret(f, path); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxCredential))
}

// credential reads a variable, or the file that the variable with the suffix _FILE names.
func (l *loader) credential(name string) (secret.Text, error) {
	value, path := l.getenv(name), l.getenv(name+"_FILE")
	switch {
	case value != "" && path != "":
		return secret.Text{}, fmt.Errorf("%s and %s_FILE are both set: unset one", name, name)
	case path == "":
		return secret.New(value), nil
	}
	text, err := readSecret(path)
	if err != nil {
		return secret.Text{}, fmt.Errorf("%s_FILE: %w", name, err)
	}
	trimmed := strings.TrimSpace(string(text))
	if trimmed == "" {
		return secret.Text{}, fmt.Errorf("%s_FILE: %w", name, errors.New("the file is empty"))
	}
	return secret.New(trimmed), nil
}
