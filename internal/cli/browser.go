package cli

import (
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/pkg/browser"

	"github.com/bankctl/bankctl/internal/tui"
)

// openBrowser shows a URL with BANKCTL_BROWSER, else with the desktop's browser. The browser's output is dropped, so that
// it does not mix with ours.
func openBrowser(command, url string) error {
	if command != "" {
		words := strings.Fields(command)
		cmd := exec.Command(words[0], append(words[1:], url)...)
		if err := cmd.Start(); err != nil {
			return err
		}
		go func() { _ = cmd.Wait() }() // only so that it leaves no zombie
		return nil
	}
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	go func() { _ = browser.OpenURL(url) }() // it blocks as long as the browser lives; the URL is on the screen anyway
	return nil
}

// opener gives a function that opens a URL in a browser, or nil if the user could not see one here.
func (a *app) opener(url string) func() error {
	command := a.Getenv("BANKCTL_BROWSER")
	if !a.ErrTTY || a.Open == nil {
		return nil
	}
	if command == "" && (a.Getenv("SSH_CONNECTION") != "" || !a.hasDesktop()) {
		return nil
	}
	return func() error { return a.Open(command, url) }
}

func (a *app) hasDesktop() bool {
	return isMac || a.Getenv("DISPLAY") != "" || a.Getenv("WAYLAND_DISPLAY") != ""
}

// drawQR shows a page's address to a phone, where one could open it.
func (a *app) drawQR(url string) {
	if code := tui.QR(url); a.OutTTY && code != "" {
		fmt.Fprintln(a.Stderr, code)
	}
}
