package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/vault"
)

// ErrRotating means that a rotation is under way already.
var ErrRotating = errors.New("a rotation is under way")

// Bounds of one transaction of a rotation: records sealed anew, their bytes, and records looked at.
const (
	maxResealed      = 500
	maxResealedBytes = 4 << 20
	maxPassed        = 20000
)

// Phases of a rotation, in their order.
const (
	phaseKeys    = "keys"    // every keyset gets a new key, which seals from then on
	phaseRecords = "records" // records that older keys sealed are sealed anew
	phaseOwn     = "own"     // so are the store's own entries
	phaseDrop    = "drop"    // no value lies under an older key: older keys are dropped
)

// Rotation is a rotation of the data keys that is under way.
type Rotation struct {
	Phase   string
	Started time.Time
	Done    uint64  // records looked at
	Total   uint64  // records when it began
	Rate    float64 // records a second since this process took it up
}

// rotation is the stored mark of a rotation, by which a later start goes on.
type rotation struct {
	Phase   string    `json:"phase"`
	Started time.Time `json:"started"`
	Cursor  []byte    `json:"cursor,omitempty"` // the next key
	Done    uint64    `json:"done"`
	Total   uint64    `json:"total"`
}

// turningRate measures the rate of this process.
type turningRate struct {
	began atomic.Int64 // nanoseconds; 0 = not yet
	done  atomic.Uint64
}

func (r *turningRate) note(records uint64) {
	r.began.CompareAndSwap(0, time.Now().UnixNano())
	r.done.Add(records)
}

func (r *turningRate) rate() float64 {
	began := r.began.Load()
	if began == 0 {
		return 0
	}
	return float64(r.done.Load()) / max(time.Since(time.Unix(0, began)).Seconds(), 0.001)
}

func (tx *Tx) rotation() (r rotation, found bool, err error) {
	stored, err := tx.raw.Get([]byte(keyRotation))
	if errors.Is(err, ErrNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	plain, err := open(tx.db.system().sealer, SystemTenant, keyRotation, keyRotation, stored)
	if err != nil || json.Unmarshal(plain, &r) != nil {
		return r, false, tx.db.noteDamage(damaged("its mark of a rotation does not open"))
	}
	return r, true, nil
}

func (tx *Tx) putRotation(r rotation) error {
	plain, err := json.Marshal(r)
	if err != nil {
		return err
	}
	sealed, err := seal(tx.db.system().sealer, SystemTenant, keyRotation, keyRotation, plain)
	if err != nil {
		return err
	}
	return tx.putOwn([]byte(keyRotation), sealed)
}

// Rotation returns the rotation that is under way, if there is one.
func (db *DB) Rotation(ctx context.Context) (Rotation, bool, error) {
	r, found, err := db.readRotation(ctx)
	return Rotation{r.Phase, r.Started, r.Done, r.Total, db.turning.rate()}, found, err
}

func (db *DB) readRotation(ctx context.Context) (r rotation, found bool, err error) {
	err = db.View(ctx, func(tx *Tx) (err error) {
		r, found, err = tx.rotation()
		return err
	})
	return r, found, err
}

// BeginRotation gives every tenant a new data key, which seals from then on, and marks the rotation as begun; audit runs
// in the first transaction. ContinueRotation does the rest. Digest keys are not turned: their digests are ids and hashes.
func (db *DB) BeginRotation(ctx context.Context, now time.Time, audit func(*Tx) error) error {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	turned, forms, err := db.turn(ctx, SystemTenant)
	if err != nil {
		return err
	}
	total, err := db.countRecords(ctx)
	if err != nil {
		return err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		if _, found, err := tx.rotation(); err != nil || found {
			return errors.Join(err, ErrRotating)
		}
		if err := tx.putRotation(rotation{Phase: phaseKeys, Started: now.UTC(), Total: total}); err != nil {
			return err
		}
		if err := tx.putKeys(SystemTenant, forms); err != nil {
			return err
		}
		return audit(tx)
	})
	if err != nil {
		return err
	}
	crashPoint("rotate.begun")
	db.setKeys(map[string]tenantKeys{SystemTenant: turned})
	return db.turnAll(ctx)
}

