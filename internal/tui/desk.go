package tui

import (
	"context"
	"io"
	"maps"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/trail"
)

// Desk is the support desk: a queue of employees' accounts that are not verified, with the actions for each. It never
// verifies an account by itself. Its functions may block.
type Desk struct {
	Companies []string
	Version   string        // of this program, for the support bundle
	Every     time.Duration // interval between reads of the queue
	Now       func() time.Time

	Queue       func(context.Context) ([]employee.BankAccount, error)
	Reload      func(context.Context, employee.BankAccount) (employee.BankAccount, error)
	History     func(context.Context, employee.BankAccount) ([]trail.Record, error)
	NewLink     func(context.Context, employee.BankAccount) (employee.TokenReply, error)
	PollSession func(ctx context.Context, sessionID string) (connection.Session, error) // blocks a few seconds while nothing is new
	Save        func(ctx context.Context, a employee.BankAccount, s connection.Session, chosen int) (employee.BankAccount, error)
	Open        func(url string) error // nil = no browser
}

// ShowDesk shows the desk until the user leaves it.
func ShowDesk(ctx context.Context, t Terminal, d Desk) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := newSharedTerminal(t.Out)
	last, err := run(ctx, t, out, newDeskModel(ctx, t, d, out), tea.WithAltScreen())
	if err != nil {
		return err
	}
	return last.(deskModel).err
}

// sharedTerminal is a lockedWriter that bubbletea still recognizes as a terminal, so that it reads the screen's size.
type sharedTerminal struct {
	lockedWriter
	file terminalFile
}

// terminalFile is the interface by which bubbletea recognizes a terminal.
type terminalFile interface {
	io.ReadWriteCloser
	Fd() uintptr
}

func (s *sharedTerminal) Read(p []byte) (int, error) { return s.file.Read(p) }
func (s *sharedTerminal) Close() error               { return nil }
func (s *sharedTerminal) Fd() uintptr                { return s.file.Fd() }

func newSharedTerminal(w io.Writer) io.Writer {
	if f, ok := w.(terminalFile); ok {
		return &sharedTerminal{lockedWriter: lockedWriter{w: w}, file: f}
	}
	return &lockedWriter{w: w}
}

// pane names the parts of the desk; the screen shows one.
type pane int

const (
	inQueue pane = iota
	inDetail
	inLink
	inChoice
	inVerdict
	inHistory
	inBundle
	inHelp
)

type deskModel struct {
	Desk
	ctx    context.Context
	out    io.Writer
	styles styles
	width  int
	height int
	frame  int // of the spinner

	all        []employee.BankAccount // oldest first
	loaded     bool
	loading    bool
	readAt     time.Time
	lastError  string    // of the last read; "" = it succeeded
	lastGoodAt time.Time // time of the last read that succeeded

	currentID string // the id of the account under the cursor
	cursor    int    // its index among the visible ones
	top       int
	search    field
	typing    bool
	reason    employee.Reason // filter; empty = all

	pane    pane
	back    pane                 // behind a text
	behind  pane                 // behind the help
	subject employee.BankAccount // the account that the pane is about
	links   map[string]employee.TokenReply
	watches map[string]watch
	choice  int
	lines   []string // of a pane that scrolls
	scroll  int
	note    string
	err     error
	over    bool
}

func newDeskModel(ctx context.Context, t Terminal, d Desk, out io.Writer) deskModel {
	m := deskModel{
		Desk: d, ctx: ctx, out: out, styles: t.styles(), width: 80, height: 24, loading: true,
		links: map[string]employee.TokenReply{}, watches: map[string]watch{}, search: field{Prompt: "/ ", CharLimit: 60},
	}
	return m
}

// Messages that the commands return.
type (
	queueMsg struct {
		rows []employee.BankAccount
		err  error
	}
	historyMsg struct {
		of     employee.BankAccount
		rows   []trail.Record
		err    error
		bundle bool
	}
)

func (m deskModel) Init() tea.Cmd { return tea.Batch(m.readQueue, everySecond()) }

func (m deskModel) readQueue() tea.Msg {
	rows, err := m.Queue(m.ctx)
	return queueMsg{rows, err}
}

func (m deskModel) readHistory(a employee.BankAccount, bundle bool) tea.Cmd {
	return func() tea.Msg {
		rows, err := m.History(m.ctx, a)
		return historyMsg{a, rows, err, bundle}
	}
}

func (m deskModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		m.note = ""
		m, cmd = m.pressAll(msg)
	case secondMsg:
		m.frame++
		m, cmd = m.tick()
	case queueMsg:
		m = m.takeQueue(msg)
	case historyMsg:
		m, cmd = m.takeHistory(msg)
	case linkMsg:
		m, cmd = m.takeLink(msg)
	case sessionMsg:
		m, cmd = m.takeSession(msg)
	case verdictMsg:
		m = m.takeVerdict(msg)
	case noteMsg:
		m.note = msg.note
	}
	return m.clampCursor(), cmd
}

// tick runs each second, and reads the queue again when it is due.
func (m deskModel) tick() (deskModel, tea.Cmd) {
	if m.loading || m.Now().Sub(m.readAt) < m.Every {
		return m, everySecond()
	}
	m.loading = true
	return m, tea.Batch(m.readQueue, everySecond())
}

func (m deskModel) end(err error) (deskModel, tea.Cmd) {
	m.err, m.over = err, true
	return m, tea.Quit
}

// with gives a copy of a map with one more entry: models are immutable.
func with[V any](all map[string]V, key string, v V) map[string]V {
	all = maps.Clone(all)
	all[key] = v
	return all
}

func without[V any](all map[string]V, key string) map[string]V {
	all = maps.Clone(all)
	delete(all, key)
	return all
}
