package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/bankctl/bankctl/internal/txn"
)

// Browser shows a statement of any length: it reads the pages around the cursor and keeps a few. Its functions may block.
type Browser struct {
	Query txn.Query // the selection; the filter that is typed narrows it

	Page    func(context.Context, txn.Query) (txn.Page, error)
	Summary func(context.Context, txn.Query) (txn.Summary, error) // each currency by itself
}

// ShowBrowser shows transactions until the user leaves.
func ShowBrowser(ctx context.Context, t Terminal, b Browser) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	last, err := run(ctx, t, t.Out, newBrowseModel(ctx, t, b), tea.WithAltScreen())
	if err != nil {
		return err
	}
	return last.(browseModel).err
}

type browseModel struct {
	Browser
	ctx    context.Context
	styles styles
	width  int
	height int

	selectionCtx    context.Context // of the current selection; cancelled by the next one
	cancelSelection context.CancelFunc
	generation      int // number of the selection: replies for older ones are dropped
	total           int
	totalKnown      bool // whether total is known
	pages           browsePages
	sums            []txn.Currency
	sumsKnown       bool

	cursor int
	top    int
	filter field
	typing bool
	detail bool
	note   string
	err    error
	over   bool
}

func newBrowseModel(ctx context.Context, t Terminal, b Browser) browseModel {
	m := browseModel{Browser: b, ctx: ctx, styles: t.styles(), width: 80, height: 24}
	m.filter = field{Prompt: "/ ", CharLimit: 100}
	m.filter.SetValue(b.Query.Text)
	m.selectionCtx, m.cancelSelection = context.WithCancel(ctx)
	m.pages = browsePages{}.markAsked(1)
	return m
}

// Messages that the commands return.
type (
	pageMsg struct {
		turn, page int
		got        txn.Page
		err        error
	}
	sumsMsg struct {
		turn int
		got  txn.Summary
		err  error
	}
	settledMsg struct{ turn int }
)

func (m browseModel) Init() tea.Cmd { return tea.Batch(m.readPage(1), m.readSums()) }

// query is the current selection.
func (m browseModel) query() txn.Query {
	q := m.Query
	q.Text = strings.TrimSpace(m.filter.Value())
	return q
}

func (m browseModel) readPage(n int) tea.Cmd {
	q, turn, ctx := m.query(), m.generation, m.selectionCtx
	q.Page, q.Limit = n, browsePage
	return func() tea.Msg {
		got, err := m.Page(ctx, q)
		return pageMsg{turn, n, got, err}
	}
}

func (m browseModel) readSums() tea.Cmd {
	q, turn, ctx := m.query(), m.generation, m.selectionCtx
	return func() tea.Msg {
		got, err := m.Summary(ctx, q)
		return sumsMsg{turn, got, err}
	}
}

func (m browseModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		m, cmd = m.pressAll(msg)
	case pageMsg:
		m = m.takePage(msg)
	case sumsMsg:
		m = m.takeSums(msg)
	case settledMsg:
		if msg.turn == m.generation {
			m.pages = m.pages.markAsked(1)
			cmd = m.Init()
		}
	}
	if m.over {
		return m, cmd
	}
	m = m.clampCursor()
	m, more := m.fetch()
	return m, tea.Batch(cmd, more)
}

func (m browseModel) takePage(p pageMsg) browseModel {
	if p.turn != m.generation {
		return m
	}
	if p.err != nil {
		m.pages = m.pages.markFailed(p.page)
		m.note = errorText(p.err) + "; r tries again"
		return m
	}
	m.total, m.totalKnown = p.got.Info.Total, true
	m.pages = m.pages.put(p.page, p.got.Rows)
	return m
}

func (m browseModel) takeSums(s sumsMsg) browseModel {
	if s.turn != m.generation {
		return m
	}
	if s.err != nil {
		m.note = errorText(s.err)
		return m
	}
	m.sumsKnown = true
	if m.sums = s.got.Each; len(m.sums) == 0 && s.got.Total > 0 {
		m.sums = []txn.Currency{{Currency: s.got.Currency, Sums: txn.Sums{Total: s.got.Total, Debits: s.got.Debits, Credits: s.got.Credits, Net: s.got.Net}}}
	}
	return m
}

// newSelection starts another selection and cancels the reads of the one before.
func (m browseModel) newSelection() browseModel {
	m.cancelSelection()
	m.selectionCtx, m.cancelSelection = context.WithCancel(m.ctx)
	m.generation++
	m.totalKnown, m.sumsKnown, m.total, m.sums = false, false, 0, nil
	m.pages, m.cursor, m.top, m.note = browsePages{}, 0, 0, ""
	return m
}

// fetch requests the pages on the screen and the next one in each direction, each of them once.
func (m browseModel) fetch() (browseModel, tea.Cmd) {
	if !m.totalKnown {
		return m, nil
	}
	var all []tea.Cmd
	rows := m.rows()
	for _, row := range []int{m.top, m.top + rows - 1, m.top + 2*rows, m.top - rows} {
		n := row/browsePage + 1
		if row < 0 || row >= m.total || m.pages.has(n) {
			continue
		}
		m.pages = m.pages.markAsked(n)
		all = append(all, m.readPage(n))
	}
	return m, tea.Batch(all...)
}

func (m browseModel) current() (txn.Transaction, bool) {
	return m.pages.row(m.cursor)
}

// clampCursor keeps the cursor on a row and on the screen.
func (m browseModel) clampCursor() browseModel {
	m.cursor = max(0, min(m.cursor, m.total-1))
	rows := m.rows()
	m.top = max(0, min(m.top, m.cursor, m.total-rows))
	if m.cursor >= m.top+rows {
		m.top = m.cursor - rows + 1
	}
	return m
}