// turn makes a tenant's next key. It calls the KEK.
func (db *DB) turn(ctx context.Context, tenant string) (tenantKeys, keysetForms, error) {
	return db.change(ctx, tenant, (*vault.Sealer).Turn)
}

func (db *DB) change(ctx context.Context, tenant string, how func(*vault.Sealer) (*vault.Sealer, error)) (tenantKeys, keysetForms, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return tenantKeys{}, keysetForms{}, err
	}
	if keys.sealer, err = how(keys.sealer); err != nil {
		return tenantKeys{}, keysetForms{}, err
	}
	forms, err := db.forms(ctx, vault.Newest(db.kek), tenant, keys)
	return keys, forms, err
}

func (db *DB) countRecords(ctx context.Context) (total uint64, err error) {
	err = db.engine.View(ctx, func(tx EngineTx) error {
		manifests, err := db.checkOwn(tx)
		total = 0
		for _, m := range manifests {
			total += m.count
		}
		return err
	})
	return total, err
}

// turnAll gives a new key to each tenant that has not got one in this rotation; ensureMu is held.
func (db *DB) turnAll(ctx context.Context) error {
	err := db.changeKeysets(ctx, func(k tenantKeys) bool { return k.sealer.Keys() == 1 }, (*vault.Sealer).Turn)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		r, found, err := tx.rotation()
		if err != nil || !found || r.Phase != phaseKeys {
			return err
		}
		r.Phase = phaseRecords
		return tx.putRotation(r)
	})
}

