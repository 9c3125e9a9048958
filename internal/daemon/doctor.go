package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/vault"
)

// checks examines the daemon's surroundings for `bankctl doctor`; package bank examines the data.
func (d *Daemon) checks(ctx context.Context) []status.Check {
	list := []func(context.Context) status.Check{d.checkDisk, d.checkWrite, d.checkPermissions, d.checkFiles, d.checkAnchor, d.checkSchema, d.checkKey, d.checkEscrow, d.checkPlaid, d.checkClock}
	if d.lock == nil { // a store of a test, without a data directory
		list = list[5:]
	}
	var all []status.Check
	for _, check := range list {
		all = append(all, check(ctx))
	}
	return all
}

// Room below which the disk is told.
const (
	littleRoom = 256 << 20
	noRoom     = 16 << 20
)

func (d *Daemon) checkDisk(context.Context) status.Check {
	c := status.Check{Name: "disk", Result: status.Fine}
	var fs unix.Statfs_t
	if err := unix.Statfs(d.config.DataDir, &fs); err != nil {
		c.Result, c.Detail, c.Hint = status.Broken, "its room cannot be told: "+err.Error(), "look whether "+d.config.DataDir+" is still mounted"
		return c
	}
	room := fs.Bavail * uint64(fs.Bsize)
	c.Detail = fmt.Sprintf("%d MiB free for %s", room>>20, d.config.DataDir)
	switch {
	case room < noRoom || fs.Files > 0 && fs.Ffree == 0:
		c.Result, c.Hint = status.Broken, "make room: writes are refused when none is left, reads go on"
	case room < littleRoom:
		c.Result, c.Hint = status.Attention, "make room before writes are refused"
	}
	return c
}

// slowWrite is how long a write of one page may take on a disk in order.
const slowWrite = time.Second

// checkWrite writes and syncs a file beside the database, as a commit does.
func (d *Daemon) checkWrite(context.Context) status.Check {
	c := status.Check{Name: "write", Result: status.Fine}
	began := time.Now()
	err := probeWrite(d.config.DataDir)
	took := time.Since(began)
	if refused := d.db.Refused(); err == nil && refused != nil {
		err = refused
	}
	switch {
	case err != nil:
		refused := &store.DiskError{Dir: d.config.DataDir, Err: err}
		if already, ok := errors.AsType[*store.DiskError](err); ok {
			refused = already
		}
		c.Result, c.Detail, c.Hint = status.Broken, refused.Error(), refused.Hint()
	case took > slowWrite:
		c.Result, c.Detail, c.Hint = status.Attention, fmt.Sprintf("a page takes %s", took.Round(time.Millisecond)), "look at the disk's load and health"
	default:
		c.Detail = fmt.Sprintf("a page is on disk after %s", took.Round(10*time.Microsecond))
	}
	return c
}

func probeWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close())
}

func (d *Daemon) checkPermissions(context.Context) status.Check {
	c := status.Check{Name: "permissions", Result: status.Fine, Detail: "settings, secrets, key and data are closed to others"}
	warnings, err := d.config.CheckPlaces(os.Getenv)
	if err == nil {
		err = d.config.CheckFiles()
	}
	switch problem, ok := unsafe(err); {
	case ok:
		c.Result, c.Detail, c.Hint = status.Broken, problem.Path+" "+problem.What, "`"+problem.Fix+"`"
	case err != nil:
		c.Result, c.Detail, c.Hint = status.Broken, err.Error(), "put it back before the next start"
	case len(warnings) > 0:
		c.Result, c.Detail = status.Attention, "others can look into it: "+warnings[0]
	}
	return c
}

// checkAnchor tells whether an old copy of the data would be noticed.
func (d *Daemon) checkAnchor(context.Context) status.Check {
	c := status.Check{Name: "anchor", Result: status.Fine}
	d.mu.Lock()
	a := d.anchorStatus()
	d.mu.Unlock()
	switch {
	case a.Problem == "off":
		c.Result, c.Detail, c.Hint = status.Attention, "off: an old copy of the data would not be noticed", "take `anchor: off` out of the configuration"
	case a.Problem != "":
		c.Result, c.Detail, c.Hint = status.Broken, a.Problem+": an old copy of the data would not be noticed", "make room in its place, or let bankd write there: "+d.anchors.keeper.Where()
	default:
		c.Detail = "kept " + a.At.Format(time.RFC3339) + " in " + d.anchors.keeper.Where()
	}
	return c
}

