package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/bankctl/bankctl/internal/txn"
)

// Browser is a statement of any length: it reads the pages around the cursor alone, and keeps a few. Its functions may
// block.
type Browser struct {
	Query txn.Query // what is browsed; what is typed narrows it

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

	asking context.Context // of the selection shown; ends when another one is
	drop   context.CancelFunc
	turn   int // which selection: what comes back for an older one is dropped
	total  int
	known  bool // whether total is
	pages  browsePages
	sums   []txn.Currency
	summed bool

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
	m.asking, m.drop = context.WithCancel(ctx)
	m.pages = browsePages{}.asked(1)
	return m
}

// What the commands come back with.
type (
	browsePaged struct {
		turn, page int
		got        txn.Page
		err        error
	}
	browseSummed struct {
		turn int
		got  txn.Summary
		err  error
	}
	browseSettled struct{ turn int }
)

func (m browseModel) Init() tea.Cmd { return tea.Batch(m.readPage(1), m.readSums()) }

// query is the selection shown.
func (m browseModel) query() txn.Query {
	q := m.Query
	q.Text = strings.TrimSpace(m.filter.Value())
	return q
}

func (m browseModel) readPage(n int) tea.Cmd {
	q, turn, ctx := m.query(), m.turn, m.asking
	q.Page, q.Limit = n, browsePage
	return func() tea.Msg {
		got, err := m.Page(ctx, q)
		return browsePaged{turn, n, got, err}
	}
}

func (m browseModel) readSums() tea.Cmd {
	q, turn, ctx := m.query(), m.turn, m.asking
	return func() tea.Msg {
		got, err := m.Summary(ctx, q)
		return browseSummed{turn, got, err}
	}
}

func (m browseModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		m, cmd = m.keys(msg)
	case browsePaged:
		m = m.paged(msg)
	case browseSummed:
		m = m.added(msg)
	case browseSettled:
		if msg.turn == m.turn {
			m.pages = m.pages.asked(1)
			cmd = m.Init()
		}
	}
	if m.over {
		return m, cmd
	}
	m = m.scrolled()
	m, more := m.fetch()
	return m, tea.Batch(cmd, more)
}

func (m browseModel) paged(p browsePaged) browseModel {
	if p.turn != m.turn {
		return m
	}
	if p.err != nil {
		m.pages = m.pages.failed(p.page)
		m.note = inWords(p.err) + "; r tries again"
		return m
	}
	m.total, m.known = p.got.Info.Total, true
	m.pages = m.pages.put(p.page, p.got.Rows)
	return m
}

func (m browseModel) added(s browseSummed) browseModel {
	if s.turn != m.turn {
		return m
	}
	if s.err != nil {
		m.note = inWords(s.err)
		return m
	}
	m.summed = true
	if m.sums = s.got.Each; len(m.sums) == 0 && s.got.Currency != "" {
		m.sums = []txn.Currency{{Currency: s.got.Currency, Sums: txn.Sums{Total: s.got.Total, Debits: s.got.Debits, Credits: s.got.Credits, Net: s.got.Net}}}
	}
	return m
}

// another begins another selection, and gives up what was asked for the one before.
func (m browseModel) another() browseModel {
	m.drop()
	m.asking, m.drop = context.WithCancel(m.ctx)
	m.turn++
	m.known, m.summed, m.total, m.sums = false, false, 0, nil
	m.pages, m.cursor, m.top, m.note = browsePages{}, 0, 0, ""
	return m
}

// fetch asks for the pages that the screen shows and the next one in each direction, once each.
func (m browseModel) fetch() (browseModel, tea.Cmd) {
	if !m.known {
		return m, nil
	}
	var all []tea.Cmd
	rows := m.rows()
	for _, row := range []int{m.top, m.top + rows - 1, m.top + 2*rows, m.top - rows} {
		n := row/browsePage + 1
		if row < 0 || row >= m.total || m.pages.has(n) {
			continue
		}
		m.pages = m.pages.asked(n)
		all = append(all, m.readPage(n))
	}
	return m, tea.Batch(all...)
}

func (m browseModel) current() (txn.Transaction, bool) {
	return m.pages.row(m.cursor)
}

// scrolled keeps the cursor on a row and on the screen.
func (m browseModel) scrolled() browseModel {
	m.cursor = max(0, min(m.cursor, m.total-1))
	rows := m.rows()
	m.top = max(0, min(m.top, m.cursor, m.total-rows))
	if m.cursor >= m.top+rows {
		m.top = m.cursor - rows + 1
	}
	return m
}
