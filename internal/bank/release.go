package bank

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// released is one line of a release: a verified account with its numbers. It is written into an age file and nowhere else.
type released struct {
	ID          string            `json:"_id"`
	OwnerType   string            `json:"owner_type"`
	OwnerID     string            `json:"owner_id"`
	BankName    string            `json:"bank_name"`
	AccountType string            `json:"account_type"`
	Routing     string            `json:"routing_number"`
	Number      string            `json:"account_number"`
	Evidence    *account.Evidence `json:"evidence,omitempty"`
	ReleasedAt  time.Time         `json:"released_at"`
}

// ReleaseACH checks that c may send the numbers of verified ACH accounts to a registered recipient, and audits each of
// them. The function that it returns writes the file: JSON, a line an account, encrypted to the recipient alone. How many
// there are is returned with it.
func (b *Bank) ReleaseACH(ctx context.Context, c tenant.Caller, p account.ReleaseParams) (int, func(io.Writer) error, error) {
	var lines []released
	var key []age.Recipient
	now := b.time()
	err := b.update(ctx, func(tx *store.Tx) error {
		lines = nil
		to, err := recipient(tx, c.TenantID, p.To)
		if err != nil {
			return fault.Field("to", "is not a registered recipient")
		}
		if key, err = backup.Recipients([]string{to.Key}); err != nil {
			return fmt.Errorf("key of a recipient: %w", err)
		}
		chosen, err := releasable(tx, c, p)
		if err != nil {
			return err
		}
		for _, a := range chosen {
			lines = append(lines, released{a.ID, a.OwnerType, a.OwnerID, a.BankName, a.AccountType, a.Routing, a.Number, a.Evidence, now})
			d := auditEvent{action: "ach.release", object: "ach:" + a.ID, details: map[string]string{"to": to.Name, "key": to.Key}}
			if err := b.record(tx, c, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return len(lines), func(w io.Writer) error { return writeReleased(w, key, lines) }, nil
}

// releasable finds the accounts that are meant. All of them must be verified, and the caller's to write.
func releasable(tx *store.Tx, c tenant.Caller, p account.ReleaseParams) ([]storedACH, error) {
	if len(p.IDs) == 0 {
		chosen, err := achWhere(tx, c.TenantID, func(a storedACH) bool {
			return a.OwnerType == p.OwnerType && a.OwnerID == p.OwnerID && a.Status == account.Verified && c.Owns(a.Owner())
		})
		if err == nil && len(chosen) == 0 {
			err = fault.New(fault.NotFound, "this owner has no verified ACH account").WithHint("`bankctl ach list` shows what state they are in")
		}
		return chosen, err
	}
	var chosen []storedACH
	for i, id := range p.IDs {
		if slices.Contains(p.IDs[:i], id) {
			return nil, fault.Field("ids", "an account is named twice")
		}
		a, err := seenACH(tx, c, id)
		if err != nil {
			return nil, err
		}
		employer, carrier := a.Owner()
		if err := writable(c, employer, carrier, "ACH account"); err != nil {
			return nil, err
		}
		if a.Status != account.Verified {
			return nil, fault.New(fault.Conflict, "only verified accounts are released: this one is %s", a.Status).WithID(id)
		}
		chosen = append(chosen, a)
	}
	return chosen, nil
}

func writeReleased(w io.Writer, key []age.Recipient, lines []released) error {
	sealed, err := age.Encrypt(w, key...)
	if err != nil {
		return fmt.Errorf("seal release: %w", err)
	}
	enc := json.NewEncoder(sealed)
	for i := range lines {
		if err := enc.Encode(&lines[i]); err != nil {
			return fmt.Errorf("seal release: line %d: %w", i+1, err)
		}
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("seal release: %w", err)
	}
	return nil
}
