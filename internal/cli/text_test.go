package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Plaid Checking":              "Plaid Checking",
		"a\x1b[31mred\x1b[0m":         "a[31mred[0m",
		"a\x1b]0;title\x07b":          "a]0;titleb",
		"two\nlines\tand\rmore":       "two lines and more",
		"c1 \u009b31m":                "c1 31m",
		"\u202eoverride\u2066isolate": "overrideisolate",
		"bad \xff\xfe utf-8":          "bad  utf-8",
		"Größe ••0000 漢字":             "Größe ••0000 漢字",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// An account's name never moves the cursor or breaks the line of its table.
func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J\u009b\u202e\n\xff")
	f.Fuzz(func(t *testing.T, in string) {
		out := clean(in)
		if !utf8.ValidString(out) && utf8.ValidString(in) || strings.ContainsFunc(out, isControl) {
			t.Errorf("clean(%q) = %q", in, out)
		}
		var b strings.Builder
		if _, err := (cleanWriter{&b}).Write([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if rest := strings.NewReplacer("\n", "", "\t", "").Replace(b.String()); strings.ContainsFunc(rest, isControl) {
			t.Errorf("a terminal got %q", b.String())
		}
	})
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd": "'+cmd", "@SUM(A1)": "'@SUM(A1)", "-2+3": "'-2+3", "-12.50": "-12.50", "+1": "+1", "": "", "plain": "plain",
	} {
		if got := escapeFormula(in); got != want {
			t.Errorf("harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

// No line is wider than the terminal where there is room for one column, ids are whole, and rows stay rows.
func TestLayOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(1, 7).Draw(t, "columns")
		cell := rapid.StringMatching(`[a-z0-9 漢é•]{0,40}`)
		grid := make([][]string, rapid.IntRange(1, 6).Draw(t, "rows")+1)
		id := strings.Repeat("0", idLength)
		for i := range grid {
			grid[i] = make([]string, columns)
			for j := range grid[i] {
				grid[i][j] = strings.TrimSpace(cell.Draw(t, "cell"))
			}
			grid[i][0] = id
		}
		whole := make([]bool, columns)
		whole[0] = true
		width := rapid.IntRange(idLength, 200).Draw(t, "width")
		lines := strings.Split(strings.TrimSuffix(layOut(grid, whole, width, false), "\n"), "\n")
		if len(lines) != len(grid) {
			t.Fatalf("%d lines for %d rows", len(lines), len(grid))
		}
		for _, line := range lines {
			if lipgloss.Width(line) > width {
				t.Fatalf("a line of %d on %d columns: %q", lipgloss.Width(line), width, line)
			}
			if !strings.HasPrefix(line, id) {
				t.Fatalf("the id was cut: %q", line)
			}
		}
	})
}

func TestParseSince(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, berlin)
	for text, want := range map[string]string{
		"30m": "2026-11-20T11:30:00+01:00", "12h": "2026-11-20T00:00:00+01:00", "30d": "2026-10-21T12:00:00+01:00", "2w": "2026-11-06T12:00:00+01:00",
		"2026-11-01": "2026-11-01T00:00:00+01:00", "2026-11-01T08:00:00Z": "2026-11-01T08:00:00Z",
	} {
		got, err := parseSince(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("parseSince(%q) = %s, %v; want %s", text, got.Format(time.RFC3339), err, want)
		}
	}
	for _, text := range []string{"", "d", "30", "30x", "-3d", "3.5h", "99999999d", "yesterday", "2026-13-01"} {
		if got, err := parseSince(text, now); err == nil {
			t.Errorf("parseSince(%q) = %s, want an error", text, got)
		}
	}
}

func TestDigitsOf(t *testing.T) {
	t.Parallel()
	if got := digitsOf(" 1111 2222-3333\u00a00000\t\n"); got != "1111222233330000" {
		t.Errorf("digitsOf = %q", got)
	}
	if got := digitsOf("12a4"); got != "12a4" {
		t.Errorf("what is no digit is not dropped: %q", got)
	}
}

func TestBrowserIsOpenedOnlyWhereItIsSeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, vars string
		tty, want  bool
		command    string
	}{
		{"desktop", "DISPLAY=:0", true, true, ""},
		{"wayland", "WAYLAND_DISPLAY=w", true, true, ""},
		{"no_desktop", "", true, isMac, ""},
		{"ssh", "DISPLAY=:0 SSH_CONNECTION=x", true, false, ""},
		{"pipe", "DISPLAY=:0", false, false, ""},
		{"own_command", "BANKCTL_BROWSER=firefox SSH_CONNECTION=x", true, true, "firefox"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opened := []string{}
			a := &app{Env: nowhere(t)}
			a.ErrTTY = c.tty
			a.Getenv = func(name string) string {
				for _, v := range strings.Fields(c.vars) {
					if k, value, _ := strings.Cut(v, "="); k == name {
						return value
					}
				}
				return ""
			}
			a.Open = func(command, url string) error {
				opened = append(opened, command, url)
				return nil
			}
			open := a.opener("https://bank.example/x")
			if (open != nil) != c.want {
				t.Fatalf("would open: %v, want %v", open != nil, c.want)
			}
			if open == nil {
				return
			}
			if err := open(); err != nil || !slices.Equal(opened, []string{c.command, "https://bank.example/x"}) {
				t.Errorf("opened %q, %v", opened, err)
			}
		})
	}
}
