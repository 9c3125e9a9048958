package config

import (
	"strings"

	"github.com/spf13/pflag"
)

// key is one setting. Its flag is the name with dashes; its variable is BANKD_ and the name in capitals.
type key struct {
	name  string
	def   string // "" is worked out in paths.go or plaid.go
	usage string
}

const (
	keyConfig = "config"

	keyProducts = "link_products.products"
	keyRequired = "link_products.required_if_supported_products"
	keyOptional = "link_products.optional_products"
)

// keys lists the settings that have a flag.
func keys() []key {
	return []key{
		{keyConfig, "", "config `FILE` (default: bankd/config.yaml in the XDG config directory; no file is fine)"},
		{"data_dir", "", "`DIR` for the database and state, made private (default: bankd/ENV in the XDG state directory)"},
		{"key_file", "", "`FILE` with the key to the data (default: $CREDENTIALS_DIRECTORY/bankd-kek, else bankd/kek in the XDG config directory)"},
		{"anchor", "", "`WHERE` the anchor is kept, by which an old copy of the data is noticed: a directory, exec:PROGRAM, or off (default: anchors beside the key file)"},
		{"backup_dir", "", "`DIR` for backups that bankd makes by itself (default: none are made)"},
		{"backup_every", "1d", "`DURATION` between two of them, 1h or more, like 12h or 1d"},
		{"backup_keep", "14", "`N` newest of them that stay, 1 or more"},
		{"backup_to", "", "age public `KEYS` that can open them, with commas between (default: the escrow's)"},
		{"kek_provider", "", "`PROVIDER` of the key to the data: file, credential (systemd), vault-transit or exec (default: credential if systemd hands a key over, else file)"},
		{"kek_command", "", "`PROGRAM` that wraps and unwraps data keys, for --kek-provider exec"},
		{"kek_from", "", "`FILE` of another configuration whose key opens the data too, until `bankctl keys rewrap` has moved it to this one's"},
		{"vault_address", "", "`URL` of Vault or OpenBao, for --kek-provider vault-transit: https, unix:///PATH, or http on loopback"},
		{"vault_key", "transit/bankd", "`MOUNT/NAME` of the Transit key"},
		{"vault_namespace", "", "`NAMESPACE` of Vault"},
		{"vault_token_file", "", "`FILE` with Vault's token, read at each call (default: the variable VAULT_TOKEN)"},
		{"vault_ca_file", "", "`FILE` with the CA certificate of Vault's server (default: the system's)"},
		{"socket", "", "`PATH` of the socket (default: bankd/bankd.sock in the XDG runtime directory, else in the data directory)"},
		{"plaid", Simulated, "`ENV` of Plaid: simulated, sandbox or production; the last two read PLAID_CLIENT_ID and PLAID_SECRET, or …_FILE"},
		{"plaid_url", "", "base `URL` of Plaid's API (default: by --plaid); plain http only to loopback"},
		{"plaid_timeout", "30s", "`DURATION` that Plaid has for an ordinary answer, 1s to 5m; slow calls get a minute more"},
		{"client_name", "bankctl", "company's `NAME` that Plaid Link shows to users and employees, up to 30 characters"},
		{"transactions_days", "730", "`N` days of past transactions that a new link asks for, 1 to 730; Plaid keeps what the first link asked"},
		{"simulator_listen", "127.0.0.1:0", "`ADDR` where the embedded simulator listens"},
		{"webhook_listen", "", "`ADDR` where Plaid's webhooks come in, behind your own TLS (default: none; everything works without)"},
		{"webhook_url", "", "public https `URL` of --webhook-listen, which Plaid is told"},
		{"log_format", LogAuto, "`FORMAT` of the log on stderr: text, json, or auto (text on a terminal)"},
		{"log_level", "info", "lowest `LEVEL` logged: debug, info, warn or error"},
	}
}

// listKeys are the settings of the file alone, with their defaults.
func listKeys() map[string][]string {
	return map[string][]string{
		keyProducts: {"auth"},
		keyRequired: {"identity"},
		keyOptional: {"transactions"},
	}
}

func (k key) flag() string     { return strings.ReplaceAll(k.name, "_", "-") }
func (k key) variable() string { return "BANKD_" + strings.ToUpper(k.name) }

// RegisterFlags adds a flag for every setting that has one.
func RegisterFlags(flags *pflag.FlagSet) {
	for _, k := range keys() {
		flags.String(k.flag(), k.def, k.usage)
	}
}
