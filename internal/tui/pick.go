package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// Choice is an account to pick from.
type Choice struct {
	ID, Name, Mask, Detail string
	Locked                 string // why it cannot be chosen; "" = it can
	Chosen                 bool   // initially
}

// Pick lets the user choose any number of accounts and a primary among them. It returns ErrQuit if the user leaves.
func Pick(ctx context.Context, t Terminal, title string, choices []Choice) (chosen []string, primary string, err error) {
	last, err := run(ctx, t, t.Out, newPickModel(t, title, choices), tea.WithAltScreen())
	if err != nil {
		return nil, "", err
	}
	m := last.(pickModel)
	if m.err != nil {
		return nil, "", m.err
	}
	for _, c := range m.choices {
		if m.chosen[c.ID] {
			chosen = append(chosen, c.ID)
		}
	}
	return chosen, m.primary, nil
}

type pickModel struct {
	title   string
	styles  styles
	choices []Choice
	chosen  map[string]bool
	primary string
	cursor  int // within the shown ones
	top     int // first shown one on the screen
	filter  field
	typing  bool
	note    string
	width   int
	height  int
	over    bool
	err     error
}

func newPickModel(t Terminal, title string, choices []Choice) pickModel {
	m := pickModel{title: title, styles: t.styles(), choices: choices, chosen: map[string]bool{}, width: 80, height: 24}
	m.filter = field{Prompt: "/ ", CharLimit: 60}
	for _, c := range choices {
		m.chosen[c.ID] = c.Chosen && c.Locked == ""
	}
	return m
}

func (m pickModel) Init() tea.Cmd { return nil }

func (m pickModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		return m.pressAll(msg)
	}
	return m.clampCursor(), nil
}

// pressAll handles keys that arrive as one message, as fast typing does.
func (m pickModel) pressAll(msg tea.KeyMsg) (tea.Model, tea.Cmd) {
	if msg.Type != tea.KeyRunes || len(msg.Runes) < 2 {
		return m.key(msg)
	}
	var next tea.Model = m
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		var cmd tea.Cmd
		next, cmd = next.(pickModel).key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		cmds = append(cmds, cmd)
	}
	return next, tea.Batch(cmds...)
}

func (m pickModel) key(msg tea.KeyMsg) (tea.Model, tea.Cmd) {
	m.note = ""
	switch {
	case msg.String() == "ctrl+c":
		return m.end(ErrInterrupted)
	case m.typing:
		return m.editFilter(msg)
	}
	return m.press(msg)
}

func (m pickModel) end(err error) (tea.Model, tea.Cmd) {
	m.err, m.over = err, true
	return m, tea.Quit
}

// editFilter edits the filter; the list follows each letter.
func (m pickModel) editFilter(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	switch k.String() {
	case "enter", "down", "up":
		m.typing = false
		m.filter.Blur()
		return m.clampCursor(), nil
	case "esc":
		m.typing = false
		m.filter.Blur()
		m.filter.SetValue("")
		return m.clampCursor(), nil
	}
	var cmd tea.Cmd
	m.filter, cmd = m.filter.Update(k)
	m.cursor = 0
	return m.clampCursor(), cmd
}

func (m pickModel) press(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	shown := m.visible()
	switch k.String() {
	case "q", "esc":
		if m.filter.Value() != "" && k.String() == "esc" {
			m.filter.SetValue("")
			break
		}
		return m.end(ErrQuit)
	case "enter":
		if m.count() == 0 {
			m.note = "nothing is chosen yet: space chooses, q leaves"
			break
		}
		return m.end(nil)
	case "/":
		m.typing = true
		return m, m.filter.Focus()
	case "up", "k":
		m.cursor--
	case "down", "j":
		m.cursor++
	case "home", "g":
		m.cursor = 0
	case "end", "G":
		m.cursor = len(shown) - 1
	case "pgup":
		m.cursor -= m.rows()
	case "pgdown":
		m.cursor += m.rows()
	case " ", "x":
		m = m.toggle(shown)
	case "a":
		m = m.toggleAll(shown)
	case "p":
		m = m.makePrimary(shown)
	}
	return m.clampCursor(), nil
}

func (m pickModel) toggle(shown []Choice) pickModel {
	if m.cursor >= len(shown) {
		return m
	}
	c := shown[m.cursor]
	if c.Locked != "" {
		m.note = c.Locked
		return m
	}
	m.chosen[c.ID] = !m.chosen[c.ID]
	if !m.chosen[c.ID] && m.primary == c.ID {
		m.primary = ""
	}
	return m
}

