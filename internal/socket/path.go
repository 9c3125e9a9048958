package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const fileName = "bankd.sock"

// DefaultPath gives the socket's path unless a flag or key sets another: in systemd's or the user's runtime directory,
// else in the data directory.
func DefaultPath(getenv func(string) string, dataDir string) string {
	if dir := FirstDir(getenv("RUNTIME_DIRECTORY")); dir != "" {
		return filepath.Join(privateIn(dir), fileName)
	}
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bankd", fileName)
	}
	return filepath.Join(dataDir, fileName)
}

// privateIn gives a directory for the socket in systemd's runtime directory. systemd makes that anew at each start, with
// mode 0755 unless the unit says otherwise, and the socket's own directory must be closed to others.
func privateIn(dir string) string {
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		return filepath.Join(dir, "private")
	}
	return dir
}

// MissingRuntimeDir gives the directory that XDG_RUNTIME_DIR names if the socket would lie there and it does not exist.
// The system makes it when its user logs in; one that bankd made would not be the one that others look in.
func MissingRuntimeDir(getenv func(string) string, path string) string {
	dir := getenv("XDG_RUNTIME_DIR")
	if !filepath.IsAbs(dir) || path != filepath.Join(dir, "bankd", fileName) {
		return ""
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return dir
}

// DefaultDataDir gives the data directory of an environment unless a flag or key sets another. It is "" without a home
// directory.
func DefaultDataDir(getenv func(string) string, environment string) string {
	if dir := FirstDir(getenv("STATE_DIRECTORY")); dir != "" {
		return filepath.Join(dir, environment)
	}
	if dir := XDGDir(getenv, "XDG_STATE_HOME", ".local/state"); dir != "" {
		return filepath.Join(dir, "bankd", environment)
	}
	return ""
}

// XDGDir gives the directory of an XDG variable, or its default below the home directory, or "" without one. As the
// standard says, it ignores relative paths.
func XDGDir(getenv func(string) string, variable, below string) string {
	if dir := getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, below)
	}
	return ""
}

// FirstDir gives the first entry of a colon-separated list, the form in which systemd passes directories.
func FirstDir(list string) string {
	first, _, _ := strings.Cut(list, ":")
	return first
}
