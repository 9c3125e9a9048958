package tui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// settle is how long a filter rests before it is asked for: not every letter costs a search through a million rows.
const settle = 150 * time.Millisecond

// keys presses keys that arrived at once one after the other: typed fast, over ssh, they come as one message.
func (m browseModel) keys(k tea.KeyMsg) (browseModel, tea.Cmd) {
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 || m.typing {
		return m.press(k)
	}
	if k.Paste {
		return m, nil
	}
	var all []tea.Cmd
	for i, r := range k.Runes {
		if m.typing { // "/coffee" at once: the rest is typed
			next, cmd := m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: k.Runes[i:]})
			return next, tea.Batch(append(all, cmd)...)
		}
		var cmd tea.Cmd
		m, cmd = m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt})
		m = m.scrolled()
		all = append(all, cmd)
	}
	return m, tea.Batch(all...)
}

func (m browseModel) press(k tea.KeyMsg) (browseModel, tea.Cmd) {
	switch {
	case k.String() == "ctrl+c":
		return m.end(ErrInterrupted)
	case m.typing:
		return m.typed(k)
	case m.detail:
		return m.pressDetail(k)
	}
	m.note = ""
	switch k.String() {
	case "q":
		return m.end(nil)
	case "esc":
		if m.filter.Value() == "" {
			return m.end(nil)
		}
		m.filter.SetValue("")
		return m.asks()
	case "/":
		m.typing = true
		return m, m.filter.Focus()
	case "r":
		return m.reload()
	case "enter":
		_, m.detail = m.current()
	default:
		m.cursor = m.moved(k)
	}
	return m, nil
}

// moved is where a key takes the cursor.
func (m browseModel) moved(k tea.KeyMsg) int {
	switch k.String() {
	case "up", "k":
		return m.cursor - 1
	case "down", "j":
		return m.cursor + 1
	case "pgup", "ctrl+b":
		return m.cursor - m.rows()
	case "pgdown", "ctrl+f", " ":
		return m.cursor + m.rows()
	case "home", "g":
		return 0
	case "end", "G":
		return m.total - 1
	}
	return m.cursor
}

// pressDetail leaves the detail, or goes to its neighbours.
func (m browseModel) pressDetail(k tea.KeyMsg) (browseModel, tea.Cmd) {
	switch k.String() {
	case "q", "esc", "enter":
		m.detail = false
	default:
		m.cursor = m.moved(k)
	}
	return m, nil
}

// typed edits the filter; the list follows when the typing rests.
func (m browseModel) typed(k tea.KeyMsg) (browseModel, tea.Cmd) {
	before := m.filter.Value()
	switch k.String() {
	case "enter", "down", "up", "tab":
		m.typing = false
		m.filter.Blur()
		return m, nil
	case "esc":
		m.typing = false
		m.filter.Blur()
		m.filter.SetValue("")
	default:
		m.filter, _ = m.filter.Update(k)
	}
	if strings.TrimSpace(m.filter.Value()) == strings.TrimSpace(before) {
		return m, nil
	}
	return m.asks()
}

// asks begins another selection, which is read when no other follows at once.
func (m browseModel) asks() (browseModel, tea.Cmd) {
	m = m.another()
	turn := m.turn
	return m, tea.Tick(settle, func(time.Time) tea.Msg { return browseSettled{turn} })
}

// reload reads what is shown anew, and stays where it is.
func (m browseModel) reload() (browseModel, tea.Cmd) {
	cursor, top, total, known := m.cursor, m.top, m.total, m.known
	m = m.another()
	if !known {
		m.pages = m.pages.asked(1)
		return m, m.Init()
	}
	m.cursor, m.top, m.total, m.known = cursor, top, total, known
	if total == 0 {
		m.pages = m.pages.asked(1)
		return m, m.Init()
	}
	return m, m.readSums()
}

func (m browseModel) end(err error) (browseModel, tea.Cmd) {
	m.err, m.over = err, true
	m.drop()
	return m, tea.Quit
}