// toggleAll chooses all visible accounts, or none if all of them are chosen.
func (m pickModel) toggleAll(shown []Choice) pickModel {
	all := true
	for _, c := range shown {
		all = all && (m.chosen[c.ID] || c.Locked != "")
	}
	for _, c := range shown {
		m.chosen[c.ID] = !all && c.Locked == ""
		if all && m.primary == c.ID {
			m.primary = ""
		}
	}
	return m
}

func (m pickModel) makePrimary(shown []Choice) pickModel {
	if m.cursor >= len(shown) {
		return m
	}
	c := shown[m.cursor]
	switch {
	case c.Locked != "":
		m.note = c.Locked
	case m.primary == c.ID:
		m.primary = ""
	default:
		m.primary, m.chosen[c.ID] = c.ID, true
	}
	return m
}

func (m pickModel) count() int {
	n := 0
	for _, c := range m.choices {
		if m.chosen[c.ID] {
			n++
		}
	}
	return n
}

// visible lists the choices that match the filter.
func (m pickModel) visible() []Choice {
	want := strings.ToLower(strings.TrimSpace(m.filter.Value()))
	if want == "" {
		return m.choices
	}
	var fit []Choice
	for _, c := range m.choices {
		if strings.Contains(strings.ToLower(c.Name+" "+c.Mask+" "+c.Detail), want) {
			fit = append(fit, c)
		}
	}
	return fit
}

// rows is the number of choices on the screen.
func (m pickModel) rows() int { return max(1, m.height-6) }

// clampCursor keeps the cursor on a choice and on the screen.
func (m pickModel) clampCursor() pickModel {
	n := len(m.visible())
	m.cursor = max(0, min(m.cursor, n-1))
	m.top = max(0, min(m.top, m.cursor, n-m.rows()))
	if m.cursor >= m.top+m.rows() {
		m.top = m.cursor - m.rows() + 1
	}
	m.top = max(0, m.top)
	return m
}

func (m pickModel) View() string {
	if m.over {
		return ""
	}
	shown := m.visible()
	lines := []string{m.styles.title.Render(m.title), m.filterLine(len(shown))}
	for i := m.top; i < min(len(shown), m.top+m.rows()); i++ {
		lines = append(lines, m.line(shown[i], i == m.cursor))
	}
	if len(shown) == 0 {
		lines = append(lines, m.styles.dim.Render("  no account fits the filter"))
	}
	lines = append(lines, "", m.status(), m.keys())
	for i := range lines {
		lines[i] = fit(lines[i], m.width)
	}
	return strings.Join(lines, "\n")
}

func (m pickModel) filterLine(n int) string {
	if m.typing {
		return m.filter.View()
	}
	if m.filter.Value() != "" {
		return m.styles.dim.Render(fmt.Sprintf("/ %s  (%d of %d)", m.filter.Value(), n, len(m.choices)))
	}
	return ""
}

func (m pickModel) line(c Choice, at bool) string {
	box := "[ ]"
	switch {
	case c.Locked != "":
		box = " - "
	case m.chosen[c.ID]:
		box = "[x]"
	}
	mask := ""
	if c.Mask != "" {
		mask = "••" + c.Mask
	}
	text := fmt.Sprintf("%s %-26s %-7s %s", box, c.Name, mask, c.Detail)
	if m.primary == c.ID && c.ID != "" {
		text += "  primary"
	}
	if c.Locked != "" {
		text = m.styles.dim.Render(text + "  " + c.Locked)
	}
	if at {
		return m.styles.cursor.Render("> ") + m.styles.title.Render(text)
	}
	return "  " + text
}

func (m pickModel) status() string {
	if m.note != "" {
		return m.note
	}
	return m.styles.dim.Render(fmt.Sprintf("%d of %d chosen", m.count(), len(m.choices)))
}

func (m pickModel) keys() string {
	var b strings.Builder
	for _, k := range [][2]string{{"space", "choose"}, {"a", "all"}, {"p", "primary"}, {"/", "filter"}, {"enter", "save"}, {"q", "quit"}} {
		b.WriteString(m.styles.key.Render(k[0]) + " " + k[1] + "  ")
	}
	return strings.TrimRight(b.String(), " ")
}
