package private_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/private"
)

// other is a uid that is neither ours nor root's.
const other = 12345

// Each way in which others could read, change or replace a file is found, and the command that is named mends it.
func TestProblemsAndTheirFixes(t *testing.T) {
	t.Parallel()
	open := func(check func(*os.File, string) error) func(string) error {
		return func(path string) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			return check(f, path)
		}
	}
	secret, settings := open(private.Secret), open(private.Settings)
	chmod := func(mode os.FileMode, of func(string) string) func(string) error {
		return func(path string) error { return os.Chmod(of(path), mode) }
	}
	self := func(path string) string { return path }
	above := filepath.Dir
	aboveThat := func(path string) string { return filepath.Dir(filepath.Dir(path)) }
	for name, c := range map[string]struct {
		check func(string) error
		spoil func(path string) error
		root  bool // only root can bring it about
		fine  bool
	}{
		"secret":                    {check: secret, spoil: chmod(0o600, self), fine: true},
		"secret_0400":               {check: secret, spoil: chmod(0o400, self), fine: true},
		"secret_others_read":        {check: secret, spoil: chmod(0o644, self)},
		"secret_group_reads":        {check: secret, spoil: chmod(0o640, self)},
		"secret_others_write":       {check: secret, spoil: chmod(0o602, self)},
		"secret_dir_open":           {check: secret, spoil: chmod(0o777, above)},
		"secret_others_own":         {check: secret, spoil: func(path string) error { return os.Chown(path, other, -1) }, root: true},
		"settings_0644":             {check: settings, spoil: chmod(0o644, self), fine: true},
		"settings_0666":             {check: settings, spoil: chmod(0o666, self)},
		"settings_group":            {check: settings, spoil: func(path string) error { return errors.Join(os.Chown(path, -1, other), os.Chmod(path, 0o664)) }, root: true},
		"settings_dir_open":         {check: settings, spoil: chmod(0o777, above)},
		"settings_parent_open":      {check: settings, spoil: chmod(0o777, aboveThat)},
		"settings_dir_sticky":       {check: settings, spoil: chmod(0o777|os.ModeSticky, above), fine: true},
		"settings_dir_others_own":   {check: settings, spoil: func(path string) error { return os.Chown(filepath.Dir(path), other, -1) }, root: true},
		"settings_link_to_open_dir": {check: settings, spoil: linkTo(0o777)},
		"settings_link":             {check: settings, spoil: linkTo(0o755), fine: true},
		"settings_link_others_own": {check: settings, spoil: func(path string) error {
			return errors.Join(linkTo(0o755)(path), os.Lchown(path, other, -1))
		}, root: true},
		"dir_open":   {check: func(path string) error { return private.Dir(filepath.Dir(path)) }, spoil: chmod(0o772, above)},
		"dir_0755":   {check: func(path string) error { return private.Dir(filepath.Dir(path)) }, spoil: chmod(0o755, above), fine: true},
		"dir_absent": {check: func(path string) error { return private.Dir(path + ".none") }, spoil: chmod(0o600, self), fine: true},
		"readable":   {check: func(path string) error { return private.Readable(filepath.Dir(path)) }, spoil: chmod(0o755, above)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.root && os.Geteuid() != 0 {
				t.Skip("needs root")
			}
			path := filepath.Join(t.TempDir(), "a b", "it's", "file")
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(path); err != nil {
				t.Fatal(err)
			}
			err := c.check(path)
			problem, found := errors.AsType[*private.Problem](err)
			if c.fine {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !found {
				t.Fatalf("not found: %v", err)
			}
			if out, err := exec.Command("sh", "-c", problem.Fix).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v %s", problem.Fix, err, out)
			}
			if err := c.check(path); err != nil {
				t.Errorf("after `%s`: %v", problem.Fix, err)
			}
		})
	}
}

// linkTo moves the file into a directory of that mode and leaves a symbolic link.
func linkTo(mode os.FileMode) func(path string) error {
	return func(path string) error {
		dir := filepath.Join(filepath.Dir(filepath.Dir(path)), "elsewhere")
		return errors.Join(os.Mkdir(dir, 0o700), os.Rename(path, filepath.Join(dir, "file")),
			os.Symlink("../elsewhere/file", path), os.Chmod(dir, mode))
	}
}
