package vault_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/bankctl/bankctl/internal/vault"
)

const header = "bankd-kek/1\n"

func validKey() string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
}

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kek")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCreateFileKEK(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config", "bankd", "kek")
	created, err := vault.CreateFileKEK(path)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %04o, %v", filepath.Base(p), info.Mode().Perm(), err)
		}
	}
	opened, err := vault.OpenFileKEK(path)
	if err != nil || opened.ID() != created.ID() {
		t.Errorf("the key that was made is not the one that is read: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "Back it up") {
		t.Errorf("the file does not say that it wants a backup: %v", err)
	}
	if _, err := vault.CreateFileKEK(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over a key: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(text, after) {
		t.Error("the key was overwritten")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files beside the key, %v", len(left)-1, err)
	}
}

func TestCreateFileKEKRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	var made atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := vault.CreateFileKEK(path); err == nil {
				made.Add(1)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if made.Load() != 1 {
		t.Errorf("%d keys made at one path", made.Load())
	}
}

func TestOpenFileKEKRefusals(t *testing.T) {
	if _, err := vault.OpenFileKEK(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(write(t, header+validKey(), 0o600), link); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"group-readable", write(t, header+validKey(), 0o640), "chmod 600"},
		{"world-readable", write(t, header+validKey(), 0o604), "chmod 600"},
		{"symlink", link, "symbolic link"},
		{"directory", t.TempDir(), "not a regular file"},
		{"fifo", fifo, "not a regular file"},
		{"empty", write(t, "", 0o600), "not a bankd key file"},
		{"no-key", write(t, header+"# comment\n", 0o600), "not a bankd key file"},
		{"no-header", write(t, validKey(), 0o600), "not a bankd key file"},
		{"newer-version", write(t, "bankd-kek/2\n"+validKey(), 0o600), "not a bankd key file"},
		{"short-key", write(t, header+"AAAA\n", 0o600), "not a bankd key file"},
		{"two-keys", write(t, header+validKey()+validKey(), 0o600), "not a bankd key file"},
		{"long", write(t, header+strings.Repeat("#\n", 4096)+validKey(), 0o600), "not a bankd key file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := vault.OpenFileKEK(tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("want %q: %v", tt.want, err)
			}
			if strings.Contains(err.Error(), strings.TrimSpace(validKey())) {
				t.Error("the error shows the key")
			}
		})
	}
	crlf := strings.ReplaceAll(header+"# note\n"+validKey(), "\n", "\r\n")
	if kek, err := vault.OpenFileKEK(write(t, crlf, 0o600)); err != nil {
		t.Errorf("with CRLF line ends: %v", err)
	} else if same, err := vault.OpenFileKEK(write(t, header+validKey(), 0o600)); err != nil || same.ID() != kek.ID() {
		t.Errorf("CRLF made another key: %v", err)
	}
	for _, mode := range []os.FileMode{0o600, 0o400} {
		if _, err := vault.OpenFileKEK(write(t, header+"# note\n\n"+validKey(), mode)); err != nil {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

func TestOpenFileKEKOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to give a file away")
	}
	path := write(t, header+validKey(), 0o600)
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenFileKEK(path); err == nil || !strings.Contains(err.Error(), "chown") {
		t.Errorf("another user's file: %v", err)
	}
}

// A key file is refused unless it is a header, comments and one key.
func FuzzKeyFile(f *testing.F) {
	f.Add(header + validKey())
	f.Add(header + "# note\n" + validKey())
	f.Add(header)
	f.Fuzz(func(t *testing.T, text string) {
		kek, err := vault.OpenFileKEK(write(t, text, 0o600))
		if err != nil {
			return
		}
		if !strings.HasPrefix(strings.ReplaceAll(text, "\r\n", "\n"), header) || len(text) < len(header)+44 || kek.ID() == "" {
			t.Errorf("accepted as a key file: %q", text)
		}
	})
}
