package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

type backupOptions struct {
	out       string
	to        []string
	overwrite bool
}

func newBackup(a *app) *cobra.Command {
	var o backupOptions
	cmd := &cobra.Command{
		Use: "backup", Short: "Make an encrypted backup of everything while bankd runs", Args: none(),
		Long: `Make a backup of all tenants while bankd runs: one snapshot, encrypted with age to the
recipients, each of whom can open it with their secret key alone. Its values stay sealed
inside, so that reading them takes the key to the data as well.`,
		Example: "  age-keygen -o key.txt      prints the public key, age1…; keep key.txt away from this machine\n" +
			"  bankctl backup --out bankd.age --to age1…\n  bankctl backup verify bankd.age --identity key.txt\n  bankctl backup --out - | ssh vault 'cat >bankd.age'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.refuseTwoOnStdout(cmd, o.out); err != nil {
				return err
			}
			return runBackup(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.out, "out", "", "file to write, - for stdout (required)")
	f.StringArrayVar(&o.to, "to", nil, "age public key of a recipient; repeat it (default: the escrow's)")
	f.BoolVar(&o.overwrite, "overwrite", false, "replace the file if it is there")
	cmd.AddCommand(newBackupVerify(a))
	return cmd
}

func runBackup(ctx context.Context, a *app, o backupOptions) error {
	if err := a.mayWrite(o.out, o.overwrite); err != nil {
		return err
	}
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	var size int64
	began := a.Now()
	err = a.writeFileAtomically(o.out, func(w io.Writer) (err error) {
		size, err = c.Backup(ctx, o.to, w)
		return err
	})
	if err != nil {
		return err
	}
	if o.out != "-" {
		a.say("wrote %.1f MB to %s in %s; check it now and then: `bankctl backup verify %s --identity KEY`",
			float64(size)/1e6, clean(o.out), a.Now().Sub(began).Round(10*time.Millisecond), clean(o.out))
	}
	return a.showWritten(written{Path: o.out, Bytes: size})
}

func newBackupVerify(a *app) *cobra.Command {
	return bankdCommand(a, &cobra.Command{
		Use: "verify BACKUP", Short: "Open a backup, decrypt every record and follow every audit chain",
		Example: "  bankctl backup verify bankd.age --identity key.txt",
	}, "verify-backup", runBackupVerify)
}

// restored is what bankd found in a backup.
type restored struct {
	tenant.BackupVerified
	Environment string `json:"environment"`
	Entries     uint64 `json:"entries"`
	Bytes       uint64 `json:"bytes"`
	Records     int    `json:"records"`
	Tenants     int    `json:"tenants"`
	Audit       int    `json:"audit_records"`
}

// runBackupVerify has bankd read the backup, and tells the daemon that runs, if any, so that doctor knows.
func runBackupVerify(ctx context.Context, a *app, args []string) error {
	var out bytes.Buffer
	if err := a.runBankd(ctx, &out, append([]string{args[0], "--json"}, args[1:]...)); err != nil {
		return err
	}
	var r restored
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return fault.New(fault.Internal, "bankd answered in another form than this bankctl knows").Because(err)
	}
	if err := a.sayRestored("whole", r); err != nil {
		return err
	}
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	if err := c.NoteBackupVerified(ctx, r.BackupVerified); err != nil && !fault.Is(err, fault.Unavailable) {
		a.say("not noted in the daemon: %s", fault.As(err).Message)
	}
	return nil
}

func (a *app) sayRestored(state string, r restored) error {
	return single(a, r, func(r restored) string { return r.DB }, []column[restored]{
		{name: "store", value: func(r restored) string { return r.DB }},
		{name: "made", value: func(r restored) string { return utc(r.MadeAt) }},
		{name: "records", value: func(r restored) string { return strconv.Itoa(r.Records) }},
		{name: "tenants", value: func(r restored) string { return strconv.Itoa(r.Tenants) }},
		{name: "audit", value: func(r restored) string { return strconv.Itoa(r.Audit) }},
	}, func() error {
		return a.card([]fact{
			{"backup", state}, {"made", a.moment(r.MadeAt)}, {"store", r.DB + " (" + r.Environment + ")"},
			{"records", strconv.Itoa(r.Records) + ", all decrypted"}, {"tenants", strconv.Itoa(r.Tenants)},
			{"audit", strconv.Itoa(r.Audit) + " records, chains whole"},
		})
	})
}

func newRestore(a *app) *cobra.Command {
	return bankdCommand(a, &cobra.Command{
		Use: "restore BACKUP", Short: "Put a backup's data into an empty data directory",
		Long: `Put a backup's data into an empty data directory, while bankd does not run there. The
key to the data must be the one that the backup was made under. A database that is there
is never replaced.`,
		Example: "  bankctl restore bankd.age --identity key.txt\n  bankctl restore bankd.age --identity key.txt --data-dir /srv/bankd",
	}, "restore", runRestore)
}

func runRestore(ctx context.Context, a *app, args []string) error {
	var out bytes.Buffer
	if err := a.runBankd(ctx, &out, append([]string{args[0], "--json"}, args[1:]...)); err != nil {
		return err
	}
	var r restored
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return fault.New(fault.Internal, "bankd answered in another form than this bankctl knows").Because(err)
	}
	if err := a.sayRestored("restored", r); err != nil {
		return err
	}
	a.say("start bankd now: it looks at every connection anew")
	return nil
}

// bankdFlags are the settings of bankd that its commands for stopped data take.
var bankdFlags = []struct{ name, usage string }{
	{"config", "bankd's config file"},
	{"data-dir", "bankd's data directory"},
	{"key-file", "file with the key to the data"},
	{"anchor", "where the anchor is kept"},
	{"plaid", "simulated, sandbox or production"},
}

// bankdCommand makes a command that bankd itself carries out, with no daemon: the file is its business alone.
func bankdCommand(a *app, cmd *cobra.Command, verb string, run func(ctx context.Context, a *app, args []string) error) *cobra.Command {
	var identity string
	cmd.Args = one("the backup, - for stdin")
	cmd.Flags().StringVar(&identity, "identity", "", "file with a recipient's secret key, as age-keygen writes it (required)")
	for _, f := range bankdFlags {
		cmd.Flags().String(f.name, "", f.usage)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if identity == "" {
			return usage("for instance --identity key.txt", "--identity is missing")
		}
		words := []string{verb, "--identity", identity}
		for _, f := range bankdFlags {
			if cmd.Flags().Changed(f.name) {
				words = append(words, "--"+f.name, cmd.Flags().Lookup(f.name).Value.String())
			}
		}
		return run(cmd.Context(), a, append(words, "--", args[0]))
	}
	return cmd
}

// runBankd runs bankd until it ends, with its errors on this terminal.
func (a *app) runBankd(ctx context.Context, stdout io.Writer, args []string) error {
	path, err := a.findBankd()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, stdout, a.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err = cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		code := fault.ExitInternal
		if ended.ExitCode() == fault.ExitUsage {
			code = fault.ExitUsage
		}
		return exitError{code, "bankd could not do it", "its message stands above"}
	}
	return err
}
