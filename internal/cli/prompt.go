package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ask asks for a confirmation before an irreversible action. what names the action in the error for scripts.
func (a *app) ask(ctx context.Context, question, what string) error {
	if a.yes {
		return nil
	}
	if !a.canPrompt() {
		return usage("add --yes", "%s needs a confirmation", what)
	}
	fmt.Fprintf(a.Stderr, "%s [y/N] ", clean(question))
	answer, err := a.readLine(ctx)
	if err != nil {
		return err
	}
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return usage("", "nothing was done")
	}
	return nil
}

// askLine asks for a value that a flag can give too.
func (a *app) askLine(ctx context.Context, label, flag string) (string, error) {
	if !a.canPrompt() {
		return "", usage("pass it: this is not a terminal that can be asked", "%s is missing", flag)
	}
	fmt.Fprintf(a.Stderr, "%s: ", label)
	return a.readLine(ctx)
}

// readLine reads the answer to a prompt, and stops at once when the user interrupts.
func (a *app) readLine(ctx context.Context) (string, error) {
	text, err := a.nextLine(ctx)
	if err != nil {
		fmt.Fprintln(a.Stderr)
	}
	if err != nil && !errors.Is(err, errInterrupted) {
		return "", usage("", "no answer was given")
	}
	return strings.TrimSpace(text), err
}

// nextLine reads one line of stdin; the last one may lack its end. On an interrupt it returns, and leaves the blocked
// read behind.
func (a *app) nextLine(ctx context.Context) (string, error) {
	if a.stdin == nil {
		a.stdin = bufio.NewReader(a.Stdin)
	}
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := a.stdin.ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", errInterrupted
	case l := <-read:
		if l.text != "" {
			l.err = nil
		}
		return l.text, l.err
	}
}

// askSecret reads a number twice. It turns the echo off before the first prompt, so that characters typed ahead do not
// show either.
func (a *app) askSecret(ctx context.Context, label, flags string) (string, error) {
	if !a.canPrompt() {
		return "", usage("it never goes on the command line", "pass the %s with %s", strings.ToLower(label), flags)
	}
	show, err := a.HideTyping()
	if err != nil {
		return "", fmt.Errorf("hide typing: %w", err)
	}
	defer show()
	for {
		var typed [2]string
		for i, prompt := range [2]string{label, "Again"} {
			fmt.Fprintf(a.Stderr, "%s: ", prompt)
			text, err := a.readLine(ctx)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(a.Stderr)
			typed[i] = digitsOf(text)
		}
		if typed[0] == typed[1] {
			return typed[0], nil
		}
		fmt.Fprintln(a.Stderr, "The two are not the same; once more.")
	}
}

// readSecretFile reads a small secret from a file, or from stdin.
func (a *app) readSecretFile(path string, stdin bool) (string, error) {
	var r io.Reader = a.Stdin
	if !stdin {
		f, err := os.Open(path)
		if err != nil {
			return "", usage("", "cannot read %s: %v", path, reason(err))
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func reason(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// digitsOf removes the spaces and dashes between digits.
func digitsOf(s string) string {
	return strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "\t", "").Replace(strings.TrimSpace(s))
}
