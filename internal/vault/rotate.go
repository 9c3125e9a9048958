package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Rotate makes a new key at kek's provider and returns it, else ErrNoRotation with what to do. Nothing is wrapped by it
// yet, and the provider still opens what the old key wrapped. A file's new key lies beside the old one until Settle.
func Rotate(ctx context.Context, kek KEK) (KEK, error) {
	if r, ok := Newest(kek).(interface {
		Rotate(context.Context) (KEK, error)
	}); ok {
		return r.Rotate(ctx)
	}
	return nil, ErrNoRotation
}

// Renew returns the newest key that kek's provider has, which may have been made elsewhere; a file's is kek itself.
func Renew(ctx context.Context, kek KEK) (KEK, error) {
	newest := Newest(kek)
	if r, ok := newest.(interface {
		Renew(context.Context) (KEK, error)
	}); ok {
		return r.Renew(ctx)
	}
	return newest, nil
}

// Settle ends a rotation, after which nothing that is stored needs the old key.
func Settle(kek KEK) error {
	if s, ok := Newest(kek).(interface{ Settle() error }); ok {
		return s.Settle()
	}
	return nil
}

// The new key of a rotation under way, and the key from before the last one, lie beside the key.
const (
	nextSuffix = ".next"
	oldSuffix  = ".old"
)

// nextFileKEK is a new key that has not taken the old one's place.
type nextFileKEK struct {
	*fileKEK
	place string // of the old key
}

// NextFileKEK opens the new key that an unfinished rotation left beside path, or returns fs.ErrNotExist.
func NextFileKEK(path string) (KEK, error) {
	kek, err := openFileKEK(path + nextSuffix)
	if err != nil {
		return nil, err
	}
	return &nextFileKEK{kek, path}, nil
}

// Rotate makes a key beside the old one, or takes the one that an earlier call left there.
func (k *fileKEK) Rotate(ctx context.Context) (KEK, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	_, err := CreateFileKEK(k.path + nextSuffix)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: the key's directory must be writable, mode 0700 and bankd's own", err)
	}
	return NextFileKEK(k.path)
}

// Settle moves the new key into the old one's place. The old key stays as kek.old, for copies of the data from before.
func (k *nextFileKEK) Settle() error {
	if err := k.settle(); err != nil {
		return fmt.Errorf("move the new key to %s: %w", k.place, err)
	}
	return nil
}

func (k *nextFileKEK) settle() error {
	if k.path == k.place {
		return nil // an earlier call moved it
	}
	if err := os.Remove(k.place + oldSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(k.place, k.place+oldSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(k.path, k.place); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(k.place)); err != nil {
		return err
	}
	k.path = k.place
	return nil
}

// credentialKEK is a key that systemd hands over, and renews at the next start alone.
type credentialKEK struct{ *fileKEK }

// CredentialName is the name that systemd hands the key over by; with .old, the key before it.
const CredentialName = "bankd-kek"

// OpenCredentialKEK reads the key that systemd handed over in a directory, and an older one if it is there.
func OpenCredentialKEK(dir string) (KEK, error) {
	if dir == "" {
		return nil, errors.New("open key of systemd: CREDENTIALS_DIRECTORY is not set: start bankd by a unit with LoadCredentialEncrypted=bankd-kek")
	}
	path := filepath.Join(dir, CredentialName)
	kek, err := openFileKEK(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open key of systemd: there is no credential %s in %s: add LoadCredentialEncrypted=%s to the unit", CredentialName, dir, CredentialName)
	}
	if err != nil {
		return nil, err
	}
	old, err := openFileKEK(path + oldSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return credentialKEK{kek}, nil
	}
	if err != nil {
		return nil, err
	}
	return WithOld(credentialKEK{kek}, old), nil
}

// Rotate explains what the operator does.
func (credentialKEK) Rotate(context.Context) (KEK, error) {
	return nil, fmt.Errorf("%w: give the unit a new credential %s, the present one as %s.old, start bankd again and run `bankctl keys rewrap`",
		ErrNoRotation, CredentialName, CredentialName)
}
