package tui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	"github.com/charmbracelet/bubbles/spinner"
	tea "github.com/charmbracelet/bubbletea"
)

// Waiting describes a page that the user finishes elsewhere, and until when.
type Waiting struct {
	Title      string
	URL        string
	Expires    time.Time
	Simulation bool
	Open       func() error // opens the URL in a browser; nil = no browser
	Now        func() time.Time
}

// Wait shows the waiting screen until poll reports the end. poll may block for a few seconds; it gives a line of
// progress.
func Wait(ctx context.Context, t Terminal, w Waiting, poll func(context.Context) (done bool, progress string, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &lockedWriter{w: t.Out}
	m := newWaitModel(t, w, out, func() tea.Msg {
		done, progress, err := poll(ctx)
		return pollMsg{done, progress, err}
	})
	// The header is printed above the screen and stays there, so that the user can copy from it later.
	fmt.Fprint(out, m.header())
	last, err := run(ctx, t, out, m)
	if err != nil {
		return err
	}
	return last.(waitModel).err
}

type (
	pollMsg struct {
		done     bool
		progress string
		err      error
	}
	secondMsg struct{}
	noteMsg   struct{ note string }
)

type waitModel struct {
	w        Waiting
	out      io.Writer
	styles   styles
	poll     tea.Cmd
	spinner  spinner.Model
	width    int
	progress string
	note     string
	over     bool
	err      error
}

func newWaitModel(t Terminal, w Waiting, out io.Writer, poll tea.Cmd) waitModel {
	return waitModel{w: w, out: out, styles: t.styles(), poll: poll, spinner: spinner.New(spinner.WithSpinner(spinner.MiniDot))}
}

func (m waitModel) header() string {
	var b strings.Builder
	b.WriteString(m.styles.title.Render(m.w.Title) + "\n")
	if m.w.Simulation {
		b.WriteString("SIMULATION: no real bank is involved.\n")
	}
	b.WriteString("\n  " + m.w.URL + "\n\n")
	if code := QR(m.w.URL); code != "" {
		b.WriteString(code + "\n")
	}
	return b.String()
}

func everySecond() tea.Cmd {
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return secondMsg{} })
}

func (m waitModel) Init() tea.Cmd { return tea.Batch(m.poll, m.spinner.Tick, everySecond()) }

func (m waitModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width = msg.Width
	case tea.KeyMsg:
		return m.press(msg)
	case pollMsg:
		m.progress = msg.progress
		if msg.done || msg.err != nil {
			m.err, m.over = msg.err, true
			return m, tea.Quit
		}
		return m, m.poll
	case noteMsg:
		m.note = msg.note
	case secondMsg:
		return m, everySecond()
	case spinner.TickMsg:
		var cmd tea.Cmd
		m.spinner, cmd = m.spinner.Update(msg)
		return m, cmd
	}
	return m, nil
}

func (m waitModel) press(k tea.KeyMsg) (tea.Model, tea.Cmd) {
	switch k.String() {
	case "ctrl+c":
		m.err, m.over = ErrInterrupted, true
		return m, tea.Quit
	case "q", "esc":
		m.err, m.over = ErrQuit, true
		return m, tea.Quit
	case "c":
		return m, m.copyURL
	case "o":
		if m.w.Open != nil {
			return m, m.openURL
		}
		m.note = "there is no browser here: open the address elsewhere"
	}
	return m, nil
}

// copyURL copies to the clipboard through the terminal, which works over ssh too.
func (m waitModel) copyURL() tea.Msg {
	if _, err := osc52.New(m.w.URL).WriteTo(m.out); err != nil {
		return noteMsg{"the address could not be copied"}
	}
	return noteMsg{"address copied"}
}

func (m waitModel) openURL() tea.Msg {
	if err := m.w.Open(); err != nil {
		return noteMsg{"no browser could be opened: open the address yourself"}
	}
	return noteMsg{"opened again"}
}

func (m waitModel) View() string {
	if m.over {
		return ""
	}
	progress := m.progress
	if progress == "" {
		progress = "waiting for you to finish at the bank"
	}
	keys := m.styles.key.Render("c") + " copy  " + m.styles.key.Render("q") + " quit"
	if m.w.Open != nil {
		keys = m.styles.key.Render("o") + " open again  " + keys
	}
	lines := []string{m.spinner.View() + " " + progress + m.styles.dim.Render("  "+m.timeLeft()), "  " + keys}
	if m.note != "" {
		lines = append(lines, "  "+m.note)
	}
	for i := range lines {
		lines[i] = fit(lines[i], m.width)
	}
	return strings.Join(lines, "\n") + "\n"
}

// timeLeft is the time until the link expires.
func (m waitModel) timeLeft() string {
	d := m.w.Expires.Sub(m.w.Now()).Truncate(time.Second)
	switch {
	case m.w.Expires.IsZero():
		return ""
	case d <= 0:
		return "the link has expired"
	case d >= time.Hour:
		return fmt.Sprintf("%d:%02d:%02d left", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d left", int(d.Minutes()), int(d.Seconds())%60)
}
