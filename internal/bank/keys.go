package bank

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// rotationRetry is how long a rotation waits after an error, such as an outage of the KEK's provider.
const rotationRetry = 10 * time.Second

// turning is the state of a rotation in this process.
type turning struct {
	problem atomic.Pointer[string]
	wake    chan struct{} // holds one signal at most: a rotation has begun
}

// explainKEK tells what stands in the way of the KEK's provider. Nothing but new keys needs it.
func explainKEK(err error) error {
	switch {
	case errors.Is(err, store.ErrKEKUnavailable):
		return fault.New(fault.Unavailable, "the key to the data is out of reach, so no keys can be made or turned; everything else goes on").
			WithHint("see bankd's log for the cause; `bankctl keys status` says which provider has the key").Because(err)
	case errors.Is(err, store.ErrNoRotation):
		_, what, _ := strings.Cut(err.Error(), store.ErrNoRotation.Error()+": ")
		return fault.New(fault.Conflict, "%s", store.ErrNoRotation.Error()).WithHint("%s", what).Because(err)
	case errors.Is(err, store.ErrRotating):
		return fault.New(fault.Conflict, "a rotation is under way").WithHint("`bankctl keys status` shows how far it is")
	}
	return err
}

// ownerOf checks that the local owner calls, and returns it as a caller in the default tenant, whose chain has what is
// done to the whole store.
func (b *Bank) ownerOf(ctx context.Context, c tenant.Caller) (tenant.Caller, error) {
	if !c.LocalOwner {
		return c, fault.New(fault.Forbidden, "the keys are the local owner's").
			WithHint("run it as the user that runs bankd, without a profile")
	}
	t, err := b.TenantByName(ctx, tenant.DefaultName)
	c.TenantID = t.ID
	return c, err
}

// KeyStatus tells which keys there are and how far a rotation is.
func (b *Bank) KeyStatus(ctx context.Context, c tenant.Caller) (keys.Status, error) {
	if _, err := b.ownerOf(ctx, c); err != nil {
		return keys.Status{}, err
	}
	return b.keyStatus(ctx)
}

func (b *Bank) keyStatus(ctx context.Context) (keys.Status, error) {
	s := keys.Status{KEK: b.db.Header().KEK, Tenants: len(b.db.Tenants()), Escrow: []keys.Recipient{}, Keysets: []keys.Keysets{}}
	counts, err := b.db.KEKs(ctx)
	if err != nil {
		return s, err
	}
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		s.Keysets = append(s.Keysets, keys.Keysets{KEK: id, Number: counts[id], Current: id == s.KEK})
	}
	for _, r := range b.db.Recipients() {
		s.Escrow = append(s.Escrow, keys.Recipient(r))
	}
	r, found, err := b.db.Rotation(ctx)
	if err != nil || !found {
		return s, err
	}
	s.Rotation = &keys.Rotation{Phase: r.Phase, Started: r.Started, Done: r.Done, Total: r.Total, Rate: r.Rate}
	if problem := b.turning.problem.Load(); problem != nil {
		s.Rotation.Problem = *problem
	}
	return s, nil
}

// RotateKeys makes a new KEK and wraps all keysets by it, then gives every tenant a new data key. Records are sealed anew
// in the background.
func (b *Bank) RotateKeys(ctx context.Context, c tenant.Caller, p keys.RotateParams) (keys.Turned, error) {
	c, err := b.ownerOf(ctx, c)
	if err != nil {
		return keys.Turned{}, err
	}
	defer b.locks.Lock("keys")()
	ctx = context.WithoutCancel(ctx)
	if _, found, err := b.db.Rotation(ctx); err != nil || found && p.Only != keys.OnlyKEK {
		return keys.Turned{}, explainKEK(errors.Join(err, store.ErrRotating))
	}
	var turned keys.Turned
	if p.Only != keys.OnlyData {
		if turned, err = b.changeKEK(ctx, c, "keys.rotate_kek", b.db.RotateKEK); err != nil {
			return keys.Turned{}, err
		}
	}
	if p.Only != keys.OnlyKEK {
		err := b.db.BeginRotation(ctx, b.time(), func(tx *store.Tx) error {
			return b.record(tx, c, auditEvent{action: "keys.rotate_data", object: "keys:data"})
		})
		select {
		case b.turning.wake <- struct{}{}: // after an error too: some keys may have been turned
		default:
		}
		if err != nil {
			b.log.Error("cannot rotate the data keys", "error", err.Error())
			return keys.Turned{}, explainKEK(err)
		}
	}
	turned.Status, err = b.keyStatus(ctx)
	return turned, err
}

// RewrapKeys wraps all keysets by the newest key of the configured provider.
func (b *Bank) RewrapKeys(ctx context.Context, c tenant.Caller, _ keys.RewrapParams) (keys.Turned, error) {
	c, err := b.ownerOf(ctx, c)
	if err != nil {
		return keys.Turned{}, err
	}
	defer b.locks.Lock("keys")()
	ctx = context.WithoutCancel(ctx)
	turned, err := b.changeKEK(ctx, c, "keys.rewrap", b.db.Rewrap)
	if err != nil {
		return keys.Turned{}, err
	}
	turned.Status, err = b.keyStatus(ctx)
	return turned, err
}

func (b *Bank) changeKEK(ctx context.Context, c tenant.Caller, action string,
	change func(context.Context, func(*store.Tx, store.Rewrapped) error) (store.Rewrapped, error),
) (keys.Turned, error) {
	done, err := change(ctx, func(tx *store.Tx, r store.Rewrapped) error { return b.record(tx, c, rewrapEvent(action, r)) })
	if err != nil {
		b.log.Error("cannot change the key that wraps the data keys", "error", err.Error())
		return keys.Turned{}, explainKEK(err)
	}
	b.log.Info("the data keys are wrapped anew", "from", done.From, "to", done.To, "keysets", done.Keysets)
	return keys.Turned{From: done.From, To: done.To, Keysets: done.Keysets}, nil
}

