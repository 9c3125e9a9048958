package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/socket"
)

// CheckPlaces checks that nobody else can change or replace the data, the key, the anchors or the socket. It warns of
// what others can only look at: the data is sealed, and the names of files tell nothing.
func (c Config) CheckPlaces(getenv func(string) string) (warnings []string, err error) {
	if dir := socket.MissingRuntimeDir(getenv, c.Socket); dir != "" {
		return nil, fmt.Errorf("XDG_RUNTIME_DIR names %s, which does not exist: log in so that the system makes it (`loginctl enable-linger` keeps it), unset XDG_RUNTIME_DIR to have the socket beside the data, or name another place with --socket", dir)
	}
	if err := private.OwnDir(c.DataDir); err != nil {
		return nil, err
	}
	places := []string{filepath.Join(c.DataDir, "bankd.db"), c.KeyFile, c.Socket}
	switch program, isProgram := strings.CutPrefix(c.Anchor, "exec:"); {
	case isProgram:
		places = append(places, program)
	case c.Anchor != "off" && c.Anchor != "":
		places = append(places, filepath.Join(c.Anchor, "x"))
	}
	if c.Backups.Dir != "" {
		places = append(places, filepath.Join(c.Backups.Dir, "x"))
	}
	for _, path := range places {
		if err := private.Path(path); err != nil {
			return nil, err
		}
	}
	for _, path := range []string{c.DataDir, filepath.Join(c.DataDir, "bankd.db")} {
		if problem, ok := errors.AsType[*private.Problem](private.Readable(path)); ok {
			warnings = append(warnings, problem.Error())
		}
	}
	return warnings, nil
}

// CheckFiles checks the files that were read at the start: the settings, and Plaid's keys.
func (c Config) CheckFiles() error {
	if c.File != "" {
		if err := private.Path(c.File); err != nil {
			return err
		}
	}
	for _, path := range c.SecretFiles {
		if _, err := readSecret(path); err != nil {
			return err
		}
	}
	return nil
}
