package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// rowAt is the row of that place in a statement of any length.
func rowAt(i int) txn.Transaction {
	t := txn.Transaction{ID: fmt.Sprintf("%024x", i), Date: txn.Date(int32(20000 - i/40)), Amount: int64(i%7)*1250 + 433, Currency: "USD", FirstSeen: noon, UpdatedAt: noon, Details: txn.Details{PlaidTransactionID: fmt.Sprintf("plaid-%d", i), Name: fmt.Sprintf("Shop %d", i), Category: "FOOD_AND_DRINK"}, Place: txn.Place{PlaidAccountID: "a", BankAccountID: "b", ConnectionID: "c", EmployerID: "acme"}}
	switch i % 5 {
	case 1:
		t.Amount, t.Name, t.Category = -123456789, "INTRST PYMNT", "INCOME"
	case 2:
		t.Pending = i < 10
	case 3:
		t.Name, t.Currency = "Großhändler 王小明 \x1b[31m\u202eevil and rather long, with all its words", "JPY"
	}
	t.Direction = txn.DirectionOf(t.Amount, false)
	return t
}

// shelf is a browser over rows of the test's own.
type shelf struct {
	t     *testing.T
	m     browseModel
	total int
	err   error
	pages []int    // that were read
	texts []string // that were asked for
}

func newShelf(t *testing.T, total, width, height int) *shelf {
	s := &shelf{t: t, total: total}
	s.m = newBrowseModel(t.Context(), Terminal{Out: io.Discard}, Browser{Page: s.page, Summary: s.sum})
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	s.run(s.m.Init())
	return s
}

func (s *shelf) page(ctx context.Context, q txn.Query) (txn.Page, error) {
	if err := errors.Join(ctx.Err(), s.err); err != nil {
		return txn.Page{}, err
	}
	s.pages, s.texts = append(s.pages, q.Page), append(s.texts, q.Text)
	total := s.total
	if q.Text != "" {
		total = min(total, 3)
	}
	p := txn.Page{Info: page.Info{Page: q.Page, Limit: q.Limit, Total: total}}
	for i := (q.Page - 1) * q.Limit; i < min(total, q.Page*q.Limit); i++ {
		p.Rows = append(p.Rows, rowAt(i))
	}
	return p, nil
}

func (s *shelf) sum(_ context.Context, q txn.Query) (txn.Summary, error) {
	n := int64(s.total)
	if q.Text != "" {
		n = min(n, 3)
	}
	if n == 0 {
		return txn.Summary{}, s.err
	}
	return txn.Summary{Each: []txn.Currency{
		{Currency: "JPY", Sums: txn.Sums{Total: n, Debits: 1200, Net: -1200}},
		{Currency: "USD", Sums: txn.Sums{Total: n, Debits: 1000, Credits: 123456789, Net: 123455789}},
	}}, s.err
}

func (s *shelf) send(msg tea.Msg) tea.Cmd {
	next, cmd := s.m.Update(msg)
	s.m = next.(browseModel)
	return cmd
}

// run executes commands, and those that follow from them, to the end.
func (s *shelf) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil, tea.QuitMsg:
	case tea.BatchMsg:
		for _, c := range msg {
			s.run(c)
		}
	default:
		s.run(s.send(msg))
	}
}

func (s *shelf) press(keys ...string) {
	special := map[string]tea.KeyType{"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "backspace": tea.KeyBackspace}
	for k, v := range named {
		special[k] = v
	}
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if v, ok := special[k]; ok {
			msg = tea.KeyMsg{Type: v}
		}
		s.run(s.send(msg))
	}
}

func (s *shelf) view() string { return ansi.Strip(s.m.View()) }

func (s *shelf) shows(want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !strings.Contains(s.view(), w) {
			s.t.Errorf("%q is not on the screen:\n%s", w, s.view())
		}
	}
}

func TestBrowseViews(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		for name, keys := range map[string][]string{
			"list": {}, "end": {"G"}, "detail": {"down", "enter"}, "filter": {"/", "s"}, "kept": {"/", "s", "enter", "down"},
		} {
			t.Run(fmt.Sprintf("%s_%dx%d", name, size[0], size[1]), func(t *testing.T) {
				s := newShelf(t, 1_000_000, size[0], size[1])
				s.press(keys...)
				golden(t, fmt.Sprintf("browse_%s_%dx%d", name, size[0], size[1]), s.view())
			})
		}
	}
}

