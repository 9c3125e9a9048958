package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/private"
)

type loginOptions struct {
	clientID, secretFile string
	secretStdin, force   bool
}

func newLogin(a *app) *cobra.Command {
	var o loginOptions
	cmd := &cobra.Command{
		Use: "login", Short: "Keep a client that somebody made for you as a profile", Args: none(),
		Long: `Keep a client that an admin made for you, with its secret, as a profile that later commands
use. The secret is asked for without echo, or read from a file or stdin; it is tried at bankd
first, and kept in a file of its own that only you can read.

To make a client instead: ` + "`bankctl init`" + ` as the user that runs bankd, ` + "`bankctl client create`" + ` as an admin.`,
		Example: "  bankctl login --client-id bankd_test_cli_3kTmQ0\n" +
			"  bankctl login --profile support --client-id bankd_test_cli_3kTmQ0 --secret-file secret.txt --socket /run/bankd/bankd.sock",
		RunE: func(cmd *cobra.Command, _ []string) error { return runLogin(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.clientID, "client-id", "", "the client's id (asked for where left out)")
	f.StringVar(&o.secretFile, "secret-file", "", "file that holds its secret")
	f.BoolVar(&o.secretStdin, "secret-stdin", false, "read its secret from stdin")
	f.BoolVar(&o.force, "force", false, "replace a profile of the same name")
	register(cmd, "client-id", cobra.NoFileCompletions)
	return cmd
}

func runLogin(ctx context.Context, a *app, o loginOptions) error {
	name := a.profile
	if name == "" {
		name = defaultProfile
	}
	if err := a.profileUnused(name, o.force); err != nil {
		return err
	}
	where, err := a.socketToSave()
	if err != nil {
		return err
	}
	cl := a.newClient(credentials{socket: where})
	if _, err := cl.GetStatus(ctx); err != nil {
		return err // before anything is asked
	}
	if o.clientID == "" {
		if o.clientID, err = a.askLine(ctx, "Client id", "--client-id"); err != nil {
			return err
		}
	}
	cl.ClientID = o.clientID
	if cl.Secret, err = a.secretOf(ctx, o); err != nil {
		return err
	}
	own, err := cl.GetOwnClient(ctx)
	if fault.Is(err, fault.Unauthenticated) {
		return fault.New(fault.Unauthenticated, "bankd refuses this client id with this secret: nothing was saved").
			WithHint("whoever made the client can make another secret with `bankctl client rotate`").Because(err)
	}
	if err != nil {
		return err
	}
	book := a.profileBook()
	if err := book.save(profile{Name: name, Socket: where, ClientID: own.ID}, cl.Secret); err != nil {
		return err
	}
	return single(a, own, clientID, clientColumns(), func() error {
		return a.card(append([]fact{{"profile", name}, {"socket", where}, {"secret in", book.secretPath(name)}}, clientFacts(own)...))
	})
}

// profileUnused refuses a profile's name that is taken or cannot be saved.
func (a *app) profileUnused(name string, force bool) error {
	book := a.profileBook()
	if err := book.writable(name); err != nil {
		return err
	}
	_, err := book.find(name)
	if err == nil && !force {
		return usage("--force replaces it; --profile NAME makes another", "profile %q is there already, in %s", name, book.path())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// secretOf reads the secret from where the flags say.
func (a *app) secretOf(ctx context.Context, o loginOptions) (string, error) {
	var text string
	switch {
	case o.secretStdin && o.secretFile != "":
		return "", usage("give one of them", "--secret-file and --secret-stdin exclude each other")
	case o.secretStdin:
		line, err := a.nextLine(ctx)
		if err != nil {
			return "", usage("pipe it in, as one line", "no secret came on stdin")
		}
		text = line
	case o.secretFile != "":
		raw, err := readSafely(o.secretFile, private.Secret)
		if _, told := errors.AsType[usageError](err); told {
			return "", err
		}
		if err != nil {
			return "", usage("", "--secret-file %s cannot be read", o.secretFile)
		}
		text = string(raw)
	default:
		var err error
		if text, err = a.askHidden(ctx, "Secret", "--secret-file or --secret-stdin"); err != nil {
			return "", err
		}
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", usage("it is what `bankctl client create` printed, one line", "that is no client's secret")
	}
	return text, nil
}

// askHidden reads one line without echo.
func (a *app) askHidden(ctx context.Context, label, flags string) (string, error) {
	if !a.canPrompt() {
		return "", usage("it never goes on the command line", "pass the %s with %s", strings.ToLower(label), flags)
	}
	show, err := a.HideTyping()
	if err != nil {
		return "", fmt.Errorf("hide typing: %w", err)
	}
	defer show()
	fmt.Fprintf(a.Stderr, "%s: ", label)
	text, err := a.readLine(ctx)
	fmt.Fprintln(a.Stderr)
	return text, err
}

func newLogout(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget a profile and its secret on this machine", Args: none(),
		Long: `Forget a profile and its secret on this machine. The client itself goes on at bankd: an
admin ends it with ` + "`bankctl client revoke`" + `.`,
		Example: "  bankctl logout\n  bankctl logout --profile support --yes",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runLogout(cmd.Context(), a) },
	}
}

func runLogout(ctx context.Context, a *app) error {
	book := a.profileBook()
	name, err := book.nameOr(a.profile)
	if err != nil {
		return err
	}
	p, err := book.find(name)
	if errors.Is(err, fs.ErrNotExist) {
		return noProfile(name)
	}
	if err != nil {
		return err
	}
	if err := a.ask(ctx, "Forget profile "+name+" and its secret?", "to forget profile "+name); err != nil {
		return err
	}
	if err := book.remove(name); err != nil {
		return err
	}
	return single(a, p, profileName, profileColumns(book), func() error {
		a.say("forgot profile %s; its client goes on: `bankctl client revoke %s` ends it", name, p.ClientID)
		return nil
	})
}

// noProfile says how to get a profile that is not there.
func noProfile(name string) error {
	return fault.New(fault.NotFound, "there is no profile %q", name).
		WithHint("`bankctl profile list` shows them; `bankctl init --profile %s` makes one, `bankctl login --profile %s` keeps a client that you have", name, name)
}
