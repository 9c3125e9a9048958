// Package config owns the operator's settings: their keys, defaults, sources and checks. Package daemon acts on them.
package config

import (
	"log/slog"
	"time"

	"github.com/bankctl/bankctl/internal/secret"
)

// Environments of Plaid.
const (
	Simulated  = "simulated"
	Sandbox    = "sandbox"
	Production = "production"
)

// Log formats. Auto is text on a terminal, else JSON.
const (
	LogAuto = "auto"
	LogText = "text"
	LogJSON = "json"
)

// Config holds checked settings: paths are absolute, and bankd knows every value.
type Config struct {
	File          string // the file that was read; "" if there is none
	DataDir       string
	KeyFile       string
	MayCreateKey  bool   // false if systemd provides the key, which bankd then never makes
	Anchor        string // a directory, exec: and a program, or off
	KEK           KEK
	Socket        string
	Plaid         string // Simulated, Sandbox or Production
	PlaidURL      string // "" is the embedded simulator
	PlaidTimeout  time.Duration
	PlaidClientID string
	PlaidSecret   secret.Text
	SecretFiles   []string // that hold the two above
	ClientName    string   // the company that Plaid Link names
	// TransactionsDays is how far back a new link asks for transactions; Plaid never changes it afterwards.
	TransactionsDays int
	SimulatorListen  string
	// WebhookListen is the address for Plaid's webhooks, WebhookURL its URL for Plaid; "" = no webhooks.
	WebhookListen string
	WebhookURL    string
	LogFormat     string
	LogLevel      slog.Level
	LinkProducts  LinkProducts
	Backups       Backups
}

// LinkProducts are the Plaid products that a link asks for by default.
type LinkProducts struct {
	Products            []string
	RequiredIfSupported []string
	Optional            []string
}

// Backups are the backups that bankd makes by itself. Dir "" = none.
type Backups struct {
	Dir   string
	Every time.Duration
	Keep  int
	To    []string // age public keys; none = the escrow's
}

// Live reports whether the accounts are real.
func (c Config) Live() bool { return c.Plaid == Production }

// Providers of the key to the data.
const (
	FileKEK       = "file"
	CredentialKEK = "credential"
	TransitKEK    = "vault-transit"
	ExecKEK       = "exec"
)

// KEK says who wraps the data keys, and how it is reached.
type KEK struct {
	Provider       string // FileKEK, CredentialKEK, TransitKEK or ExecKEK
	File           string // of FileKEK
	Credentials    string // the directory of CredentialKEK; "" if systemd gave none
	Command        string // of ExecKEK
	VaultAddress   string // the rest is of TransitKEK
	VaultKey       string // MOUNT/NAME
	VaultNamespace string
	VaultToken     secret.Text // used unless VaultTokenFile is set
	VaultTokenFile string
	VaultCAFile    string
	From           *KEK // opens the data too; nil = none
}
