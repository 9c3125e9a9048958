package config_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/secret"
)

func load(t *testing.T, env map[string]string, args ...string) (config.Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("bankd", pflag.ContinueOnError)
	config.RegisterFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return config.Load(flags, func(k string) string { return env[k] })
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var ignoreSecret = cmpopts.IgnoreTypes(secret.Text{})

func TestDefaults(t *testing.T) {
	got, err := load(t, map[string]string{"HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/1"})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		DataDir: "/h/.local/state/bankd/simulated", KeyFile: "/h/.config/bankd/kek", MayCreateKey: true, Anchor: "/h/.config/bankd/anchors",
		KEK:    config.KEK{Provider: "file", File: "/h/.config/bankd/kek"},
		Socket: "/run/user/1/bankd/bankd.sock", Plaid: "simulated", PlaidClientID: "simulated",
		SimulatorListen: "127.0.0.1:0", PlaidTimeout: 30 * time.Second, ClientName: "bankctl", TransactionsDays: 730, LogFormat: "auto", LogLevel: slog.LevelInfo,
		Backups:      config.Backups{Every: 24 * time.Hour, Keep: 14},
		LinkProducts: config.LinkProducts{Products: []string{"auth"}, RequiredIfSupported: []string{"identity"}, Optional: []string{"transactions"}},
	}
	if diff := cmp.Diff(want, got, ignoreSecret); diff != "" {
		t.Error(diff)
	}
	if got.PlaidSecret.Reveal() != "simulated" {
		t.Error("the simulator's secret is not its known one")
	}
}

func TestSystemdDirectories(t *testing.T) {
	creds := t.TempDir()
	if err := os.WriteFile(filepath.Join(creds, "bankd-kek"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"STATE_DIRECTORY": "/var/lib/bankd", "CONFIGURATION_DIRECTORY": "/etc/none", "RUNTIME_DIRECTORY": "/run/bankd",
		"CREDENTIALS_DIRECTORY": creds, "PLAID_CLIENT_ID": "id", "PLAID_SECRET": "s",
	}
	got, err := load(t, env, "--plaid", "production")
	if err != nil {
		t.Fatal(err)
	}
	if got.DataDir != "/var/lib/bankd/production" || got.Socket != "/run/bankd/bankd.sock" || !got.Live() {
		t.Errorf("%+v", got)
	}
	if got.KeyFile != filepath.Join(creds, "bankd-kek") || got.MayCreateKey || got.KEK.Provider != config.CredentialKEK || got.KEK.Credentials != creds {
		t.Errorf("key file %s, may create %v", got.KeyFile, got.MayCreateKey)
	}
	env["CREDENTIALS_DIRECTORY"] = t.TempDir() // without a key in it
	got, err = load(t, env, "--plaid", "production")
	if err != nil || got.KeyFile != "/etc/none/kek" || !got.MayCreateKey {
		t.Errorf("without a credential: %s %v %v", got.KeyFile, got.MayCreateKey, err)
	}
}

// Every setting with a flag: flag before environment before file before default.
func TestPrecedence(t *testing.T) {
	tests := []struct {
		key, file, env, flag string
		get                  func(config.Config) string
	}{
		{"data_dir", "/file", "/env", "/flag", func(c config.Config) string { return c.DataDir }},
		{"key_file", "/file", "/env", "/flag", func(c config.Config) string { return c.KeyFile }},
		{"socket", "/file", "/env", "/flag", func(c config.Config) string { return c.Socket }},
		{"plaid_url", "https://file", "https://env", "https://flag", func(c config.Config) string { return c.PlaidURL }},
		{"plaid_timeout", "1s", "2s", "3s", func(c config.Config) string { return c.PlaidTimeout.String() }},
		{"simulator_listen", "h:1", "h:2", "h:3", func(c config.Config) string { return c.SimulatorListen }},
		{"log_format", "json", "text", "auto", func(c config.Config) string { return c.LogFormat }},
		{"log_level", "error", "warn", "debug", func(c config.Config) string { return strings.ToLower(c.LogLevel.String()) }},
		{"plaid", "sandbox", "production", "simulated", func(c config.Config) string { return c.Plaid }},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			file := writeFile(t, "c.yaml", fmt.Sprintf("%s: %q\n", tt.key, tt.file))
			env := map[string]string{"HOME": "/h", "BANKD_CONFIG": file, "PLAID_CLIENT_ID": "id", "PLAID_SECRET": "s"}
			var args []string
			for _, want := range []string{tt.file, tt.env, tt.flag} {
				got, err := load(t, env, args...)
				if err != nil {
					t.Fatal(err)
				}
				if tt.get(got) != want {
					t.Errorf("got %q, want %q", tt.get(got), want)
				}
				if want == tt.file {
					env["BANKD_"+strings.ToUpper(tt.key)] = tt.env
				} else {
					args = []string{"--" + strings.ReplaceAll(tt.key, "_", "-"), tt.flag}
				}
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown-key", "plaid: simulated\ndata_dri: /x\n", "line 2: unknown key data_dri, perhaps data_dir is meant"},
		{"unknown-key-without-value", "sockt:\n", "perhaps socket"},
		{"unknown-nested", "link_products:\n  product: [auth]\n", "perhaps link_products.products"},
		{"other-case", "Plaid: sandbox\n", "perhaps plaid"},
		{"config-in-file", "config: /x\n", "--config"},
		{"list-for-value", "plaid: [a]\n", "single value"},
		{"no-value", "plaid:\n", "single value"},
		{"value-for-list", "link_products: {products: auth}\n", "wants a list"},
		{"number-in-list", "link_products: {products: [1]}\n", "list of names"},
		{"twice", "plaid: sandbox\nplaid: simulated\n", "already"},
		{"not-yaml", "plaid: [\n", "yaml"},
		{"not-a-mapping", "- a\n", "keys and values"},
		{"no-product", "link_products: {products: []}\n", "at least one"},
		{"overlap", "link_products: {products: [auth, identity]}\n", "twice"},
		{"balance", "link_products: {products: [balance]}\n", "comes with every account"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "c.yaml", tt.text)
			_, err := load(t, map[string]string{"HOME": "/h"}, "--config", file)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("error does not name the file and %q: %v", tt.want, err)
			}
		})
	}
}

