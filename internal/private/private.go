// Package private checks that files and directories are safe from other users: that nobody else reads a secret, changes
// a setting, or puts another file in its place. It only looks; what to do about a problem is its callers' choice.
package private

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Problem is a file or directory that others can read, change or replace, with the command that mends it.
type Problem struct {
	Path string
	What string // what is wrong, after the path
	Fix  string // a command
}

func (p *Problem) Error() string { return fmt.Sprintf("%s %s: run `%s`", p.Path, p.What, p.Fix) }

// Secret checks an open file that holds a secret: nobody else may read, change or replace it. path is its name.
func Secret(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	forbidden := os.FileMode(0o077)
	if owner(info) == 0 && os.Geteuid() != 0 {
		forbidden = 0o037 // root's choice; systemd passes credentials by an ACL, which stat shows as the group's bits
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return &Problem{path, fmt.Sprintf("has mode %04o, so that others can read it", mode), "chmod 600 " + quote(path)}
	}
	return Path(path)
}

// Settings checks an open file that decides what a program does: nobody else may change or replace it.
func Settings(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return cmp.Or(checkOwner(path, info), checkWritable(path, info), Path(path))
}

// Dir checks a directory of ours, if it exists: nobody else may change or replace what lies in it.
func Dir(path string) error {
	return Path(filepath.Join(path, "x"))
}

// OwnDir checks a directory that is to be ours alone, if it exists: nobody else may change it or what lies in it.
func OwnDir(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o022 != 0 && checkWritable(path, info) != nil {
		return &Problem{path, fmt.Sprintf("has mode %04o, so that others can change what lies in it", info.Mode().Perm()), "chmod 700 " + quote(path)}
	}
	return Dir(path)
}

// Readable reports, as a Problem, that others can look into a directory or file of ours, or nil.
func Readable(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // who opens it gets the error
	}
	private := "600"
	if info.IsDir() {
		private = "700"
	}
	return &Problem{path, fmt.Sprintf("has mode %04o", info.Mode().Perm()), "chmod " + private + " " + quote(path)}
}

// maxLinks bounds the symbolic links in a path, as the system does.
const maxLinks = 40

// Path checks a file that nobody else may change, and every directory and symbolic link on the way to it: who can write
// one of these directories can put another file there. It checks as much of the path as exists.
func Path(path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	rest, at, links := parts(absolute), "/", 0
	for {
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR):
			return nil // whoever opens the file gets this error
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return fmt.Errorf("%s: too many symbolic links", path)
			}
			if err := checkOwner(at, info); err != nil {
				return err
			}
			to, err := os.Readlink(at)
			if err != nil {
				return err
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(at), to)
			}
			rest, at = append(parts(to), rest...), "/"
			continue
		case len(rest) == 0 && info.Mode().IsRegular():
			return cmp.Or(checkOwner(at, info), checkWritable(at, info))
		case info.IsDir():
			if err := checkOwner(at, info); err != nil {
				return err
			}
			if info.Mode()&fs.ModeSticky == 0 { // in a sticky directory nobody replaces what is not theirs
				if err := checkWritable(at, info); err != nil {
					return err
				}
			}
		}
		if len(rest) == 0 {
			return nil
		}
		at, rest = filepath.Join(at, rest[0]), rest[1:]
	}
}

func parts(path string) []string {
	return strings.FieldsFunc(filepath.Clean(path), func(r rune) bool { return r == filepath.Separator })
}

func owner(info os.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// checkOwner accepts what is ours or root's.
func checkOwner(path string, info os.FileInfo) error {
	uid := owner(info)
	if uid == 0 || uid == os.Geteuid() || unmapped(uid) {
		return nil
	}
	command := "chown "
	if info.Mode()&fs.ModeSymlink != 0 {
		command = "chown -h "
	}
	return &Problem{path, "belongs to " + userName(uid), command + strconv.Itoa(os.Geteuid()) + " " + quote(path)}
}

func checkWritable(path string, info os.FileInfo) error {
	mode, who := info.Mode().Perm(), ""
	if mode&0o020 != 0 && !ownGroup(info) {
		who = "g"
	}
	if mode&0o002 != 0 {
		who += "o"
	}
	if who == "" {
		return nil
	}
	return &Problem{path, fmt.Sprintf("has mode %04o, so that others can change it", mode), "chmod " + who + "-w " + quote(path)}
}

// ownGroup reports whether a file's group is its owner's private one, as many systems make for each user, or root's.
func ownGroup(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if stat.Gid == 0 {
		return true
	}
	group, err := user.LookupGroupId(strconv.Itoa(int(stat.Gid)))
	return err == nil && group.Name == userName(int(stat.Uid))
}

// userName gives a user's name, or the number where there is none.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(uid)
}

// overflow is how the system shows owners that a user namespace does not know.
const overflow = 65534

// unmapped reports whether the uid stands for users outside the namespace of a container, whom a command inside cannot
// change.
func unmapped(uid int) bool {
	if uid != overflow {
		return false
	}
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(text)), " ") != "0 0 4294967295"
}

// quote makes a path one word of a shell.
func quote(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
