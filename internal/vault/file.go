package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

const (
	keyFileHeader = "bankd-kek/1"
	keyFileNote   = "# The key to bankd's data. Back it up apart from the data: without it nothing can be read."
	maxKeyFile    = 4 << 10
)

// fileKEK holds a key that was read from a file.
type fileKEK struct {
	id   string
	aead *subtle.AESGCM
	path string
}

// OpenFileKEK reads the key at path. It refuses a file that others can read or write; a missing file is fs.ErrNotExist.
func OpenFileKEK(path string) (KEK, error) {
	return openFileKEK(path)
}

func openFileKEK(path string) (*fileKEK, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	key, err := parseKeyFile(text)
	if err != nil {
		return nil, fmt.Errorf("open key file %s: %w", path, err)
	}
	return newFileKEK(path, key)
}

func readKeyFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errors.Is(err, syscall.ELOOP) {
		return "", fmt.Errorf("%s is a symbolic link: name the file itself", path)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if err := checkKeyFile(path, info); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return "", err
	}
	return string(text), nil
}

// checkKeyFile checks the opened file, not its name.
func checkKeyFile(path string, info os.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	allowed := os.FileMode(0o600)
	if ok && stat.Uid == 0 && os.Geteuid() != 0 {
		allowed = 0o640 // systemd passes root's credential by an ACL, which stat shows as the group's bits
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case !ok:
		return fmt.Errorf("%s: its owner cannot be told", path)
	case stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to uid %d: run `chown %d %s`", path, stat.Uid, os.Geteuid(), path)
	case info.Mode().Perm()&^allowed != 0:
		return fmt.Errorf("%s has mode %04o, others could read it: run `chmod 600 %s`", path, info.Mode().Perm(), path)
	}
	return nil
}

var errKeyForm = errors.New("not a bankd key file: restore it from its backup")

// parseKeyFile accepts exactly one header line, comments, and one key line. Lines may end in CRLF, as an editor on Windows
// leaves them.
func parseKeyFile(text string) (Key, error) {
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	if len(text) > maxKeyFile || lines[0] != keyFileHeader {
		return Key{}, errKeyForm
	}
	var encoded []string
	for _, line := range lines[1:] {
		if line != "" && !strings.HasPrefix(line, "#") {
			encoded = append(encoded, line)
		}
	}
	if len(encoded) != 1 {
		return Key{}, errKeyForm
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded[0])
	if err != nil || len(raw) != KeySize {
		return Key{}, errKeyForm
	}
	return keyOf([KeySize]byte(raw)), nil
}

func formatKeyFile(key Key) string {
	encoded := base64.StdEncoding.EncodeToString(key.Reveal())
	return keyFileHeader + "\n" + keyFileNote + "\n" + encoded + "\n"
}

// CreateFileKEK makes a key and writes it to path, which must not exist. It creates a missing directory as private.
func CreateFileKEK(path string) (KEK, error) {
	key := NewKey()
	if err := writeKeyFile(path, formatKeyFile(key)); err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return newFileKEK(path, key)
}

// writeKeyFile writes a temporary file and links it into place: a crash leaves no half key, and link, unlike rename,
// never replaces a file.
func writeKeyFile(path, text string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".kek-*") // 0600, O_EXCL
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newFileKEK(path string, key Key) (*fileKEK, error) {
	a, err := subtle.NewAESGCM(key.Reveal())
	if err != nil {
		return nil, fmt.Errorf("use key: %w", err)
	}
	mac := hmac.New(sha256.New, key.Reveal())
	mac.Write([]byte("bankd/1 kek id"))
	return &fileKEK{id: "file:" + hex.EncodeToString(mac.Sum(nil)[:8]), aead: a, path: path}, nil
}

func (k *fileKEK) ID() string { return k.id }

func (k *fileKEK) Wrap(ctx context.Context, dek, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.aead.Encrypt(dek, aad)
}

func (k *fileKEK) Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dek, err := k.aead.Decrypt(blob, aad)
	if err != nil {
		return nil, ErrWrongKey
	}
	return dek, nil
}
