package daemon

import (
	"log/slog"
	"strings"

	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/config"
)

// reloader reads the configuration anew on SIGHUP: the file, and the files that hold Plaid's keys.
type reloader struct {
	flags  *pflag.FlagSet
	getenv func(string) string
	level  *slog.LevelVar
	daemon *Daemon
	config config.Config // in force
}

// reload takes over what can change while bankd runs, and names what cannot. A configuration that would be refused at a
// start changes nothing.
func (r *reloader) reload() {
	d := r.daemon
	latest, err := config.Load(r.flags, r.getenv)
	if err != nil {
		d.log.Error("the configuration was read anew and refused: nothing changed", "error", err.Error())
		return
	}
	live, fixed := config.Changes(r.config, latest)
	r.config = r.config.WithLive(latest)
	r.level.Set(r.config.LogLevel)
	d.configure(r.config)
	d.log.Info("the configuration was read anew", "file", latest.File, "changed", strings.Join(live, " "))
	if len(fixed) > 0 {
		d.log.Warn("these settings take effect at the next start alone", "changed", strings.Join(fixed, " "))
	}
}

// configure applies the settings that can change while the daemon runs.
func (d *Daemon) configure(c config.Config) {
	d.bank.SetLinks(d.links(c))
	clientID, key := plaidKeys(c)
	d.plaid.Change(clientID, key, c.PlaidTimeout, c.TransactionsDays)
	select {
	case d.keysChanged <- struct{}{}:
	default:
	}
}

// links are the products and bounds of new links.
func (d *Daemon) links(c config.Config) bank.Links {
	return bank.Links{
		Products: c.LinkProducts.Products, RequiredIfSupported: c.LinkProducts.RequiredIfSupported,
		Optional: c.LinkProducts.Optional, Webhook: d.hookURL, Days: c.TransactionsDays,
	}
}
