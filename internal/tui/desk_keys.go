package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/bankctl/bankctl/internal/employee"
)

// pressAll handles keys that arrive as one message, as fast typing over ssh does.
func (m deskModel) pressAll(k tea.KeyMsg) (deskModel, tea.Cmd) {
	if k.Type != tea.KeyRunes || len(k.Runes) < 2 {
		return m.press(k)
	}
	if k.Paste && !m.typing {
		return m, nil
	}
	var all []tea.Cmd
	for _, r := range k.Runes {
		var cmd tea.Cmd
		m, cmd = m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt})
		m = m.clampCursor()
		all = append(all, cmd)
	}
	return m, tea.Batch(all...)
}

func (m deskModel) press(k tea.KeyMsg) (deskModel, tea.Cmd) {
	switch {
	case k.String() == "ctrl+c":
		return m.end(ErrInterrupted)
	case m.typing:
		return m.editSearch(k)
	case m.pane == inQueue:
		return m.pressQueue(k)
	case k.String() == "?" && m.pane != inHelp:
		return m.help(), nil
	case k.String() == "esc" || k.String() == "q":
		return m.leave(), nil
	}
	switch m.pane {
	case inChoice:
		return m.pressChoice(k)
	case inHelp, inHistory, inBundle:
		return m.pressText(k)
	case inVerdict, inDetail, inLink:
		if k.String() == "enter" {
			return m.leave(), nil
		}
	}
	return m.pressAccount(k, m.subject)
}

func (m deskModel) help() deskModel {
	m.behind, m.pane, m.scroll = m.pane, inHelp, 0
	return m
}

// leave goes back one step.
func (m deskModel) leave() deskModel {
	switch m.pane {
	case inHelp:
		m.pane, m.scroll = m.behind, 0
	case inHistory, inBundle:
		m.pane, m.back = m.back, inQueue
	default:
		m.pane = inQueue
	}
	return m
}

func (m deskModel) pressQueue(k tea.KeyMsg) (deskModel, tea.Cmd) {
	shown := len(m.visible())
	switch k.String() {
	case "q":
		return m.end(nil)
	case "?":
		return m.help(), nil
	case "esc":
		m.search.SetValue("")
		m.reason = ""
		return m.refilter(), nil
	case "/":
		m.typing = true
		return m, m.search.Focus()
	case "f":
		return m.nextReason().refilter(), nil
	case "r":
		if m.loading {
			return m, nil
		}
		m.loading, m.note = true, "reading the queue …"
		return m, m.readQueue
	case "up", "k":
		m.cursor--
	case "down", "j":
		m.cursor++
	case "home", "g":
		m.cursor = 0
	case "end", "G":
		m.cursor = shown - 1
	case "pgup":
		m.cursor -= m.rows()
	case "pgdown":
		m.cursor += m.rows()
	case "enter":
		if a, ok := m.current(); ok {
			m.pane, m.subject = inDetail, a
		}
	default:
		if a, ok := m.current(); ok {
			return m.pressAccount(k, a)
		}
	}
	return m, nil
}

// refilter applies the filters again; the cursor stays on its account if that is still visible.
func (m deskModel) refilter() deskModel {
	m.cursor = 0
	return m.restoreCursor()
}

// pressAccount handles the keys that act on one account, the same in every pane.
func (m deskModel) pressAccount(k tea.KeyMsg, a employee.BankAccount) (deskModel, tea.Cmd) {
	link := m.links[a.AccountID]
	switch k.String() {
	case "l":
		if a.IsVerified {
			m.note = "it is verified: there is nothing to link"
			return m, nil
		}
		return m.requestLink(a)
	case "w":
		if a.IsVerified {
			m.note = "it is verified: there is nothing to watch"
			return m, nil
		}
		return m.watchLink(a)
	case "h":
		m.note = "reading the history …"
		return m, m.readHistory(a, false)
	case "b":
		m.note = "collecting …"
		return m, m.readHistory(a, true)
	case "c", "o":
		if link.HostedLinkURL == "" {
			m.note = "there is no link yet: l asks for one"
			return m, nil
		}
		if k.String() == "c" {
			return m, m.copyText(link.HostedLinkURL, "the link is on the terminal's clipboard")
		}
		return m.openLink(link.HostedLinkURL)
	}
	return m, nil
}

func (m deskModel) openLink(url string) (deskModel, tea.Cmd) {
	if m.Open == nil {
		m.note = "there is no browser here: c copies the link"
		return m, nil
	}
	return m, func() tea.Msg {
		if err := m.Open(url); err != nil {
			return noteMsg{"no browser could be opened: c copies the link"}
		}
		return noteMsg{"opened in the browser here"}
	}
}

// editSearch edits the search; the queue follows each letter.
func (m deskModel) editSearch(k tea.KeyMsg) (deskModel, tea.Cmd) {
	switch k.String() {
	case "enter", "down", "up", "tab":
		m.typing = false
		m.search.Blur()
		return m, nil
	case "esc":
		m.typing = false
		m.search.Blur()
		m.search.SetValue("")
		return m.refilter(), nil
	}
	var cmd tea.Cmd
	m.search, cmd = m.search.Update(k)
	return m.refilter(), cmd
}

// pressChoice handles the keys of the choice among the accounts that the employee shared.
func (m deskModel) pressChoice(k tea.KeyMsg) (deskModel, tea.Cmd) {
	w, on := m.watches[m.subject.AccountID]
	if !on || w.choose == nil {
		return m.leave(), nil
	}
	last := len(w.choose.Accounts) - 1
	switch k.String() {
	case "up", "k":
		m.choice = max(0, m.choice-1)
	case "down", "j":
		m.choice = min(last, m.choice+1)
	case "enter":
		m.pane = inLink
		return m.save(w, *w.choose, m.choice)
	}
	return m, nil
}

// pressText scrolls a pane of text.
func (m deskModel) pressText(k tea.KeyMsg) (deskModel, tea.Cmd) {
	switch k.String() {
	case "up", "k":
		m.scroll--
	case "down", "j":
		m.scroll++
	case "pgup":
		m.scroll -= m.textRows()
	case "pgdown", " ":
		m.scroll += m.textRows()
	case "home", "g":
		m.scroll = 0
	case "end", "G":
		m.scroll = len(m.text())
	case "enter":
		return m.leave(), nil
	case "c", "b":
		if m.pane == inBundle {
			return m, m.copyText(joined(m.lines), bundleCopied)
		}
	}
	return m, nil
}
