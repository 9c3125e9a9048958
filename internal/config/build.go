package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/socket"
)

// build checks the settings and computes the defaults that depend on other settings.
func (l *loader) build() (Config, error) {
	c := Config{File: l.file, Plaid: l.v.GetString("plaid")}
	for _, step := range []func(*Config) error{l.environment, l.paths, l.kek, l.plaid, l.timeout, l.name, l.days, l.simulator, l.webhooks, l.logging, l.products, l.backups} {
		if err := step(&c); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// bad is the error for a bad value: it names the key, the source of the value
// and the form that is needed. It never quotes the value.
func (l *loader) bad(name, want string) error {
	if from := l.from[name]; from != "" {
		return fmt.Errorf("%s (%s): %s", name, from, want)
	}
	return fmt.Errorf("%s: %s", name, want)
}

func (l *loader) environment(c *Config) error {
	if !slices.Contains([]string{Simulated, Sandbox, Production}, c.Plaid) {
		return l.bad("plaid", "want simulated, sandbox or production")
	}
	return nil
}

func (l *loader) paths(c *Config) (err error) {
	if c.DataDir, err = l.path("data_dir", socket.DefaultDataDir(l.getenv, c.Plaid)); err != nil {
		return err
	}
	if c.Socket, err = l.path("socket", socket.DefaultPath(l.getenv, c.DataDir)); err != nil {
		return err
	}
	byDefault, fromSystemd := l.defaultKeyFile()
	if c.KeyFile, err = l.path("key_file", byDefault); err != nil {
		return err
	}
	c.MayCreateKey = !fromSystemd || c.KeyFile != byDefault
	if below(c.KeyFile, c.DataDir) {
		return l.bad("key_file", "it lies in the data directory: keep it elsewhere, so that a copy of the data is no use without it")
	}
	return l.anchor(c, fromSystemd && c.KeyFile == byDefault)
}

// path returns a path setting made absolute.
func (l *loader) path(name, byDefault string) (string, error) {
	path := l.v.GetString(name)
	if path == "" {
		path = byDefault
	}
	if path == "" {
		return "", l.bad(name, "there is no home directory to derive it from: set it, or set HOME")
	}
	if home := l.getenv("HOME"); strings.HasPrefix(path, "~/") && home != "" {
		path = filepath.Join(home, path[2:])
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", l.bad(name, "the path cannot be made absolute")
	}
	return absolute, nil
}

// anchor is kept beside the key, or, where systemd hands out the key read-only, in bankd's own configuration directory.
func (l *loader) anchor(c *Config, keyIsCredential bool) (err error) {
	where := l.v.GetString("anchor")
	program, isProgram := strings.CutPrefix(where, "exec:")
	switch {
	case where == "off":
		c.Anchor = where
		return nil
	case isProgram:
		if !filepath.IsAbs(program) {
			return l.bad("anchor", "want the absolute path of a program after exec:")
		}
		c.Anchor = where
		return nil
	}
	beside := filepath.Dir(c.KeyFile)
	if dir := l.configDir(); keyIsCredential && dir != "" {
		beside = dir
	}
	if c.Anchor, err = l.path("anchor", filepath.Join(beside, "anchors")); err != nil {
		return err
	}
	if below(c.Anchor, c.DataDir) {
		return l.bad("anchor", "it lies in the data directory: keep it elsewhere, so that it is not put back with an old copy of the data")
	}
	return nil
}

// defaultKeyFile prefers the key file that systemd provides.
func (l *loader) defaultKeyFile() (path string, fromSystemd bool) {
	if dir := l.getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, "bankd-kek")
		if _, err := os.Lstat(path); err == nil {
			return path, true
		}
	}
	if dir := l.configDir(); dir != "" {
		return filepath.Join(dir, "kek"), false
	}
	return "", false
}

func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (l *loader) backups(c *Config) (err error) {
	b := &c.Backups
	if b.Every, err = query.ParseDuration(l.v.GetString("backup_every")); err != nil || b.Every < time.Hour {
		return l.bad("backup_every", "want a duration of 1h or more, like 12h, 1d or 1w")
	}
	if b.Keep, err = strconv.Atoi(l.v.GetString("backup_keep")); err != nil || b.Keep < 1 {
		return l.bad("backup_keep", "want a number of 1 or more")
	}
	for key := range strings.SplitSeq(l.v.GetString("backup_to"), ",") {
		if key = strings.TrimSpace(key); key != "" {
			b.To = append(b.To, key)
		}
	}
	if _, err := backup.Recipients(b.To); err != nil {
		return l.bad("backup_to", "want public keys of age, age1…, with commas between")
	}
	if l.v.GetString("backup_dir") == "" {
		return nil
	}
	b.Dir, err = l.path("backup_dir", "")
	return err
}

