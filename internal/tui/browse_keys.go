package tui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// settle is how long typing must pause before the filter is applied: not every letter may cost a search through a million
// rows.
const settle = 150 * time.Millisecond

// pressAll handles keys that arrive as one message, as fast typing over ssh does.
func (m browseModel) pressAll(k tea.KeyMsg) (browseModel, tea.Cmd) {
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 || m.typing {
		return m.press(k)
	}
	if k.Paste {
		return m, nil
	}
	var all []tea.Cmd
	for i, r := range k.Runes {
		if m.typing { // "/coffee" as one message: the rest goes to the filter
			next, cmd := m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: k.Runes[i:]})
			return next, tea.Batch(append(all, cmd)...)
		}
		var cmd tea.Cmd
		m, cmd = m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt})
		m = m.clampCursor()
		all = append(all, cmd)
	}
	return m, tea.Batch(all...)
}

func (m browseModel) press(k tea.KeyMsg) (browseModel, tea.Cmd) {
	switch {
	case k.String() == "ctrl+c":
		return m.end(ErrInterrupted)
	case m.typing:
		return m.editFilter(k)
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
		return m.changeFilter()
	case "/":
		m.typing = true
		return m, m.filter.Focus()
	case "r":
		return m.reload()
	case "enter":
		_, m.detail = m.current()
	default:
		m.cursor = m.moveCursor(k)
	}
	return m, nil
}

// moveCursor gives the row to which a key moves the cursor.
func (m browseModel) moveCursor(k tea.KeyMsg) int {
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

// pressDetail handles the keys of the detail: leave it, or show a neighbour.
func (m browseModel) pressDetail(k tea.KeyMsg) (browseModel, tea.Cmd) {
	switch k.String() {
	case "q", "esc", "enter":
		m.detail = false
	default:
		m.cursor = m.moveCursor(k)
	}
	return m, nil
}

// editFilter edits the filter; the list follows when typing pauses.
func (m browseModel) editFilter(k tea.KeyMsg) (browseModel, tea.Cmd) {
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
	return m.changeFilter()
}

// changeFilter starts another selection, and reads it when no further change follows within settle.
func (m browseModel) changeFilter() (browseModel, tea.Cmd) {
	m = m.newSelection()
	turn := m.generation
	return m, tea.Tick(settle, func(time.Time) tea.Msg { return settledMsg{turn} })
}

// reload reads the selection again at the same position.
func (m browseModel) reload() (browseModel, tea.Cmd) {
	cursor, top, total, known := m.cursor, m.top, m.total, m.totalKnown
	m = m.newSelection()
	if !known {
		m.pages = m.pages.markAsked(1)
		return m, m.Init()
	}
	m.cursor, m.top, m.total, m.totalKnown = cursor, top, total, known
	if total == 0 {
		m.pages = m.pages.markAsked(1)
		return m, m.Init()
	}
	return m, m.readSums()
}

func (m browseModel) end(err error) (browseModel, tea.Cmd) {
	m.err, m.over = err, true
	m.cancelSelection()
	return m, tea.Quit
}
