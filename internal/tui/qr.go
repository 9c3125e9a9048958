package tui

import (
	"strings"

	"github.com/mdp/qrterminal/v3"
)

// OnLoopback reports whether a page is on this machine, as the simulator's are: no other device can open it.
func OnLoopback(url string) bool {
	return strings.HasPrefix(url, "http://127.0.0.1") || strings.HasPrefix(url, "http://localhost") || strings.HasPrefix(url, "http://[::1]")
}

// QR draws an address for a phone to scan; "" if no other device could open it.
func QR(url string) string {
	if OnLoopback(url) {
		return ""
	}
	var b strings.Builder
	qrterminal.GenerateWithConfig(url, qrterminal.Config{
		Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: 1,
		BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
		BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
	return b.String()
}