// checkKey has the key to the data open every tenant's keys, which a running bankd needs no more, but the next start does.
func (d *Daemon) checkKey(ctx context.Context) status.Check {
	c := status.Check{Name: "key", Result: status.Fine}
	n, err := d.db.CheckKeysets(ctx)
	if err == nil {
		err = d.checkKeyFile()
	}
	if err != nil {
		c.Result, c.Detail, c.Hint = status.Broken, err.Error(), "bankd goes on with the keys it has; mend this before the next start, or recover from the escrow"
		return c
	}
	c.Detail = fmt.Sprintf("%s opens the keys of %d tenants and bankd's own", d.db.Header().KEK, n-1)
	return c
}

// checkKeyFile reads the key file as the next start will.
func (d *Daemon) checkKeyFile() error {
	if d.config.KEK.Provider != config.FileKEK || d.lock == nil {
		return nil
	}
	kek, err := vault.OpenFileKEK(d.config.KeyFile)
	if err == nil && kek.ID() != d.db.Header().KEK {
		err = fmt.Errorf("%s holds the key %s, the data is sealed with %s", d.config.KeyFile, kek.ID(), d.db.Header().KEK)
	}
	return err
}

// checkEscrow tells whether the data could be read if the key were lost.
func (d *Daemon) checkEscrow(context.Context) status.Check {
	c := status.Check{Name: "escrow", Result: status.Fine}
	n := len(d.db.Recipients())
	switch {
	case n > 0:
		c.Detail = fmt.Sprintf("%d recipients can recover the keys", n)
	case d.config.Live():
		c.Result, c.Detail, c.Hint = status.Attention, "none: without the key nobody could read the data", "`bankctl keys escrow --to age1… --to age1…`"
	default:
		c.Detail, c.Hint = "none", "`bankctl keys escrow --to age1… --to age1…`"
	}
	return c
}

// checkFiles checks that the database and the socket are still the files at their paths.
func (d *Daemon) checkFiles(context.Context) status.Check {
	if err := d.db.CheckFiles(); err != nil {
		return status.Check{Name: "socket", Result: status.Broken, Detail: err.Error(), Hint: "start bankd again; what replaced the file must go first"}
	}
	return status.Check{Name: "socket", Result: status.Fine, Detail: d.config.Socket}
}

func (d *Daemon) checkSchema(context.Context) status.Check {
	return status.Check{Name: "schema", Result: status.Fine, Detail: fmt.Sprintf("format %d, records %d", store.Format, bank.Schema)}
}

// checkPlaid asks Plaid whether it takes the keys.
func (d *Daemon) checkPlaid(ctx context.Context) status.Check {
	c := status.Check{Name: "plaid", Result: status.Fine, Detail: d.config.Plaid + ", answers"}
	if d.config.Plaid != config.Simulated {
		c.Detail = d.config.Plaid + ", takes the keys"
	}
	if p := d.probePlaid(ctx); p != nil {
		c.Result, c.Detail, c.Hint = status.Broken, p.what, p.hint
	}
	return c
}

// A clock that is off spoils sessions that expire and the times in the log; webhooks are refused from five minutes on.
const (
	clockOff   = 30 * time.Second
	clockWrong = 5 * time.Minute
)

// checkClock compares the clock with that of Plaid's last answer; the simulator has ours.
func (d *Daemon) checkClock(context.Context) status.Check {
	c := status.Check{Name: "clock", Result: status.Fine, Detail: "nothing to compare it with: Plaid has not answered yet"}
	ahead, known := d.plaid.ClockAhead()
	if !known {
		return c
	}
	off, word := ahead, "ahead of"
	if ahead < 0 {
		off, word = -ahead, "behind"
	}
	c.Detail = "agrees with Plaid's"
	if off > clockOff {
		c.Detail, c.Hint = fmt.Sprintf("%s %s Plaid's", off.Round(time.Second), word), "set this machine's clock, best by NTP"
		c.Result = status.Attention
	}
	if off > clockWrong {
		c.Result = status.Broken
	}
	return c
}
