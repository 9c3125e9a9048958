package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/tenant"
)

const defaultProfile = "default"

// profile is a saved client; its secret is in a file of its own.
type profile struct {
	Name     string `yaml:"name" json:"name"`
	Socket   string `yaml:"socket,omitempty" json:"socket"`
	ClientID string `yaml:"client_id" json:"client_id"`
}

type profileFile struct {
	Current  string    `yaml:"current,omitempty"` // the profile where none is named; left out: default
	Profiles []profile `yaml:"profiles"`
}

// profileStore is bankctl's directory of profiles.
type profileStore struct{ dir string }

func (a *app) profileBook() profileStore {
	dir := socket.XDGDir(a.Getenv, "XDG_CONFIG_HOME", ".config")
	if dir == "" {
		return profileStore{}
	}
	return profileStore{filepath.Join(dir, "bankctl")}
}

func (b profileStore) path() string { return filepath.Join(b.dir, "config.yaml") }

func (b profileStore) secretPath(name string) string { return filepath.Join(b.dir, "secrets", name) }

func (b profileStore) read() (profileFile, error) {
	var f profileFile
	if b.dir == "" {
		return f, fs.ErrNotExist
	}
	text, err := readSafely(b.path(), private.Settings) // it says which socket the secret goes to
	if err != nil {
		return f, err
	}
	// viper is not used here: its packages would make up a twentieth of each command's start.
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	err = d.Decode(&f)
	if _, unknown := errors.AsType[*yaml.TypeError](err); unknown {
		return f, usage("it holds a list `profiles` of name, socket and client_id", "%s has keys that are not known", b.path())
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return f, usage("mend the file, or move it away and run `bankctl init`", "%s is not valid YAML", b.path())
	}
	return f, nil
}

// find gives a profile by name, or fs.ErrNotExist.
func (b profileStore) find(name string) (profile, error) {
	if tenant.CheckOwnerID(name) != nil { // it is a file's name too
		return profile{}, usage("letters, digits, - and _", "%q cannot be a profile's name", name)
	}
	f, err := b.read()
	if err != nil {
		return profile{}, err
	}
	i := slices.IndexFunc(f.Profiles, func(p profile) bool { return p.Name == name })
	if i < 0 {
		return profile{}, fs.ErrNotExist
	}
	return f.Profiles[i], nil
}

// secret reads a profile's secret, and refuses a file that others can read.
func (b profileStore) secret(name string) (string, error) {
	path := b.secretPath(name)
	text, err := readSafely(path, private.Secret)
	if errors.Is(err, fs.ErrNotExist) {
		return "", usage("`bankctl init --force` makes a new client", "the secret of profile %q is gone: there is no %s", name, path)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// readSafely reads a file, unless others can do with it what check forbids.
func readSafely(path string, check func(*os.File, string) error) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = check(f, path)
	if problem, ok := errors.AsType[*private.Problem](err); ok {
		return nil, usage(problem.Fix, "%s %s", problem.Path, problem.What)
	}
	if err != nil {
		return nil, fmt.Errorf("check %s: %w", path, err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return text, nil
}

// save writes a profile. It writes the secret first: a profile without its secret is useless.
func (b profileStore) save(p profile, secretText string) error {
	if b.dir == "" {
		return usage("set HOME or XDG_CONFIG_HOME", "there is no directory for profiles")
	}
	return b.change(func(f *profileFile) error {
		if err := writePrivateFile(b.secretPath(p.Name), []byte(secretText+"\n")); err != nil {
			return fmt.Errorf("save secret: %w", err)
		}
		f.Profiles = append(slices.DeleteFunc(f.Profiles, func(old profile) bool { return old.Name == p.Name }), p)
		return nil
	})
}

// remove forgets a profile, its secret first: nothing of it is left where the file cannot be written.
func (b profileStore) remove(name string) error {
	return b.change(func(f *profileFile) error {
		if err := os.Remove(b.secretPath(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove secret: %w", err)
		}
		f.Profiles = slices.DeleteFunc(f.Profiles, func(p profile) bool { return p.Name == name })
		if f.Current == name {
			f.Current = ""
		}
		return nil
	})
}

// nameOr gives the name of the profile to use: the one named, else the one that `profile use` chose, else default.
func (b profileStore) nameOr(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	f, err := b.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return cmp.Or(f.Current, defaultProfile), nil
}

// change reads the profiles, changes and writes them, alone.
func (b profileStore) change(change func(*profileFile) error) error {
	unlock, err := b.lock()
	if err != nil {
		return err
	}
	defer unlock()
	f, err := b.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := change(&f); err != nil {
		return err
	}
	text, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	if err := writePrivateFile(b.path(), text); err != nil {
		return fmt.Errorf("save profile: %w", err)
	}
	return nil
}

// lock keeps others from changing the profiles until unlock is called.
func (b profileStore) lock() (unlock func(), err error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, fmt.Errorf("save profile: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(b.dir, ".lock"), os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("save profile: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("save profile: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// writable checks that a profile can be saved, before a secret is made that would be lost otherwise.
func (b profileStore) writable(name string) error {
	if b.dir == "" {
		return usage("set HOME or XDG_CONFIG_HOME", "there is no directory for profiles")
	}
	for _, path := range []string{b.path(), b.secretPath(name)} {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		dir := filepath.Dir(path)
		err := os.MkdirAll(dir, 0o700)
		if err == nil {
			var f *os.File
			if f, err = os.CreateTemp(dir, ".probe-*"); err == nil {
				err = errors.Join(f.Close(), os.Remove(f.Name()))
			}
		}
		if err != nil {
			return usage("make it writable, or set XDG_CONFIG_HOME", "a profile cannot be saved: %s cannot be written", dir)
		}
	}
	return nil
}

// writePrivateFile replaces a file whole, 0600 in a 0700 directory. Where the path is a link, what it leads to is replaced.
func writePrivateFile(path string, text []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
