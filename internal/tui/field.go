package tui

import (
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
)

// field is a line of input with the cursor at its end. The library's own input links a clipboard package, which would
// slow the start of every command.
type field struct {
	Prompt    string
	CharLimit int
	runes     []rune
	focused   bool
}

// Value is the text that was typed.
func (f field) Value() string { return string(f.runes) }

// SetValue replaces the text.
func (f *field) SetValue(s string) { f.runes = []rune(s) }

// Focus makes the field take keys.
func (f *field) Focus() tea.Cmd {
	f.focused = true
	return nil
}

// Blur stops it taking keys.
func (f *field) Blur() { f.focused = false }

// Focused reports whether the field takes keys.
func (f field) Focused() bool { return f.focused }

// Update edits the line by one key.
func (f field) Update(msg tea.Msg) (field, tea.Cmd) {
	k, ok := msg.(tea.KeyMsg)
	if !ok || !f.focused {
		return f, nil
	}
	switch k.String() {
	case "backspace":
		if len(f.runes) > 0 {
			f.runes = f.runes[:len(f.runes)-1]
		}
	case "ctrl+u":
		f.runes = nil
	case "ctrl+w":
		n := len(f.runes)
		for n > 0 && f.runes[n-1] == ' ' {
			n--
		}
		for n > 0 && f.runes[n-1] != ' ' {
			n--
		}
		f.runes = f.runes[:n]
	default:
		if k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
			f.add(k.Runes)
		}
	}
	return f, nil
}

func (f *field) add(typed []rune) {
	for _, r := range typed {
		if unicode.IsPrint(r) && (f.CharLimit == 0 || len(f.runes) < f.CharLimit) {
			f.runes = append(f.runes[:len(f.runes):len(f.runes)], r)
		}
	}
}

// View shows the line with its cursor.
func (f field) View() string {
	if f.focused {
		return f.Prompt + f.Value() + "▏"
	}
	return f.Prompt + f.Value()
}
