package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

// noData marks a command that shows a screen, a script or a file of its own form; the value says what it prints instead
// of data in a format.
const noData = "no-data"

// refuseFormat refuses a format where a command has no data to print in it: a flag is honoured or refused.
func (a *app) refuseFormat(cmd *cobra.Command) error {
	what := cmd.Annotations[noData]
	if what == "" {
		return nil
	}
	for _, flag := range []string{"output", "jq", "template"} {
		if cmd.Flags().Changed(flag) {
			return usage("leave --"+flag+" out", "%s prints %s, in no other form", cmd.CommandPath(), what)
		}
	}
	return nil
}

// written tells of a file that a command wrote.
type written struct {
	Path     string `json:"path"`
	Bytes    int64  `json:"bytes"`
	Accounts int    `json:"accounts,omitempty"`
}

// showWritten prints, for programs, what was written; people were told on stderr.
func (a *app) showWritten(w written) error {
	if w.Path == "-" || a.output == "table" {
		return nil
	}
	columns := []column[written]{
		{name: "path", value: func(w written) string { return w.Path }},
		{name: "bytes", value: func(w written) string { return strconv.FormatInt(w.Bytes, 10) }},
	}
	return single(a, w, columns[0].value, columns, nil)
}

// refuseTwoOnStdout refuses a format for what was written where the file itself goes to stdout.
func (a *app) refuseTwoOnStdout(cmd *cobra.Command, out string) error {
	if out != "-" {
		return nil
	}
	for _, flag := range []string{"output", "jq", "template"} {
		if cmd.Flags().Changed(flag) {
			return usage("write it to a file, or leave --"+flag+" out", "stdout is taken by the file: --out -")
		}
	}
	return nil
}

// countingWriter counts the bytes that pass.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
