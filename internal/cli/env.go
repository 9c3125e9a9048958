// Package cli is bankctl's commands, one file each: flags and prompts in, one call of the client, a table or JSON out.
// Screens are package tui's, the API is package client's.
package cli

import (
	"context"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

const isMac = runtime.GOOS == "darwin"

// Env holds everything that a command may use of its environment.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	// InTTY, OutTTY and ErrTTY say which of the three are a terminal.
	InTTY, OutTTY, ErrTTY bool

	Getenv func(string) string
	Now    func() time.Time
	// Width is the terminal's, of stdout; 0 = unknown.
	Width func() int
	// HideTyping turns the terminal's echo off until show is called.
	HideTyping func() (show func(), err error)
	// Open shows a URL with the command named, or in the user's browser, without waiting.
	Open func(command, url string) error
	// Executable is this program's own path: bankd is looked for beside it.
	Executable func() (string, error)
	// Context ends when the user interrupts; nil = signals are watched by Main.
	Context context.Context
}

// System gives the real environment.
func System() Env {
	isTTY := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	return Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		InTTY: isTTY(os.Stdin), OutTTY: isTTY(os.Stdout), ErrTTY: isTTY(os.Stderr),
		Getenv: os.Getenv, Now: time.Now, Executable: os.Executable,
		Width: func() int {
			w, _, err := term.GetSize(int(os.Stdout.Fd()))
			if err != nil {
				return 0
			}
			return w
		},
		HideTyping: hideTyping,
		Open:       openBrowser,
	}
}

// hideTyping leaves lines and ctrl-c as they are: only the echo goes.
func hideTyping() (func(), error) {
	fd := int(os.Stdin.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }, nil // fails only if the terminal is gone
}