func TestValueErrors(t *testing.T) {
	tests := []struct {
		name, flag, value, want string
	}{
		{"environment", "plaid", "live", "want simulated"},
		{"plain-http", "plaid-url", "http://plaid.example", "loopback"},
		{"no-url", "plaid-url", "sandbox", "want a URL"},
		{"scheme", "plaid-url", "ftp://127.0.0.1", "want a URL"},
		{"userinfo", "plaid-url", "https://u:p@host", "want a URL"},
		{"foreign-environment", "plaid-url", "https://production.plaid.com", "environment simulated"},
		{"no-port", "simulator-listen", "127.0.0.1", "HOST:PORT"},
		{"bad-port", "simulator-listen", "127.0.0.1:70000", "65535"},
		{"format", "log-format", "xml", "text, json"},
		{"level", "log-level", "loud", "debug, info"},
		{"provider", "kek-provider", "hsm", "file, credential, vault-transit or exec"},
		{"key-in-data", "key-file", "/h/.local/state/bankd/simulated/kek", "lies in the data directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, map[string]string{"HOME": "/h"}, "--"+tt.flag, tt.value)
			key := strings.ReplaceAll(tt.flag, "-", "_")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), key+" (from --"+tt.flag+")") {
				t.Errorf("error does not name key, source and %q: %v", tt.want, err)
			}
		})
	}
	for _, ok := range []string{"http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:1", "https://proxy.example/plaid/"} {
		if _, err := load(t, map[string]string{"HOME": "/h"}, "--plaid-url", ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	if _, err := load(t, map[string]string{"HOME": t.TempDir()}); err != nil {
		t.Errorf("no file at the usual place: %v", err)
	}
	if _, err := load(t, map[string]string{"HOME": "/h"}, "--config", "/none/config.yaml"); err == nil {
		t.Error("a file that was asked for is missing, yet no error")
	}
	if _, err := load(t, map[string]string{}); err == nil || !strings.Contains(err.Error(), "HOME") {
		t.Errorf("without a home: %v", err)
	}
}

func TestPlaidCredentials(t *testing.T) {
	const canary = "canary-secret"
	file := writeFile(t, "secret", canary+"\n")
	good := []map[string]string{
		{"HOME": "/h", "PLAID_CLIENT_ID": "id", "PLAID_SECRET": canary},
		{"HOME": "/h", "PLAID_CLIENT_ID": "id", "PLAID_SECRET_FILE": file},
	}
	for _, env := range good {
		c, err := load(t, env, "--plaid", "sandbox")
		if err != nil {
			t.Fatal(err)
		}
		if c.PlaidSecret.Reveal() != canary || c.PlaidURL != "https://sandbox.plaid.com" {
			t.Error("credentials or URL are not those given")
		}
		if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, canary) {
			t.Error("the config prints its secret")
		}
	}
	bad := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"none", map[string]string{}, "set PLAID_CLIENT_ID"},
		{"no-secret", map[string]string{"PLAID_CLIENT_ID": "id"}, "PLAID_SECRET"},
		{"both", map[string]string{"PLAID_CLIENT_ID": "id", "PLAID_SECRET": canary, "PLAID_SECRET_FILE": file}, "both set"},
		{"missing-file", map[string]string{"PLAID_CLIENT_ID": "id", "PLAID_SECRET_FILE": "/none"}, "PLAID_SECRET_FILE"},
		{"empty-file", map[string]string{"PLAID_CLIENT_ID": "id", "PLAID_SECRET_FILE": writeFile(t, "empty", "\n")}, "empty"},
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			tt.env["HOME"] = "/h"
			_, err := load(t, tt.env, "--plaid", "sandbox")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("want %q: %v", tt.want, err)
			}
		})
	}
}

