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

// Desk is the support desk: a queue of employees' accounts that are not verified, and what can be done about each. It
// never makes one verified; it reads and acts through its functions alone, each of which may block.
type Desk struct {
	Companies []string
	Version   string        // of this program, for the support bundle
	Every     time.Duration // how often the queue is read anew
	Now       func() time.Time

	Queue   func(context.Context) ([]employee.BankAccount, error)
	Reload  func(context.Context, employee.BankAccount) (employee.BankAccount, error)
	History func(context.Context, employee.BankAccount) ([]trail.Record, error)
	Mint    func(context.Context, employee.BankAccount) (employee.TokenReply, error)
	Look    func(ctx context.Context, sessionID string) (connection.Session, error) // blocks a few seconds where nothing is new
	Save    func(ctx context.Context, a employee.BankAccount, s connection.Session, chosen int) (employee.BankAccount, error)
	Open    func(url string) error // nil = there is no browser here
}

// ShowDesk shows the desk until the user leaves it.
func ShowDesk(ctx context.Context, t Terminal, d Desk) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := shared(t.Out)
	last, err := run(ctx, t, out, newDeskModel(ctx, t, d, out), tea.WithAltScreen())
	if err != nil {
		return err
	}
	return last.(deskModel).err
}

// sharedTerminal is locked, and still known for a terminal, so that its size is read.
type sharedTerminal struct {
	locked
	file terminalFile
}

// terminalFile is what bubbletea knows a terminal by.
type terminalFile interface {
	io.ReadWriteCloser
	Fd() uintptr
}

func (s *sharedTerminal) Read(p []byte) (int, error) { return s.file.Read(p) }
func (s *sharedTerminal) Close() error               { return nil }
func (s *sharedTerminal) Fd() uintptr                { return s.file.Fd() }

func shared(w io.Writer) io.Writer {
	if f, ok := w.(terminalFile); ok {
		return &sharedTerminal{locked: locked{w: w}, file: f}
	}
	return &locked{w: w}
}

// pane is what the screen shows.
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

	all     []employee.BankAccount // oldest first
	loaded  bool
	loading bool
	readAt  time.Time
	trouble string    // why the last reading failed
	fresh   time.Time // when the last one that did not fail was made

	at     string // the id of the account under the cursor
	cursor int    // its place among the shown ones
	top    int
	search field
	typing bool
	reason employee.Reason // shown alone; empty = all

	pane    pane
	back    pane                 // where a text goes back to
	behind  pane                 // where help goes back to
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

// What the commands come back with.
type (
	queueRead struct {
		rows []employee.BankAccount
		err  error
	}
	historyRead struct {
		of     employee.BankAccount
		rows   []trail.Record
		err    error
		bundle bool
	}
)

func (m deskModel) Init() tea.Cmd { return tea.Batch(m.readQueue, everySecond()) }

func (m deskModel) readQueue() tea.Msg {
	rows, err := m.Queue(m.ctx)
	return queueRead{rows, err}
}

func (m deskModel) readHistory(a employee.BankAccount, bundle bool) tea.Cmd {
	return func() tea.Msg {
		rows, err := m.History(m.ctx, a)
		return historyRead{a, rows, err, bundle}
	}
}

func (m deskModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		m.note = ""
		m, cmd = m.keys(msg)
	case second:
		m.frame++
		m, cmd = m.tick()
	case queueRead:
		m = m.queued(msg)
	case historyRead:
		m, cmd = m.told(msg)
	case minted:
		m, cmd = m.linked(msg)
	case looked:
		m, cmd = m.seen(msg)
	case judged:
		m = m.judged(msg)
	case acted:
		m.note = msg.note
	}
	return m.scrolled(), cmd
}

// tick reads the queue anew when it is due; the next second follows.
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

// with gives a copy of a map with one entry more, so that a model once shown never changes.
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
