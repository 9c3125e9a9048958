package daemon_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fix = regexp.MustCompile("run `([^`]+)`")

// What others could read, change or replace is refused with the command that mends it, and after that command bankd
// starts: no hint leads to another refusal.
func TestUnsafePlacesAreRefused(t *testing.T) {
	t.Parallel()
	chmod := func(mode os.FileMode, of func(h home) string) func(h home) error {
		return func(h home) error { return os.Chmod(of(h), mode) }
	}
	config := func(h home) string { return filepath.Join(h.dir, ".config/bankd/config.yaml") }
	plaidSecret := func(h home) string { return filepath.Join(h.dir, "plaid-secret") }
	for name, c := range map[string]struct {
		spoil func(h home) error
		path  func(h home) string
		fix   string // with the path; "" = another command
	}{
		"config_0666":        {chmod(0o666, config), config, "chmod o-w "},
		"config_dir_0777":    {chmod(0o777, func(h home) string { return filepath.Dir(config(h)) }), func(h home) string { return filepath.Dir(config(h)) }, "chmod o-w "},
		"plaid_secret_0644":  {chmod(0o644, plaidSecret), plaidSecret, "chmod 600 "},
		"plaid_secret_0660":  {chmod(0o660, plaidSecret), plaidSecret, "chmod 600 "},
		"data_dir_0777":      {chmod(0o777, home.data), home.data, "chmod 700 "},
		"data_parent_0777":   {chmod(0o777, func(h home) string { return filepath.Dir(h.data()) }), func(h home) string { return filepath.Dir(h.data()) }, "chmod o-w "},
		"data_above_0777":    {chmod(0o777, func(h home) string { return filepath.Join(h.dir, ".local") }), func(h home) string { return filepath.Join(h.dir, ".local") }, "chmod o-w "},
		"database_0666":      {chmod(0o666, home.db), home.db, "chmod o-w "},
		"key_0644":           {chmod(0o644, home.key), home.key, "chmod 600 "},
		"anchors_0777":       {chmod(0o777, func(h home) string { return filepath.Join(filepath.Dir(h.key()), "anchors") }), func(h home) string { return filepath.Join(filepath.Dir(h.key()), "anchors") }, "chmod o-w "},
		"data_of_another":    {func(h home) error { return os.Chown(h.data(), 12345, -1) }, home.data, ""},
		"config_of_another":  {func(h home) error { return os.Chown(config(h), 12345, -1) }, config, ""},
		"config_linked_open": {linked(config), func(h home) string { return filepath.Join(h.dir, "open") }, "chmod o-w "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.keys = []string{"PLAID_CLIENT_ID=5f0000000000000000000000", "PLAID_SECRET_FILE=" + plaidSecret(h)}
			err := errors.Join(os.MkdirAll(filepath.Dir(config(h)), 0o700), os.WriteFile(config(h), []byte("plaid: sandbox\nplaid_url: http://127.0.0.1:1\ndata_dir: "+h.data()+"\n"), 0o600),
				os.WriteFile(plaidSecret(h), []byte("0f00000000000000000000000000aa\n"), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			p := h.start()
			p.stop()
			if err := c.spoil(h); errors.Is(err, os.ErrPermission) {
				t.Skip("needs root")
			} else if err != nil {
				t.Fatal(err)
			}
			said := h.refused()
			m := fix.FindStringSubmatch(said)
			if m == nil || c.fix != "" && m[1] != c.fix+c.path(h) || strings.Contains(said, "--help") {
				t.Fatalf("it says: %s", said)
			}
			if out, err := exec.Command("sh", "-c", m[1]).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", m[1], err, out)
			}
			p = h.start()
			p.stop()
		})
	}
}

// linked moves a file into a directory that all may write and leaves a symbolic link.
func linked(of func(h home) string) func(h home) error {
	return func(h home) error {
		dir, path := filepath.Join(h.dir, "open"), of(h)
		return errors.Join(os.Mkdir(dir, 0o700), os.Rename(path, filepath.Join(dir, "file")), os.Symlink(filepath.Join(dir, "file"), path), os.Chmod(dir, 0o777))
	}
}

// A data directory that others can look into is no danger to what is sealed: a warning, with the command.
func TestReadableDataWarns(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	p.stop()
	if err := os.Chmod(h.data(), 0o755); err != nil {
		t.Fatal(err)
	}
	p = h.start("--socket", filepath.Join(h.dir, "run", "s"))
	p.stop()
	if !strings.Contains(p.said.String(), "chmod 700 "+h.data()) {
		t.Errorf("it says: %s", p.said)
	}
}

// systemd's runtime directory is made anew at each start, with 0755: the socket lies in a private one inside. A runtime
// directory that does not exist is named, and nothing is made in its place.
func TestRuntimeDirectories(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	run := filepath.Join(h.dir, "run")
	for mode, want := range map[os.FileMode]string{0o755: filepath.Join(run, "private", "bankd.sock"), 0o700: filepath.Join(run, "bankd.sock")} {
		if err := errors.Join(os.RemoveAll(run), os.Mkdir(run, mode)); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second start finds what the first made
			p := start(t, append(h.env(), "RUNTIME_DIRECTORY="+run), h.bin)
			if !strings.Contains(p.line, "socket="+want+" ") {
				t.Errorf("%04o: %s", mode, p.line)
			}
			if info, err := os.Stat(filepath.Dir(want)); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%04o: the socket's directory: %v %v", mode, info.Mode(), err)
			}
			p.stop()
		}
	}
	none := filepath.Join(h.dir, "run-user-1000")
	h.keys = []string{"XDG_RUNTIME_DIR=" + none}
	said := h.refused()
	for _, want := range []string{"XDG_RUNTIME_DIR", none, "--socket"} {
		if !strings.Contains(said, want) {
			t.Errorf("it says: %s", said)
		}
	}
	if _, err := os.Lstat(none); err == nil {
		t.Error("it made the directory")
	}
	h.keys = append(h.keys, "BANKD_SOCKET="+filepath.Join(h.dir, "sock", "s"))
	p := h.start()
	p.stop()
}