// The example loads as it is, and with every line uncommented; it shows every key.
func TestExampleFile(t *testing.T) {
	text, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/1000"}
	defaults, err := load(t, env)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := load(t, env, "--config", writeFile(t, "plain.yaml", string(text)))
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^#((?:  )?[a-z_]+:)`).ReplaceAllString(string(text), "$1")
	all = strings.ReplaceAll(all, "plaid_url: https://sandbox.plaid.com\n", "")
	full, err := load(t, env, "--config", writeFile(t, "full.yaml", all))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []config.Config{plain, full} {
		if diff := cmp.Diff(defaults, got, ignoreSecret, cmpopts.IgnoreFields(config.Config{}, "File")); diff != "" {
			t.Error(diff)
		}
	}
	flags := pflag.NewFlagSet("bankd", pflag.ContinueOnError)
	config.RegisterFlags(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if key != "config" && !strings.Contains(string(text), "\n#"+key+":") {
			t.Errorf("the example lacks %s", key)
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add("plaid: sandbox\n")
	f.Add("link_products: {products: [auth]}\n")
	f.Add("a: &a [*a]\n")
	f.Add("<<: {plaid: x}\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := load(t, map[string]string{"HOME": "/h"}, "--config", path)
		if err == nil && (!filepath.IsAbs(c.DataDir) || !filepath.IsAbs(c.Socket) || !filepath.IsAbs(c.KeyFile) || len(c.LinkProducts.Products) == 0) {
			t.Errorf("accepted into a config that is not whole: %+v", c)
		}
	})
}

func TestKEKProviders(t *testing.T) {
	t.Parallel()
	token := writeFile(t, "token", "canary-token\n")
	transit := []string{"--kek-provider", "vault-transit", "--vault-token-file", token}
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want string // of the error; "" = none
	}{
		{"exec", nil, []string{"--kek-provider", "exec", "--kek-command", "/usr/libexec/kek"}, ""},
		{"exec-relative", nil, []string{"--kek-provider", "exec", "--kek-command", "kek"}, "kek_command (from --kek-command)"},
		{"exec-none", nil, []string{"--kek-provider", "exec"}, "kek_command"},
		{"https", nil, append(transit, "--vault-address", "https://vault.example:8200"), ""},
		{"unix", nil, append(transit, "--vault-address", "unix:///run/vault.sock"), ""},
		{"loopback", nil, append(transit, "--vault-address", "http://127.0.0.1:8200"), ""},
		{"plain-http", nil, append(transit, "--vault-address", "http://vault.example:8200"), "http on loopback"},
		{"no-address", nil, transit, "vault_address"},
		{"userinfo", nil, append(transit, "--vault-address", "https://u:p@vault.example"), "vault_address"},
		{"no-mount", nil, append(transit, "--vault-address", "https://v", "--vault-key", "bankd"), "MOUNT/NAME"},
		{"no-token", nil, []string{"--kek-provider", "vault-transit", "--vault-address", "https://v"}, "VAULT_TOKEN"},
		{"token-variable", map[string]string{"VAULT_TOKEN": "canary-token"}, []string{"--kek-provider", "vault-transit", "--vault-address", "https://v"}, ""},
		{"from-none", nil, []string{"--kek-from", "/none.yaml"}, "kek_from"},
		{"from-bad", nil, []string{"--kek-from", writeFile(t, "bad.yaml", "kek_provider: hsm\n")}, "kek_from"},
		{"from-chain", nil, []string{"--kek-from", writeFile(t, "chain.yaml", "kek_from: /x\n")}, "rewrap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"HOME": "/h"}
			maps.Copy(env, tt.env)
			c, err := load(t, env, tt.args...)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q: %v", tt.want, err)
			}
			if text := fmt.Sprintf("%+v %#v %v", c, c, err); strings.Contains(text, "canary-token") {
				t.Error("the config prints the token")
			}
		})
	}
	old := writeFile(t, "old.yaml", "key_file: /old/kek\n")
	c, err := load(t, map[string]string{"HOME": "/h", "BANKD_KEY_FILE": "/new/kek"}, append(transit, "--vault-address", "https://v", "--kek-from", old)...)
	if err != nil || c.KEK.Provider != config.TransitKEK || c.KEK.From == nil || c.KEK.From.Provider != config.FileKEK || c.KEK.From.File != "/old/kek" {
		t.Errorf("the older provider: %+v %v", c.KEK.From, err)
	}
}
