package config

import "reflect"

// Changes tells what a reload finds: the names of the settings that differ, of which only live ones can change while
// bankd runs.
func Changes(old, latest Config) (live, fixed []string) {
	if !old.PlaidSecret.Same(latest.PlaidSecret) {
		live = append(live, "PLAID_SECRET")
	}
	for _, s := range []struct {
		name string
		live bool
		of   func(Config) any
	}{
		{"log_level", true, func(c Config) any { return c.LogLevel }},
		{"link_products", true, func(c Config) any { return c.LinkProducts }},
		{"client_name", false, func(c Config) any { return c.ClientName }},
		{"transactions_days", true, func(c Config) any { return c.TransactionsDays }},
		{"plaid_timeout", true, func(c Config) any { return c.PlaidTimeout }},
		{"PLAID_CLIENT_ID", true, func(c Config) any { return c.PlaidClientID }},
		{"data_dir", false, func(c Config) any { return c.DataDir }},
		{"key_file", false, func(c Config) any { return c.KeyFile }},
		{"kek_provider", false, func(c Config) any { return c.KEK }},
		{"anchor", false, func(c Config) any { return c.Anchor }},
		{"socket", false, func(c Config) any { return c.Socket }},
		{"plaid", false, func(c Config) any { return c.Plaid }},
		{"plaid_url", false, func(c Config) any { return c.PlaidURL }},
		{"simulator_listen", false, func(c Config) any { return c.SimulatorListen }},
		{"webhook_listen", false, func(c Config) any { return c.WebhookListen }},
		{"webhook_url", false, func(c Config) any { return c.WebhookURL }},
		{"backups", false, func(c Config) any { return c.Backups }},
		{"log_format", false, func(c Config) any { return c.LogFormat }},
	} {
		switch {
		case reflect.DeepEqual(s.of(old), s.of(latest)):
		case s.live:
			live = append(live, s.name)
		default:
			fixed = append(fixed, s.name)
		}
	}
	return live, fixed
}

// WithLive returns the settings with those of latest that can change while bankd runs.
func (c Config) WithLive(latest Config) Config {
	c.File, c.LogLevel, c.LinkProducts, c.TransactionsDays = latest.File, latest.LogLevel, latest.LinkProducts, latest.TransactionsDays
	c.PlaidTimeout, c.PlaidClientID, c.PlaidSecret = latest.PlaidTimeout, latest.PlaidClientID, latest.PlaidSecret
	return c
}
