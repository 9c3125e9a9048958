package internal_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/connection"
)

const module = "github.com/bankctl/bankctl"

var words = []string{"fault", "secret", "money", "ach", "account", "connection", "employee", "tenant", "trail", "page", "status", "keys", "query", "quota", "txn"}

// arrows is the import table: which of our packages each one may import. A new arrow is one visible line here.
var arrows = map[string][]string{
	"internal/fault":      {},
	"internal/secret":     {},
	"internal/money":      {},
	"internal/trail":      {"fault"},
	"internal/status":     {},
	"internal/keys":       {"fault"},
	"internal/page":       {"fault"},
	"internal/quota":      {},
	"internal/query":      {"fault", "suggest"},
	"internal/txn":        {"fault", "money", "page", "quota"},
	"internal/ach":        {"secret"},
	"internal/tenant":     {"fault"},
	"internal/account":    {"ach", "fault", "tenant"},
	"internal/connection": {"account", "ach", "fault", "quota", "secret", "tenant"},
	"internal/employee":   {"account", "ach", "connection", "fault", "tenant"},

	"internal/suggest":              {},
	"internal/private":              {},
	"internal/socket":               {},
	"internal/config":               {"backup", "private", "query", "secret", "socket", "suggest"},
	"internal/vault":                {"secret"},
	"internal/store":                {"vault"},
	"internal/store/bolt":           {"store"},
	"internal/store/mem":            {"store"},
	"internal/store/enginetest":     {"store"},
	"internal/audit":                {"store", "trail"},
	"internal/plaid":                {"account", "ach", "connection", "fault", "money", "secret", "txn"},
	"internal/ledger":               {"money", "page", "store", "txn"},
	"internal/plaidsim":             {},
	"internal/plaidspec":            {},
	"internal/plaidsim/browsertest": {"plaidsim", "plaidspec"},
	"internal/plaidsim/nodetest":    {"plaidsim", "plaidspec"},
	"internal/background":           {},
	"internal/backup":               {},
	"internal/anchor":               {"audit", "store", "trail"},
	"internal/linkbrowser":          {"connection", "fault"},
	"internal/bank":                 {"account", "ach", "audit", "background", "backup", "connection", "employee", "fault", "keys", "ledger", "linkbrowser", "page", "plaid", "quota", "secret", "status", "store", "tenant", "trail", "txn"},
	"internal/server":               {"account", "ach", "bank", "connection", "employee", "fault", "keys", "page", "query", "socket", "status", "store", "tenant", "trail", "txn"},
	"internal/daemon":               {"anchor", "audit", "background", "backup", "bank", "config", "connection", "fault", "plaid", "plaidsim", "private", "secret", "server", "socket", "status", "store", "store/bolt", "vault"},

	"internal/client": append([]string{"socket"}, words...),
	"internal/aaterm": {},
	"internal/tui":    append([]string{"client"}, words...),
	"internal/cli":    append([]string{"client", "private", "socket", "suggest", "tui"}, words...),

	"internal/acceptance":           {},                  // knows bankd and bankctl from outside alone
	"internal/vault/vaulttest":      {"secret", "vault"}, // tests alone
	"internal/banktest":             {"background", "bank", "client", "config", "connection", "daemon", "linkbrowser", "plaidsim", "plaidspec", "secret", "store", "store/mem", "tenant", "vault"},
	"internal/plaidspec/specreport": {"plaidspec"},
	"cmd/bankctl":                   {"aaterm", "cli"},
	"cmd/bankd":                     {"daemon"},
}

type listed struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
	Doc        string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,Doc", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if len(p.GoFiles) == 0 || name == "internal" {
			continue
		}
		allowed, known := arrows[name]
		if !known {
			t.Errorf("%s is not in the import table", name)
			continue
		}
		for _, imp := range p.Imports {
			ours, is := strings.CutPrefix(imp, module+"/internal/")
			if is && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which the table does not allow", name, ours)
			}
		}
	}
}

// Words do no I/O and have no clock of their own.
func TestWordsArePure(t *testing.T) {
	t.Parallel()
	banned := []string{"os", "net", "net/http", "log", "context", "bufio", "path/filepath"}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/internal/")
		if !slices.Contains(words, name) {
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains(banned, imp) {
				t.Errorf("word %s imports %s", name, imp)
			}
		}
		for _, f := range p.GoFiles {
			eachCall(t, filepath.Join(p.Dir, f), func(x, sel string) {
				if x == "time" && (sel == "Now" || sel == "Since" || sel == "Sleep") {
					t.Errorf("word %s reads the clock in %s", name, f)
				}
			})
		}
	}
}

