package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
)

// The three states of the desk, whole, at the two sizes; no line is wider and no view higher than the screen.
func TestDeskViews(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		states := map[string]func(*stage){
			"queue": func(*stage) {},
			"link": func(s *stage) {
				s.sessions = []connection.Session{pending()}
				s.press("down", "l", "w")
			},
			"verdict": func(s *stage) {
				s.sessions, s.verdict = []connection.Session{shared3()}, verifiedAna()
				s.press("down", "l", "w", "enter")
			},
			"refused": func(s *stage) {
				s.sessions, s.verdict = []connection.Session{{ID: "s9", State: connection.Exited}}, queue()[1]
				s.press("down", "l", "w")
			},
			"choice": func(s *stage) {
				s.sessions = []connection.Session{shared3()}
				s.press("down", "l", "w")
			},
			"detail": func(s *stage) { s.press("enter") },
			"help":   func(s *stage) { s.press("?") },
		}
		for name, reach := range states {
			t.Run(fmt.Sprintf("%s_%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newStage(t, size[0], size[1])
				reach(s)
				golden(t, fmt.Sprintf("desk_%s_%dx%d", name, size[0], size[1]), s.view())
			})
		}
	}
}

// At every size, no line is cut off at an edge and the keys stay on the screen.
func TestDeskFitsEverySize(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{{}, {"enter"}, {"l"}, {"h"}, {"b"}, {"?"}, {"/", "x"}} {
		for width := 20; width <= 140; width += 7 {
			for height := 3; height <= 50; height += 3 {
				s := newStage(t, width, height)
				s.press(keys...)
				lines := strings.Split(s.view(), "\n")
				if len(lines) > height {
					t.Fatalf("%v: %d lines on a screen of %d", keys, len(lines), height)
				}
				for _, l := range lines {
					if ansi.StringWidth(l) > width {
						t.Fatalf("%v: a line of %d on a screen of %d: %q", keys, ansi.StringWidth(l), width, l)
					}
				}
			}
		}
	}
}

func TestDeskOldestFirstAndClean(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	var order []string
	for _, a := range s.m.visible() {
		order = append(order, a.AccountID)
	}
	if diff := cmp.Diff([]string{"5", "1", "2", "3", "4"}, order); diff != "" {
		t.Error(diff)
	}
	if raw := s.m.View(); strings.Contains(raw, "\x1b[31mChen") || strings.Contains(raw, "\u202e") {
		t.Error("a name's control characters reach the terminal")
	}
	s.shows("Bo [31mChen", "alias, policy is strict")
}

func TestDeskSearchesAsYouType(t *testing.T) {
	t.Parallel()
	s := newStage(t, 80, 24)
	s.press("/", "d", "i", "a", "z")
	if n := len(s.m.visible()); n != 1 || s.m.currentID != "1" {
		t.Fatalf("%d accounts, the cursor on %q", n, s.m.currentID)
	}
	s.press("enter", "esc", "/")
	for _, r := range "sign-in" { // no such words
		s.press(string(r))
	}
	s.shows("No account fits the search")
	s.press("esc", "/")
	for _, r := range "policy strict" { // words of the screen, not of the API
		s.press(string(r))
	}
	if n := len(s.m.visible()); n != 1 || s.m.currentID != "2" {
		t.Errorf("%d accounts, the cursor on %q", n, s.m.currentID)
	}
	s.press("esc", "f")
	if s.m.reason != employee.Reasons[1] || len(s.m.visible()) != 1 {
		t.Errorf("reason %q", s.m.reason)
	}
	s.press("f", "f", "f", "f", "f")
	if s.m.reason != "" || len(s.m.visible()) != 5 {
		t.Errorf("after the last reason %q", s.m.reason)
	}
}

// Keys typed fast come as one message; pasted text is no command.
func TestDeskKeysAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t, 80, 24)
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("/diaz")})
	if s.m.search.Value() != "diaz" || s.m.currentID != "1" {
		t.Errorf("searching for %q, the cursor on %q", s.m.search.Value(), s.m.currentID)
	}
	s.press("esc")
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("lq"), Paste: true})
	if s.m.over || s.m.pane != inQueue {
		t.Error("pasted text is taken for commands")
	}
	s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("jj")})
	if s.m.cursor != 3 {
		t.Errorf("the cursor is at %d", s.m.cursor)
	}
}

// A new reading moves accounts, and the cursor with its own.
func TestDeskKeepsTheCursor(t *testing.T) {
	t.Parallel()
	s := newStage(t, 80, 24)
	s.press("down", "down") // Bo Chen
	older := waiting("0", "Zoe Old", "0000", employee.Exited, 500)
	s.rows = append([]employee.BankAccount{older}, s.rows...)
	s.now = s.now.Add(5 * time.Second)
	if cmd := s.send(secondMsg{}); cmd == nil || !s.m.loading {
		t.Fatal("the queue is not read again when it is due")
	}
	s.send(s.m.readQueue())
	if a, _ := s.m.current(); a.AccountID != "2" || s.m.cursor != 3 {
		t.Errorf("the cursor is on %s at %d", a.AccountID, s.m.cursor)
	}
	s.rows = s.rows[:2] // Bo Chen has left the queue
	s.send(s.m.readQueue())
	if a, ok := s.m.current(); !ok || a.AccountID == "2" {
		t.Error("the cursor is on an account that is gone")
	}
	s.rows = nil
	s.send(s.m.readQueue())
	s.shows("every account is verified")
	s.press("l", "w", "h", "b", "enter", "c", "o", "G", "pgdown") // nothing to act on, and nothing happens
	if s.m.pane != inQueue {
		t.Errorf("pane %d", s.m.pane)
	}
}

