package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/keys"
)

func newKeys(a *app) *cobra.Command {
	cmd := group("keys", "Turn and recover the keys to the data",
		newKeysStatus(a), newKeysRotate(a), newKeysRewrap(a), newKeysVerify(a), newKeysEscrow(a), newKeysRecover(a))
	cmd.Long = `The data keys seal every record. They are wrapped by the key-encryption key (KEK), which
bankd's setting kek_provider names, and encrypted to the recipients of the escrow. Only the
local owner may see to them.`
	return cmd
}

func keyColumns() []column[keys.Status] {
	type s = keys.Status
	return []column[s]{
		{name: "kek", value: func(x s) string { return x.KEK }},
		{name: "keysets", value: func(x s) string { return keysetText(x) }},
		{name: "escrow", value: func(x s) string { return escrowText(x) }},
		{name: "rotation", value: func(x s) string { return rotationText(x.Rotation) }},
	}
}

func (a *app) showKeys(s keys.Status) error {
	return single(a, s, func(s keys.Status) string { return s.KEK }, keyColumns(), func() error { return a.card(keyFacts(s)) })
}

func keyFacts(s keys.Status) []fact {
	facts := []fact{{"kek", s.KEK}, {"keysets", keysetText(s)}, {"escrow", escrowText(s)}, {"rotation", rotationText(s.Rotation)}}
	if s.Rotation != nil {
		facts = append(facts, fact{"problem", s.Rotation.Problem})
	}
	return facts
}

func keysetText(s keys.Status) string {
	var parts []string
	for _, k := range s.Keysets {
		if k.Current {
			parts = append(parts, strconv.Itoa(k.Number))
		} else {
			parts = append(parts, fmt.Sprintf("%d under %s: run `bankctl keys rewrap`", k.Number, k.KEK))
		}
	}
	return strings.Join(parts, ", ")
}

func escrowText(s keys.Status) string {
	if len(s.Escrow) == 0 {
		return "none: a lost key is lost data, see `bankctl keys escrow --help`"
	}
	names := make([]string, len(s.Escrow))
	for i, r := range s.Escrow {
		if names[i] = r.Key; r.Name != "" {
			names[i] = r.Name + "=" + r.Key
		}
	}
	return strings.Join(names, " ")
}

func rotationText(r *keys.Rotation) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%s, %d of %d records, %.0f/s", r.Phase, r.Done, r.Total, r.Rate)
}

func newKeysStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show which key wraps the data, who can recover it, and how far a rotation is", Args: none(),
		Example: "  bankctl keys status\n  bankctl keys status --jq .rotation",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysStatus(cmd.Context(), a) },
	}
}

func runKeysStatus(ctx context.Context, a *app) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	s, err := c.KeyStatus(ctx)
	if err != nil {
		return err
	}
	return a.showKeys(s)
}
