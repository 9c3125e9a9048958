// Package cli is bankctl's commands, one file each: flags and prompts in, one call of the client, a table or JSON out.
// Screens are package tui's, the API is package client's.
package cli

import (
	"context"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/term"
)

const isMac = runtime.GOOS == "darwin"

// Env is all that a command may touch of the world around it.
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
	// ReadSecret reads a line from the terminal without echo, and leaves the echo on whatever happens.
	ReadSecret func(context.Context) (string, error)
	// Open shows a URL with the command named, or in the user's browser, without waiting.
	Open func(command, url string) error
	// Executable is this program's own path: bankd is looked for beside it.
	Executable func() (string, error)
	// Context ends when the user interrupts; nil = signals are watched by Main.
	Context context.Context
}

// System is the world as it is.
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
		ReadSecret: readHidden,
		Open:       openBrowser,
	}
}

// readHidden reads without echo. An interrupted read stays behind in its goroutine, so the echo is put back here.
func readHidden(ctx context.Context) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", errInterrupted
	case l := <-read:
		if l.err == io.EOF {
			return "", usage("", "no answer was given")
		}
		return string(l.text), l.err
	}
}
