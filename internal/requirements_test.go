package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	citation = regexp.MustCompile(`\b[RA][1-9]\d{0,2}\b`)
	anchor   = regexp.MustCompile(`<a id="([ra]\d+)"></a>\*\*([RA]\d+)\*\*`)
)

// Every requirement and reading that a comment cites is on the page of requirements.
func TestCitedRequirementsExist(t *testing.T) {
	page, err := os.ReadFile("../docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range anchor.FindAllStringSubmatch(string(page), -1) {
		if known[m[2]] || !strings.EqualFold(m[1], m[2]) {
			t.Errorf("%s stands twice or under another anchor", m[2])
		}
		known[m[2]] = true
	}
	if len(known) != 166+48 {
		t.Errorf("the page has %d numbers, want R1 to R166 and A1 to A48", len(known))
	}
	cited := map[string]bool{}
	for _, c := range commentsOf(t, "..") {
		for _, number := range citation.FindAllString(c.text, -1) {
			if cited[number] = true; !known[number] {
				t.Errorf("%s cites %s, which docs/requirements.md does not have", c.at, number)
			}
		}
	}
	if len(cited) < 50 {
		t.Errorf("only %d numbers are cited: the search misses comments", len(cited))
	}
}

type comment struct{ at, text string }

// commentsOf reads the comments of all Go files below a folder.
func commentsOf(t *testing.T, root string) (all []comment) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, group := range f.Comments {
			for _, c := range group.List {
				all = append(all, comment{files.Position(c.Pos()).String(), c.Text})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