func TestDeskSaysWhatFails(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	s.err = fault.New(fault.Unavailable, "bankd is not running").WithHint("start it")
	s.send(s.m.readQueue())
	s.now = s.now.Add(90 * time.Second)
	s.shows("Ana Diaz", "as of 1m ago: bankd does not answer")
	s.press("down", "l")
	s.shows("no link: bankd is not running (start it)")
	if s.m.pane != inQueue {
		t.Error("Link is shown without a link token") // R156, R157
	}
	s.err = nil
	s.send(s.m.readQueue())
	s.press("l") // R158
	s.shows("https://secure.plaid.com/hl/")
}

// Watching goes on behind the queue, and the verdict is told there.
func TestDeskWatchesBehindTheQueue(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	s.sessions = []connection.Session{pending()}
	s.press("down", "l", "w")
	s.shows("waiting for the employee to finish")
	s.press("esc")
	s.shows("watched")
	one := shared3()
	one.Accounts = one.Accounts[1:]
	s.sessions, s.verdict = []connection.Session{one}, verifiedAna()
	s.run(s.m.pollSession("1", "s9", 0))
	if s.saved != 0 {
		t.Fatalf("saved %d", s.saved)
	}
	s.shows("Ana Diaz ••1111: verified", "4 accounts")
	if len(s.m.watches) != 0 {
		t.Error("it is still watched")
	}
}

// R162-R164: a save that fails says so, assumes nothing, and can be tried again.
func TestDeskSavesAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	s.sessions, s.saveErr, s.verdict = []connection.Session{shared3()}, errors.New("plaid did not answer"), verifiedAna()
	s.press("down", "l", "w")
	if s.m.pane != inChoice || s.m.choice != 1 || s.saved != -1 {
		t.Fatalf("pane %d, choice %d: several accounts are not asked about", s.m.pane, s.m.choice)
	}
	s.press("up", "down", "enter")
	s.shows("not saved: plaid did not answer")
	if strings.Contains(s.view(), "VERIFIED") {
		t.Error("a failed save counts as verified")
	}
	s.saveErr = nil
	s.press("w", "enter")
	s.shows("✓ VERIFIED")
	if s.saved != 1 {
		t.Errorf("saved account %d", s.saved)
	}
	s.press("l")
	s.shows("there is nothing to link")
}

// R159-R161: the employee leaves; the account stays, not verified, and a fresh link is one key away.
func TestDeskAfterAnExit(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	left := waiting("1", "Ana Diaz", "1111", employee.Exited, 30)
	s.sessions, s.verdict = []connection.Session{{ID: "s9", State: connection.Exited}}, left
	s.press("down", "l", "w")
	s.shows("✗ NOT VERIFIED", "left before finishing", "send a new link for this same account", "l new link")
	if s.saved != -1 {
		t.Error("an exit was saved")
	}
	s.press("l")
	s.shows("https://secure.plaid.com/hl/")
}

func TestDeskManualAccountsHaveNoLink(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	s.rows[1].VerificationType, s.rows[1].VerificationReason = employee.Manual, employee.NotStarted
	s.send(s.m.readQueue())
	s.shows("added without Plaid")
	s.press("down", "l")
	s.shows("no link can verify it")
}

// The bundle holds ids and reasons, and nothing that could be a name, a number or a free text.
func TestDeskBundle(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 60)
	s.rows[1].Evidence = &employee.Evidence{InstitutionName: "First Platypus Bank", PlaidStatus: "automatically_verified"}
	s.send(s.m.readQueue())
	s.press("down", "b")
	text := joined(s.m.lines)
	for _, want := range []string{`"accountId": "1"`, `"number_mismatch"`, `"req_2"`, `"plaid_7"`, `"ins_109508"`, `"s1"`, `"automatically_verified"`, `"employee.attest"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, secret := range []string{"Ana", "Diaz", "1111", "1533", "maria", "Platypus", "seen by"} {
		if strings.Contains(text, secret) {
			t.Errorf("the bundle holds %q", secret)
		}
	}
	if !strings.Contains(s.out.String(), "\x1b]52;c;") {
		t.Error("the terminal was not asked to copy it")
	}
	s.press("pgdown", "up", "?", "esc", "esc")
	if s.m.pane != inQueue {
		t.Errorf("pane %d after going back", s.m.pane)
	}
	s.press("enter", "h")
	s.shows("verified false", "by maria")
	s.press("q")
	if s.m.pane != inDetail {
		t.Errorf("history goes back to pane %d", s.m.pane)
	}
	s.press("q", "q")
	if !s.m.over || s.m.err != nil {
		t.Error("q does not leave")
	}
}

func TestDeskLinkKeys(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100, 24)
	s.sessions = []connection.Session{pending()}
	s.press("down", "c")
	s.shows("there is no link yet")
	s.press("w", "esc")
	s.press("down", "w")
	s.shows("there is no link to watch yet")
	opened := ""
	s.press("l", "o")
	s.shows("there is no browser here")
	s.m.Open = func(url string) error { opened = url; return nil }
	s.press("o", "c")
	if opened == "" || !strings.Contains(s.out.String(), "\x1b]52;c;") {
		t.Error("not opened, or not copied")
	}
	s.shows("clipboard")
	s.press("ctrl+c")
	if !errors.Is(s.m.err, ErrInterrupted) {
		t.Error("ctrl-c does not interrupt")
	}
}