// changeKeysets changes the keysets that want it, in transactions of at most maxKeysets.
func (db *DB) changeKeysets(ctx context.Context, wants func(tenantKeys) bool, how func(*vault.Sealer) (*vault.Sealer, error)) error {
	names := slices.DeleteFunc(db.allTenants(), func(tenant string) bool {
		keys, err := db.tenant(tenant)
		return err != nil || !wants(keys)
	})
	for chunk := range slices.Chunk(names, maxKeysets) {
		next, forms := map[string]tenantKeys{}, map[string]keysetForms{}
		for _, tenant := range chunk {
			var err error
			if next[tenant], forms[tenant], err = db.change(ctx, tenant, how); err != nil {
				return err
			}
		}
		err := db.Update(ctx, func(tx *Tx) error {
			for _, tenant := range chunk {
				if err := tx.putKeys(tenant, forms[tenant]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		db.setKeys(next)
		crashPoint("rotate.keys")
	}
	return nil
}

// ContinueRotation goes on with a rotation until it is over, a transaction at a time, while others read and write. It
// returns nil if there is none. done runs in the last transaction.
func (db *DB) ContinueRotation(ctx context.Context, done func(*Tx, Rotation) error) error {
	for {
		r, found, err := db.readRotation(ctx)
		if err != nil || !found {
			return err
		}
		switch r.Phase {
		case phaseKeys:
			db.ensureMu.Lock()
			err = db.turnAll(ctx)
			db.ensureMu.Unlock()
		case phaseRecords:
			err = db.resealRecords(ctx)
		case phaseOwn:
			err = db.resealOwn(ctx)
		case phaseDrop:
			err = db.dropOld(ctx, done)
		default:
			err = damaged("its mark of a rotation is of a newer program")
		}
		if err != nil {
			return fmt.Errorf("rotate data keys: %w", err)
		}
		crashPoint("rotate.step")
	}
}

// resealRecords seals one transaction's part of the records anew.
func (db *DB) resealRecords(ctx context.Context) error {
	var passed uint64
	err := db.Update(ctx, func(tx *Tx) error {
		r, found, err := tx.rotation()
		if err != nil || !found {
			return err
		}
		batch, next, seen, err := tx.oldRecords(r.Cursor)
		if err != nil {
			return err
		}
		for _, e := range batch {
			if err := tx.reseal(e); err != nil {
				return err
			}
		}
		r.Done, r.Cursor, passed = r.Done+seen, next, seen
		if next == nil {
			r.Phase = phaseOwn
		}
		return tx.putRotation(r)
	})
	if err == nil {
		db.turning.note(passed)
	}
	return err
}

// oldRecords copies the next records that an older key sealed, up to the bounds of a transaction, and returns where to
// go on, nil at the end, and how many records it passed.
func (tx *Tx) oldRecords(from []byte) (batch []Entry, next []byte, passed uint64, err error) {
	if from == nil {
		from = []byte(prefixOwnsAfter)
	}
	size := 0
	for e, err := range tx.raw.PeekRange(from, nil) {
		if err != nil {
			return nil, nil, 0, err
		}
		if len(batch) == maxResealed || size >= maxResealedBytes || passed == maxPassed {
			return batch, bytes.Clone(e.Key), passed, nil
		}
		passed++
		tenant, _, _, ok := splitKey(e.Key)
		if !ok {
			return nil, nil, 0, tx.db.noteDamage(damaged("a key that is not of this store"))
		}
		keys, err := tx.tenant(tenant)
		if err != nil {
			return nil, nil, 0, err
		}
		if sealedBy(keys.sealer, e.Value) {
			continue
		}
		batch = append(batch, Entry{bytes.Clone(e.Key), bytes.Clone(e.Value)})
		size += len(e.Value)
	}
	return batch, nil, passed, nil
}

// reseal seals a record or blob by the tenant's newest key.
func (tx *Tx) reseal(e Entry) error {
	tenant, collection, id, _ := splitKey(e.Key)
	keys, err := tx.tenant(tenant)
	if err != nil {
		return err
	}
	stored, err := resealed(keys.sealer, tenant, collection, id, e.Value)
	if err != nil {
		return tx.db.noteDamage(err)
	}
	return tx.put(tenant, collection, e.Key, stored)
}

func resealed(s *vault.Sealer, tenant, collection, id string, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != storedInParts {
		plain, err := open(s, tenant, collection, id, stored)
		if err != nil {
			return nil, err
		}
		return seal(s, tenant, collection, id, plain)
	}
	head, err := openHead(s, tenant, collection, id, stored)
	if err != nil {
		return nil, err
	}
	body, err := openBody(s, tenant, collection, id, stored)
	if err != nil {
		return nil, err
	}
	return sealParts(s, tenant, collection, id, head, body)
}

// sealedParts returns the sealed texts of a stored value: one, or the two of a blob.
func sealedParts(stored []byte) [][]byte {
	if len(stored) == 0 {
		return nil
	}
	if stored[0] == storedInParts {
		head, body, err := splitParts(stored)
		if err != nil {
			return nil
		}
		return [][]byte{head, body}
	}
	return [][]byte{stored[1:]}
}

// sealedBy reports whether the key that seals now sealed all of a stored value.
func sealedBy(s *vault.Sealer, stored []byte) bool {
	for _, part := range sealedParts(stored) {
		if id, ok := vault.KeyOf(part); Sealed && (!ok || id != s.KeyID()) {
			return false
		}
	}
	return true
}

// resealOwn seals the store's own entries anew, and goes on to drop the older keys if nothing lies under them.
func (db *DB) resealOwn(ctx context.Context) error {
	for {
		left := false
		err := db.Update(ctx, func(tx *Tx) (err error) {
			left, err = tx.resealOwn()
			return err
		})
		if err != nil {
			return err
		}
		crashPoint("rotate.own")
		if !left {
			break
		}
	}
	old, err := db.countOld(ctx)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		r, found, err := tx.rotation()
		if err != nil || !found {
			return err
		}
		r.Phase = phaseDrop
		if old > 0 { // another pass
			r.Phase, r.Cursor, r.Done = phaseRecords, nil, 0
		}
		return tx.putRotation(r)
	})
}

// resealOwn seals up to maxResealed of the store's own entries anew, and reports whether there may be more.
func (tx *Tx) resealOwn() (more bool, err error) {
	sealer := tx.db.system().sealer
	var batch []Entry
	for e, err := range tx.raw.PeekRange([]byte(prefixOwn), []byte(prefixOwnsAfter)) {
		if err != nil {
			return false, err
		}
		if !sealedOwn(e.Key) || sealedBy(sealer, e.Value) {
			continue
		}
		batch = append(batch, Entry{bytes.Clone(e.Key), bytes.Clone(e.Value)})
		if len(batch) == maxResealed {
			break
		}
	}
	for _, e := range batch {
		if err := tx.resealOwnEntry(e); err != nil {
			return false, err
		}
	}
	return len(batch) == maxResealed, nil
}

// sealedOwn reports whether one of the store's own entries is sealed by the system's data key.
func sealedOwn(key []byte) bool {
	for _, plain := range []string{prefixKeyset, prefixEscrow, prefixDoomed} {
		if bytes.HasPrefix(key, []byte(plain)) {
			return false
		}
	}
	return string(key) != keyHeader && string(key) != keyRecipients
}

func (tx *Tx) resealOwnEntry(e Entry) error {
	key := string(e.Key)
	switch {
	case bytes.HasPrefix(e.Key, []byte(prefixManifest)):
		m, err := tx.db.openManifest(e.Key, e.Value)
		if err != nil {
			return tx.db.noteDamage(err)
		}
		sealed, err := tx.db.sealManifest(e.Key, m)
		if err != nil {
			return err
		}
		return tx.putOwn(e.Key, sealed)
	case bytes.HasPrefix(e.Key, []byte(prefixRoot)):
		_, err := tx.changedRoot(key[len(prefixRoot):])
		return err
	case key == keySealed:
		return tx.putHeader(tx.db.Header())
	case key == keyRotation:
		r, _, err := tx.rotation()
		return errors.Join(err, tx.putRotation(r))
	}
	return fmt.Errorf("a rotation does not know the store's own entry %q", key)
}

// countOld counts the values that an older key sealed.
func (db *DB) countOld(ctx context.Context) (uint64, error) {
	counts, err := db.CountByKey(ctx)
	var old uint64
	for _, c := range counts {
		if !c.Current {
			old += c.Values
		}
	}
	return old, err
}

// KeyCount is how many values one of a tenant's data keys sealed. A blob has two values.
type KeyCount struct {
	Tenant  string
	Key     string // the key's id in hex
	Current bool   // seals now
	Values  uint64
}

// CountByKey counts the values under each data key.
func (db *DB) CountByKey(ctx context.Context) ([]KeyCount, error) {
	type key struct {
		tenant string
		id     vault.KeyID
	}
	var counts map[key]uint64
	var ring map[string]tenantKeys
	err := db.View(ctx, func(tx *Tx) error {
		counts, ring = map[key]uint64{}, tx.keyring
		for e, err := range tx.raw.PeekRange(nil, nil) {
			if err != nil {
				return err
			}
			tenant, _, _, ok := splitKey(e.Key)
			switch {
			case bytes.HasPrefix(e.Key, []byte(prefixOwn)):
				if tenant = SystemTenant; !sealedOwn(e.Key) {
					continue
				}
			case !ok:
				return tx.db.noteDamage(damaged("a key that is not of this store"))
			}
			for _, part := range sealedParts(e.Value) {
				id, _ := vault.KeyOf(part)
				counts[key{tenant, id}]++
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	list := make([]KeyCount, 0, len(counts))
	for k, n := range counts {
		keys, known := ring[k.tenant]
		list = append(list, KeyCount{k.tenant, k.id.String(), known && keys.sealer.KeyID() == k.id || !Sealed, n})
	}
	slices.SortFunc(list, func(a, b KeyCount) int {
		if c := bytes.Compare([]byte(a.Tenant), []byte(b.Tenant)); c != 0 {
			return c
		}
		return bytes.Compare([]byte(a.Key), []byte(b.Key))
	})
	return list, err
}

// dropOld drops the older keys of all tenants, and ends the rotation.
func (db *DB) dropOld(ctx context.Context, done func(*Tx, Rotation) error) error {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	err := db.changeKeysets(ctx, func(k tenantKeys) bool { return k.sealer.Keys() > 1 }, (*vault.Sealer).Drop)
	if err != nil {
		return err
	}
	crashPoint("rotate.dropped")
	err = db.Update(ctx, func(tx *Tx) error {
		r, found, err := tx.rotation()
		if err != nil || !found {
			return err
		}
		if err := tx.deleteOwn([]byte(keyRotation)); err != nil {
			return err
		}
		return done(tx, Rotation{r.Phase, r.Started, r.Total, r.Total, db.turning.rate()})
	})
	crashPoint("rotate.done")
	db.unwiped.note(err == nil) // what the old keys sealed
	return err
}
