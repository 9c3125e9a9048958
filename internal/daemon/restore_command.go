package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/config"
)

const identityUsage = "`FILE` with the secret key of one of the backup's recipients, as age-keygen writes it"

func newRestore(stdout, stderr io.Writer, getenv func(string) string) *cobra.Command {
	return offlineCommand(stdout, stderr, getenv, &cobra.Command{
		Use:   "restore BACKUP",
		Short: "Put a backup's data into an empty data directory",
		Long: `Put a backup's data into an empty data directory. The key to the data must be the one
that the backup was made under; if it is lost, the escrow in the backup gives the keys,
which the identity must open too, and a new key file is made. All of the backup is decrypted and compared before
the database gets its name; a database that is there is never replaced. The next start
looks at every connection anew, for access tokens may have changed since the backup.`,
		Example: `  bankd restore bankd.age --identity key.txt`,
	}, (*offline).restore, "restored")
}

func newVerifyBackup(stdout, stderr io.Writer, getenv func(string) string) *cobra.Command {
	return offlineCommand(stdout, stderr, getenv, &cobra.Command{
		Use:   "verify-backup BACKUP",
		Short: "Open a backup, decrypt every record and follow every audit chain",
		Long: `Open a backup, decrypt every record, compare the manifests and follow every audit chain,
in a temporary directory that is deleted afterwards. Nothing else is touched.`,
		Example: `  bankd verify-backup bankd.age --identity key.txt`,
	}, (*offline).verify, "verified")
}

func offlineCommand(stdout, stderr io.Writer, getenv func(string) string, cmd *cobra.Command, do func(*offline, context.Context) (Restored, error), done string) *cobra.Command {
	var identity string
	var asJSON bool
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{errors.New("name one backup, or - for standard input")}
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := config.Load(cmd.Flags(), getenv)
		if err != nil {
			return usageError{err}
		}
		if identity == "" {
			return usageError{errors.New("--identity: name the file with a recipient's secret key")}
		}
		from := io.ReadCloser(os.Stdin)
		if args[0] != "-" {
			if from, err = os.Open(args[0]); err != nil {
				return err
			}
			defer from.Close()
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		harden()
		log, _, buffer := newLog(c, stderr)
		defer buffer.Close()
		r, err := do(newOffline(c, log, from, identity), ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(stdout).Encode(r)
		}
		_, err = fmt.Fprintf(stdout, "bankd: %s: made %s, %d records of %d tenants, %d audit records in whole chains\n",
			done, r.MadeAt.Format(time.RFC3339), r.Records, r.Tenants, r.Audit)
		return err
	}
	config.RegisterFlags(cmd.Flags())
	cmd.Flags().StringVar(&identity, "identity", "", identityUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found as one JSON object")
	return cmd
}
