package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/viper"

	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/secret"
)

// kek reads the provider of the key to the data, and the older one that kek_from names.
func (l *loader) kek(c *Config) (err error) {
	if c.KEK, err = l.provider(c.KeyFile, !c.MayCreateKey); err != nil {
		return err
	}
	if l.v.GetString("kek_from") == "" {
		return nil
	}
	path, err := l.path("kek_from", "")
	if err != nil {
		return err
	}
	if c.KEK.From, err = l.older(path); err != nil {
		return fmt.Errorf("kek_from: %w", err)
	}
	return nil
}

// older reads the provider of another configuration file. Flags and BANKD_ variables are of the newer one.
func (l *loader) older(path string) (*KEK, error) {
	getenv := func(name string) string {
		if strings.HasPrefix(name, "BANKD_") {
			return ""
		}
		return l.getenv(name)
	}
	old := loader{v: viper.New(), from: map[string]string{}, getenv: func(name string) string {
		if name == "BANKD_CONFIG" {
			return path
		}
		return getenv(name)
	}}
	if err := old.read(); err != nil {
		return nil, err
	}
	var c Config
	c.Plaid = old.v.GetString("plaid")
	if err := old.paths(&c); err != nil {
		return nil, err
	}
	kek, err := old.provider(c.KeyFile, !c.MayCreateKey)
	if err == nil && old.v.GetString("kek_from") != "" {
		err = errors.New("the older configuration has a kek_from of its own: run `bankctl keys rewrap` with that one first")
	}
	return &kek, err
}

func (l *loader) provider(keyFile string, fromSystemd bool) (KEK, error) {
	k := KEK{Provider: l.v.GetString("kek_provider"), File: keyFile, Credentials: l.getenv("CREDENTIALS_DIRECTORY")}
	if k.Provider == "" {
		k.Provider = FileKEK
		if fromSystemd {
			k.Provider = CredentialKEK
		}
	}
	switch k.Provider {
	case FileKEK, CredentialKEK:
		return k, nil
	case ExecKEK:
		k.Command = l.v.GetString("kek_command")
		if !filepath.IsAbs(k.Command) {
			return KEK{}, l.bad("kek_command", "want the absolute path of the helper program")
		}
		return k, nil
	case TransitKEK:
		return k, l.transit(&k)
	}
	return KEK{}, l.bad("kek_provider", "want file, credential, vault-transit or exec")
}

func (l *loader) transit(k *KEK) (err error) {
	k.VaultAddress, k.VaultKey, k.VaultNamespace = l.v.GetString("vault_address"), l.v.GetString("vault_key"), l.v.GetString("vault_namespace")
	u, err := url.Parse(k.VaultAddress)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "https" || u.Host == "") && (u.Scheme != "unix" || u.Host != "" || u.Path == "") && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return l.bad("vault_address", "want https://HOST:PORT, unix:///PATH, or http on loopback")
	}
	if mount, name, ok := strings.Cut(strings.Trim(k.VaultKey, "/"), "/"); !ok || mount == "" || name == "" {
		return l.bad("vault_key", "want MOUNT/NAME, like transit/bankd")
	}
	for name, into := range map[string]*string{"vault_token_file": &k.VaultTokenFile, "vault_ca_file": &k.VaultCAFile} {
		if l.v.GetString(name) == "" {
			continue
		}
		if *into, err = l.path(name, ""); err != nil {
			return err
		}
	}
	if problem, ok := errors.AsType[*private.Problem](onlyOurs(k.VaultTokenFile)); ok {
		return problem
	}
	k.VaultToken = secret.New(strings.TrimSpace(l.getenv("VAULT_TOKEN")))
	if k.VaultTokenFile == "" && k.VaultToken.Empty() {
		return l.bad("vault_token_file", "want a file with Vault's token, or the variable VAULT_TOKEN")
	}
	return nil
}

// onlyOurs tells whether others can read or replace a file with a secret; one that is not there yet is fine.
func onlyOurs(path string) error {
	if path == "" {
		return nil
	}
	_, err := readSecret(path)
	return err
}
