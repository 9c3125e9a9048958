package socket

import (
	"path/filepath"
	"strings"
)

const fileName = "bankd.sock"

// DefaultPath returns where the socket lies unless a flag or key says
// otherwise: in systemd's or the user's runtime directory, else in the data
// directory.
func DefaultPath(getenv func(string) string, dataDir string) string {
	if dir := FirstDir(getenv("RUNTIME_DIRECTORY")); dir != "" {
		return filepath.Join(dir, fileName)
	}
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "bankd", fileName)
	}
	return filepath.Join(dataDir, fileName)
}

// DefaultDataDir returns where the data of an environment lies unless a flag
// or key says otherwise. It is "" if there is no home directory either.
func DefaultDataDir(getenv func(string) string, environment string) string {
	if dir := FirstDir(getenv("STATE_DIRECTORY")); dir != "" {
		return filepath.Join(dir, environment)
	}
	if dir := XDGDir(getenv, "XDG_STATE_HOME", ".local/state"); dir != "" {
		return filepath.Join(dir, "bankd", environment)
	}
	return ""
}

// XDGDir returns the directory that an XDG variable names, or its default
// below the home directory, or "" if there is neither. The standard has
// relative paths ignored.
func XDGDir(getenv func(string) string, variable, below string) string {
	if dir := getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, below)
	}
	return ""
}

// FirstDir returns the first of a colon-separated list, as systemd sets them.
func FirstDir(list string) string {
	first, _, _ := strings.Cut(list, ":")
	return first
}