func eachCall(t *testing.T, file string, visit func(x, sel string)) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			x := ""
			if id, ok := s.X.(*ast.Ident); ok {
				x = id.Name
			}
			visit(x, s.Sel.Name)
		}
		return true
	})
}

// revealers is every file that opens a secret, and why.
var revealers = map[string]string{
	"internal/ach/numbers.go":             "the form and the last four",
	"internal/account/ach.go":             "the body of a request, on its way to bankd",
	"internal/employee/add.go":            "what was typed, freed of spaces and dashes, and the body of a request",
	"internal/bank/ach.go":                "the stored form",
	"internal/bank/link.go":               "the stored form, and the link token its caller asked for",
	"internal/bank/sessions.go":           "the stored form of a public token",
	"internal/bank/employees.go":          "the stored form",
	"internal/bank/employee_link.go":      "the stored form of an adopted alias",
	"internal/bank/exchange_trade.go":     "the stored form of an access token",
	"internal/bank/connections_rotate.go": "the stored form of an access token",
	"internal/bank/connections_import.go": "the stored form of an access token",
	"internal/bank/processor.go":          "the token that its caller asked for, shown once",
	"internal/connection/import.go":       "the body of a request, on its way to bankd",
	"internal/linkbrowser/walk.go":        "the numbers typed into the simulator's page",
	"internal/plaid/client.go":            "Plaid's credentials, in its headers",
	"internal/plaid/link.go":              "a request to Plaid",
	"internal/plaid/transactions.go":      "a request to Plaid",
	"internal/plaid/identity.go":          "a request to Plaid",
	"internal/plaid/item.go":              "a request to Plaid",
	"internal/plaid/accounts.go":          "a request to Plaid",
	"internal/plaid/budget.go":            "the name of a limiter, in memory",
	"internal/secret/secret.go":           "its own comparison",
	"internal/vault/file.go":              "the key file's text",
	"internal/vault/transit.go":           "a request to Vault",
	"internal/vault/key.go":               "the door itself",
	"internal/config/plaid.go":            "the form of Plaid's credentials",
}

func TestWhoRevealsSecrets(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			path := strings.TrimPrefix(p.ImportPath, module+"/") + "/" + f
			eachCall(t, filepath.Join(p.Dir, f), func(_, sel string) {
				if sel == "Reveal" {
					seen[path] = true
				}
			})
		}
	}
	for path := range seen {
		if revealers[path] == "" {
			t.Errorf("%s reveals a secret and is not in the list", path)
		}
	}
	for path := range revealers {
		if !seen[path] {
			t.Errorf("%s is in the list and reveals nothing", path)
		}
	}
}

var vague = regexp.MustCompile(`(^|/)(util|utils|common|helpers?|misc|shared|types|models)(\.go)?$`)

func TestPackagesAreNamedAndDescribed(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", name)
		}
		for _, f := range append([]string{name}, p.GoFiles...) {
			if vague.MatchString(f) {
				t.Errorf("%s: %s says nothing of what is inside", name, f)
			}
		}
	}
}

// bankctl stays small and starts fast, and holds nothing of the daemon's.
func TestWhatBankctlLinks(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "./cmd/bankctl")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	forbidden := regexp.MustCompile(`plaid-go|go\.etcd\.io/bbolt|tink-crypto|prometheus|danielgtaylor/huma|` +
		module + `/internal/(bank|server|store|vault|plaid|plaidsim|daemon|audit|config)(/|$)`)
	for dep := range strings.Lines(string(out)) {
		if forbidden.MatchString(strings.TrimSpace(dep)) {
			t.Errorf("bankctl links %s", strings.TrimSpace(dep))
		}
	}
}

// Nothing that is committed names a path of one machine.
func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	bad := regexp.MustCompile("(^|[^A-Za-z0-9.~])/(" + "root|work|farm" + ")/[a-z]")
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".git" && !d.IsDir() {
			return nil // a worktree's pointer to its repository, which is not committed
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || d.Name() == ".git" || strings.HasSuffix(path, ".sum") { // a worktree's .git is a file, and is not committed
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bad.Match(b) {
			t.Errorf("%s names a machine's path", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Plaid's codes stand in one table: no other package of ours decides by the text of one.
func TestPlaidCodesStandInOneTable(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, code := range connection.AllCodes() {
		known[code] = true
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/internal/")
		if strings.HasPrefix(name, "plaidsim") || strings.HasPrefix(name, "plaidspec") {
			continue
		}
		for _, f := range p.GoFiles {
			if name == "connection" && f == "codes.go" {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && known[strings.Trim(lit.Value, `"`)] {
					t.Errorf("%s/%s names %s: use connection's constants and table", name, f, lit.Value)
				}
				return true
			})
		}
	}
}