// A million rows are never read: only pages around the cursor are, and few are kept.
func TestBrowseReadsWhatItShows(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 1_000_000, 80, 24)
	s.press("G")
	s.shows("1,000,000 of 1,000,000", "Shop 999999")
	if len(s.pages) > 6 {
		t.Errorf("%v were read for the two ends", s.pages)
	}
	for range 200 {
		s.press("pgup")
	}
	if _, here := s.m.current(); !here || len(s.m.pages.rows) > browseKept {
		t.Errorf("row %d here: %v; %d pages kept", s.m.cursor, here, len(s.m.pages.rows))
	}
	s.press("g")
	s.shows("1 of 1,000,000", "> 2024-10-04")
}

// Wherever keys lead, the cursor is on the screen, its row is the one of its number, and every line of the screen is there.
func TestBrowseAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		total := rapid.SampledFrom([]int{0, 1, 17, 100, 101, 2500}).Draw(rt, "total")
		s := newShelf(t, total, rapid.IntRange(20, 130).Draw(rt, "width"), rapid.IntRange(3, 50).Draw(rt, "height"))
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"up", "down", "pgup", "pgdown", "g", "G", "enter", "esc", "r"}), 0, 25).Draw(rt, "keys")
		for _, k := range keys {
			s.press(k)
			if s.m.over {
				return
			}
			row, here := s.m.current()
			if here != (total > 0) || here && row.ID != rowAt(s.m.cursor).ID {
				rt.Fatalf("after %s: row %d of %d is %q", k, s.m.cursor, total, row.ID)
			}
			if s.m.cursor < s.m.top || total > 0 && s.m.cursor >= s.m.top+s.m.rows() {
				rt.Fatalf("the cursor %d is off the screen that begins at %d", s.m.cursor, s.m.top)
			}
			lines := strings.Split(s.view(), "\n")
			if len(lines) > s.m.height || !s.m.detail && strings.Contains(s.view(), "> …") {
				rt.Fatalf("%d lines on %d:\n%s", len(lines), s.m.height, s.view())
			}
			for _, line := range lines {
				if ansi.StringWidth(line) > s.m.width {
					rt.Fatalf("too wide: %q", line)
				}
			}
		}
	})
}

// A filter is asked for once the typing rests, and the answer to an older one is dropped.
func TestBrowseFilters(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 500, 80, 24)
	s.press("/")
	var settled []tea.Cmd
	for _, r := range "coffee" {
		settled = append(settled, s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}))
	}
	old, turn := s.m.selectionCtx, s.m.generation
	for _, cmd := range settled {
		s.run(cmd)
	}
	if got := s.texts[len(s.texts)-1]; got != "coffee" || len(s.texts) != 2 && len(s.texts) != 3 {
		t.Errorf("asked for %q", s.texts)
	}
	s.shows("/ coffee", "1 of 3", "3  out 10.00")
	s.press("esc")
	if old.Err() == nil || s.m.generation == turn {
		t.Error("what the filter asked for goes on")
	}
	s.shows("of 500")
	before := s.view()
	s.run(func() tea.Msg { return pageMsg{turn: turn, page: 1, got: txn.Page{Info: page.Info{Total: 3}}} })
	s.run(func() tea.Msg { return sumsMsg{turn: turn} })
	if s.view() != before {
		t.Error("an old answer changed the screen")
	}
}

func TestBrowseTrouble(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 500, 80, 24)
	s.err = errors.New("bankd did not answer")
	s.press("G")
	s.shows("bankd did not answer; r tries again", "500 of 500", "> …")
	s.err = nil
	s.press("r")
	s.shows("500 of 500", "> 2024-09-22", "Shop 499")
	s.press("q")
	if !s.m.over || s.m.err != nil || s.m.View() != "" {
		t.Errorf("q leaves %v, %v", s.m.over, s.m.err)
	}
	s = newShelf(t, 0, 80, 24)
	s.shows("There are no transactions.", "0 transactions")
	s.press("ctrl+c")
	if !errors.Is(s.m.err, ErrInterrupted) {
		t.Errorf("ctrl+c leaves %v", s.m.err)
	}
}

// Colours say nothing that the words do not.
func TestBrowseWithoutColour(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 20, 80, 24)
	plainView := s.m.View()
	if strings.ContainsAny(ansi.Strip(plainView), "\x1b\u202e") {
		t.Error("a name reaches the terminal's controls")
	}
	s.m.styles = Terminal{Out: io.Discard, Color: true}.styles()
	if colored := s.m.View(); colored == plainView || ansi.Strip(colored) != ansi.Strip(plainView) {
		t.Errorf("with colours other words:\n%s", colored)
	}
	if stamp(time.Time{}) != "" {
		t.Error("no time is written")
	}
}
