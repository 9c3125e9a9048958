// Package config owns what the operator can set: the keys, their defaults,
// where they are read from and which values make sense. It leaves to package
// daemon what is done with them.
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

// Config is checked: every path is absolute, every value one that bankd knows.
type Config struct {
	File          string // the file that was read; "" if there is none
	DataDir       string
	KeyFile       string
	MayCreateKey  bool // false if systemd hands the key over: it is never made there
	Socket        string
	Plaid         string // Simulated, Sandbox or Production
	PlaidURL      string // "" is the embedded simulator
	PlaidTimeout  time.Duration
	PlaidClientID string
	PlaidSecret   secret.Text
	// TransactionsDays is how far back a new link asks for transactions; Plaid never changes it afterwards.
	TransactionsDays int
	SimulatorListen  string
	// WebhookListen and WebhookURL are where Plaid's webhooks come in and what Plaid knows that by; "" is nowhere.
	WebhookListen string
	WebhookURL    string
	LogFormat     string
	LogLevel      slog.Level
	LinkProducts  LinkProducts
}

// LinkProducts are the Plaid products that a link asks for by default.
type LinkProducts struct {
	Products            []string
	RequiredIfSupported []string
	Optional            []string
}

// Live tells whether real accounts are at stake.
func (c Config) Live() bool { return c.Plaid == Production }