func rewrapEvent(action string, r store.Rewrapped) auditEvent {
	return auditEvent{action: action, object: "keys:kek", details: map[string]string{"from": r.From, "to": r.To, "keysets": strconv.Itoa(r.Keysets)}}
}

// NoteRewrap records a rotation of the KEK that a start has finished; nothing if it did nothing.
func (b *Bank) NoteRewrap(ctx context.Context, r store.Rewrapped) error {
	if r.Keysets == 0 {
		return nil
	}
	return b.update(ctx, func(tx *store.Tx) error {
		t, err := defaultTenant(tx)
		if err != nil {
			return err
		}
		return b.record(tx, system(t), rewrapEvent("keys.finish_rotate_kek", r))
	})
}

// continueRotations goes on with a rotation that the end of a process cut short, and then with those that RotateKeys
// begins.
func (b *Bank) continueRotations(ctx context.Context) {
	for {
		b.continueRotation(ctx)
		select {
		case <-ctx.Done():
			return
		case <-b.turning.wake:
		}
	}
}

// continueRotation seals records anew until none lies under an old key.
func (b *Bank) continueRotation(ctx context.Context) {
	for ctx.Err() == nil {
		err := b.db.ContinueRotation(ctx, func(tx *store.Tx, r store.Rotation) error {
			t, err := defaultTenant(tx)
			if err != nil {
				return err
			}
			took := b.time().Sub(r.Started).Round(time.Millisecond)
			return b.record(tx, system(t), auditEvent{
				action: "keys.rotated", object: "keys:data",
				details: map[string]string{"records": strconv.FormatUint(r.Total, 10), "old_values": "0", "took": took.String()},
			})
		})
		if err == nil {
			b.turning.problem.Store(nil)
			return
		}
		if ctx.Err() != nil {
			return
		}
		problem := "it cannot go on; see bankd's log"
		if errors.Is(err, store.ErrKEKUnavailable) {
			problem = "the key's provider does not answer"
		}
		b.turning.problem.Store(&problem)
		b.log.Error("the rotation of the data keys waits", "error", err.Error(), "retry", rotationRetry.String())
		select {
		case <-ctx.Done():
		case <-time.After(rotationRetry):
		}
	}
}

func defaultTenant(tx *store.Tx) (id string, err error) {
	for rec, err := range tenants.Scan(tx, store.SystemTenant, store.Range{}) {
		if err != nil {
			return "", err
		}
		if rec.Value.Name == tenant.DefaultName {
			return rec.ID, nil
		}
	}
	return "", fault.New(fault.NotFound, "no such tenant")
}

// SetEscrow encrypts every tenant's keys to new recipients.
func (b *Bank) SetEscrow(ctx context.Context, c tenant.Caller, p keys.EscrowParams) (keys.Status, error) {
	c, err := b.ownerOf(ctx, c)
	if err != nil {
		return keys.Status{}, err
	}
	defer b.locks.Lock("keys")()
	ctx = context.WithoutCancel(ctx)
	to := make([]store.Recipient, len(p.To))
	names := make([]string, len(p.To))
	for i, r := range p.To {
		to[i], names[i] = store.Recipient(r), r.Key
	}
	err = b.db.SetEscrow(ctx, to, func(tx *store.Tx) error {
		return b.record(tx, c, auditEvent{action: "keys.escrow", object: "keys:escrow", details: map[string]string{"to": strings.Join(names, " ")}})
	})
	switch {
	case errors.Is(err, store.ErrRecipient):
		return keys.Status{}, fault.Field("to", "must be age recipients, age1…, as age-keygen prints them")
	case errors.Is(err, store.ErrTooFewRecipients):
		return keys.Status{}, fault.Field("to", "must be two different recipients or more")
	case err != nil:
		return keys.Status{}, err
	}
	return b.keyStatus(ctx)
}

// VerifyKeys unwraps every keyset, decrypts every record, and counts values by data key.
func (b *Bank) VerifyKeys(ctx context.Context, c tenant.Caller) (keys.Report, error) {
	if _, err := b.ownerOf(ctx, c); err != nil {
		return keys.Report{}, err
	}
	r := keys.Report{KEK: b.db.Header().KEK, Values: []keys.Values{}, Problems: []string{}}
	var err error
	if r.Keysets, err = b.db.CheckKeysets(ctx); err != nil {
		if errors.Is(err, store.ErrKEKUnavailable) || ctx.Err() != nil {
			return r, explainKEK(err)
		}
		r.Problems = append(r.Problems, err.Error())
	}
	report, err := b.db.Scrub(ctx, nil)
	if err != nil {
		return r, err
	}
	r.Records = report.Records
	for _, p := range report.Problems {
		r.Problems = append(r.Problems, p.Key+": "+p.Reason)
	}
	if report.More > 0 {
		r.Problems = append(r.Problems, "and "+strconv.Itoa(report.More)+" more")
	}
	counts, err := b.db.CountByKey(ctx)
	if err != nil {
		return r, err
	}
	for _, n := range counts {
		r.Values = append(r.Values, keys.Values{Tenant: n.Tenant, Key: n.Key, Current: n.Current, Number: n.Values})
		if !n.Current {
			r.Old += n.Values
		}
	}
	r.OK = len(r.Problems) == 0
	return r, nil
}
