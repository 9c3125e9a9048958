// Package tui owns bankctl's screens: bubbletea programs that are pure reducers over messages. They draw on stderr, so
// that stdout carries results alone. The commands decide what they show and what follows.
package tui

import (
	"context"
	"errors"
	"io"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

// ErrQuit says that the user left by choice, ErrInterrupted that they pressed Ctrl-C.
var (
	ErrQuit        = errors.New("the user left")
	ErrInterrupted = errors.New("interrupted")
)

// Terminal is the terminal of a screen.
type Terminal struct {
	In    io.Reader
	Out   io.Writer // stderr
	Color bool
}

// styles use the 16 colours that every terminal has. No information depends on colour alone.
type styles struct {
	title, key, dim, good, bad, cursor lipgloss.Style
}

func (t Terminal) styles() styles {
	r := lipgloss.NewRenderer(t.Out)
	r.SetHasDarkBackground(true) // do not query the terminal
	r.SetColorProfile(termenv.Ascii)
	if t.Color {
		r.SetColorProfile(termenv.ANSI)
	}
	s := r.NewStyle()
	return styles{
		title: s.Bold(true), key: s.Bold(true), dim: s.Faint(true),
		good: s.Foreground(lipgloss.Color("2")), bad: s.Foreground(lipgloss.Color("1")), cursor: s.Bold(true).Foreground(lipgloss.Color("6")),
	}
}

// lockedWriter lets a screen and a clipboard sequence share a terminal.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// run shows a model until it ends, and restores the terminal.
func run(ctx context.Context, t Terminal, out io.Writer, m tea.Model, opts ...tea.ProgramOption) (tea.Model, error) {
	opts = append(opts, tea.WithContext(ctx), tea.WithInput(t.In), tea.WithOutput(out), tea.WithoutSignalHandler())
	last, err := tea.NewProgram(suspending{m}, opts...).Run()
	if s, ok := last.(suspending); ok {
		last = s.Model
	}
	if ctx.Err() != nil {
		return last, ErrInterrupted
	}
	return last, err
}

// suspending gives the terminal back on Ctrl-Z, until the shell continues the program.
type suspending struct{ tea.Model }

// Update hands on all but Ctrl-Z.
func (s suspending) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if key, ok := msg.(tea.KeyMsg); ok && key.Type == tea.KeyCtrlZ {
		return s, tea.Suspend
	}
	m, cmd := s.Model.Update(msg)
	return suspending{m}, cmd
}

// fit cuts a line to the width of the screen.
func fit(line string, width int) string {
	if width <= 0 {
		return line
	}
	return ansi.Truncate(line, width, "…")
}