func (l *loader) timeout(c *Config) (err error) {
	c.PlaidTimeout, err = query.ParseDuration(l.v.GetString("plaid_timeout"))
	if err != nil || c.PlaidTimeout < time.Second || c.PlaidTimeout > 5*time.Minute {
		return l.bad("plaid_timeout", "want a duration from 1s to 5m, like 30s")
	}
	return nil
}

// maxClientName is Plaid's: a longer name is replaced by one that says nothing.
const maxClientName = 30

func (l *loader) name(c *Config) error {
	c.ClientName = strings.TrimSpace(l.v.GetString("client_name"))
	if n := utf8.RuneCountInString(c.ClientName); n == 0 || n > maxClientName || strings.ContainsFunc(c.ClientName, unicode.IsControl) {
		return l.bad("client_name", "want a name of 1 to 30 characters, as users know your company")
	}
	return nil
}

func (l *loader) days(c *Config) (err error) {
	c.TransactionsDays, err = strconv.Atoi(l.v.GetString("transactions_days"))
	if err != nil || c.TransactionsDays < 1 || c.TransactionsDays > 730 {
		return l.bad("transactions_days", "want a number of days from 1 to 730")
	}
	return nil
}

func (l *loader) simulator(c *Config) error {
	c.SimulatorListen = l.v.GetString("simulator_listen")
	_, port, err := net.SplitHostPort(c.SimulatorListen)
	if err != nil {
		return l.bad("simulator_listen", "want HOST:PORT, like 127.0.0.1:0")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return l.bad("simulator_listen", "want a port from 0 to 65535")
	}
	return nil
}

// webhooks needs both keys or none: the address to listen on, and its URL for Plaid. Plain http is for a local simulator alone.
func (l *loader) webhooks(c *Config) error {
	c.WebhookListen, c.WebhookURL = l.v.GetString("webhook_listen"), l.v.GetString("webhook_url")
	if c.WebhookListen == "" && c.WebhookURL == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(c.WebhookListen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		return l.bad("webhook_listen", "want HOST:PORT, like 127.0.0.1:8480")
	}
	if c.WebhookURL == "" && c.Plaid == Simulated && loopback(host) {
		return nil // the daemon tells the simulator where it listens
	}
	u, err := url.Parse(c.WebhookURL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return l.bad("webhook_url", "want the URL that Plaid reaches webhook_listen by, like https://hooks.example.com/plaid")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return l.bad("webhook_url", "want https")
	}
	return nil
}

func (l *loader) logging(c *Config) error {
	c.LogFormat = l.v.GetString("log_format")
	if !slices.Contains([]string{LogAuto, LogText, LogJSON}, c.LogFormat) {
		return l.bad("log_format", "want text, json or auto")
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[l.v.GetString("log_level")]
	if !ok {
		return l.bad("log_level", "want debug, info, warn or error")
	}
	c.LogLevel = level
	return nil
}

func (l *loader) products(c *Config) error {
	c.LinkProducts = LinkProducts{
		Products:            l.v.GetStringSlice(keyProducts),
		RequiredIfSupported: l.v.GetStringSlice(keyRequired),
		Optional:            l.v.GetStringSlice(keyOptional),
	}
	if len(c.LinkProducts.Products) == 0 {
		return l.bad(keyProducts, "want at least one product")
	}
	seen := map[string]bool{}
	for _, name := range []string{keyProducts, keyRequired, keyOptional} {
		for _, product := range l.v.GetStringSlice(name) {
			switch {
			case product == "balance":
				return l.bad(name, "balance is not asked for by name: it comes with every account")
			case product == "" || strings.Trim(product, "abcdefghijklmnopqrstuvwxyz_") != "":
				return l.bad(name, "want names of Plaid products, like auth")
			case seen[product]:
				return l.bad(name, "a product stands twice, in one list or two")
			}
			seen[product] = true
		}
	}
	return nil
}

var errNoCredentials = errors.New("want credentials of this environment: set PLAID_CLIENT_ID and PLAID_SECRET, or PLAID_CLIENT_ID_FILE and PLAID_SECRET_FILE (from the keys page of Plaid's dashboard)")
