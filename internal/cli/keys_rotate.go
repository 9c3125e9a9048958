package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
)

func newKeysRotate(a *app) *cobra.Command {
	var only string
	var wait bool
	cmd := &cobra.Command{
		Use: "rotate", Short: "Turn the key that wraps the data keys, and the data keys", Args: none(),
		Long: `Makes a new key-encryption key and wraps all data keys by it, then gives every tenant a new
data key. bankd seals all records anew while it goes on serving, and takes that up again
after a restart; ` + "`bankctl keys status`" + ` shows how far it is. Digest keys stay, since their
digests are ids. Make a new copy of a key file afterwards.`,
		Example: "  bankctl keys rotate --wait\n  bankctl keys rotate --only kek",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runKeysRotate(cmd.Context(), a, keys.RotateParams{Only: only}, wait)
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "turn `WHICH` alone: kek (the key that wraps the data keys) or data")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until all records are sealed anew")
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions([]string{keys.OnlyKEK, keys.OnlyData}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func runKeysRotate(ctx context.Context, a *app, p keys.RotateParams, wait bool) error {
	if err := p.Check(); err != nil {
		return usage("use kek or data", "--only cannot be %q", p.Only)
	}
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	turned, err := c.RotateKeys(ctx, p)
	if err != nil {
		return err
	}
	if wait {
		if turned.Status, err = awaitRotation(ctx, c, turned.Status); err != nil {
			return err
		}
	}
	return a.showTurned(turned)
}

// awaitRotation asks until no rotation is under way.
func awaitRotation(ctx context.Context, c *client.Client, s keys.Status) (keys.Status, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for s.Rotation != nil {
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-tick.C:
		}
		var err error
		if s, err = c.KeyStatus(ctx); err != nil {
			return s, err
		}
		if s.Rotation != nil && s.Rotation.Problem != "" {
			return s, fault.New(fault.Unavailable, "the rotation waits: %s", s.Rotation.Problem).
				WithHint("bankd tries again by itself; `bankctl keys status` shows how far it is")
		}
	}
	return s, nil
}

func (a *app) showTurned(t keys.Turned) error {
	type x = keys.Turned
	columns := []column[x]{
		{name: "from", value: func(t x) string { return t.From }},
		{name: "to", value: func(t x) string { return t.To }},
		{name: "keysets", value: func(t x) string { return strconv.Itoa(t.Keysets) }},
		{name: "rotation", value: func(t x) string { return rotationText(t.Status.Rotation) }},
	}
	return single(a, t, func(t x) string { return t.Status.KEK }, columns, func() error {
		facts := []fact{{"from", t.From}, {"to", t.To}}
		return a.card(append(facts, keyFacts(t.Status)...))
	})
}

func newKeysRewrap(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rewrap", Short: "Wrap the data keys by the newest key of bankd's provider", Args: none(),
		Long: `For a key that was turned elsewhere: in Vault, as a new credential of systemd, in a
hardware token. And for another provider: start bankd with the new settings and kek_from,
run this, and take kek_from out.`,
		Example: "  bankctl keys rewrap",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysRewrap(cmd.Context(), a) },
	}
}

func runKeysRewrap(ctx context.Context, a *app) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	turned, err := c.RewrapKeys(ctx, keys.RewrapParams{})
	if err != nil {
		return err
	}
	return a.showTurned(turned)
}
