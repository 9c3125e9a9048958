package daemon_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
)

// injection is what the system answers instead of doing the call. A write that returns 0 is a short one: a part was
// written, the caller is told how much, and here that is nothing.
type injection struct{ call, name, as string }

var injections = []injection{
	{"pwrite64", "ENOSPC", "error=ENOSPC"}, {"pwrite64", "EIO", "error=EIO"}, {"pwrite64", "EDQUOT", "error=EDQUOT"}, {"pwrite64", "short", "retval=0"},
	{"fdatasync", "ENOSPC", "error=ENOSPC"}, {"fdatasync", "EIO", "error=EIO"},
	{"ftruncate", "ENOSPC", "error=ENOSPC"}, {"ftruncate", "EIO", "error=EIO"},
	{"fsync", "ENOSPC", "error=ENOSPC"}, {"fsync", "EIO", "error=EIO"},
}

// Outcomes of a write during which a call failed.
const (
	acknowledged = "acknowledged"
	refused      = "503, not applied"
	unknown      = "unknown, exit"
)

// rightOutcome is what must follow a fault in each step of a commit: only from the meta page's fdatasync on may anything
// be unknown.
var rightOutcome = map[string]string{
	"data pwrite64": refused, "data fdatasync": refused, "grow ftruncate": refused, "grow fsync": refused,
	"meta pwrite64": refused, "meta fdatasync": unknown,
}

// faultTable counts outcomes by step of a commit and fault.
type faultTable struct {
	mu   sync.Mutex
	rows map[string]map[string]int
}

func (f *faultTable) add(step, name, outcome string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	row := step + " × " + name
	if f.rows[row] == nil {
		f.rows[row] = map[string]int{}
	}
	f.rows[row][outcome]++
}

// mayTrace skips the test, loudly, where strace is absent or may not trace.
func mayTrace(t *testing.T) {
	t.Helper()
	out, err := exec.Command("strace", "-o", os.DevNull, "-e", "inject=pwrite64:error=EIO", "true").CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: strace cannot inject faults here (apt-get install strace; a container needs SYS_PTRACE): %v %s", err, out)
	}
}

// TestFaults has the calls that write and sync fail, one after the other, in a running bankd. Each write is acknowledged
// and there after a restart, or refused with 503 and not there, or its outcome is unknown and bankd has ended; none is
// silent. BANKD_FAULTS=all tries every fault at many more calls.
func TestFaults(t *testing.T) {
	t.Parallel()
	mayTrace(t)
	const most = 16
	all := os.Getenv("BANKD_FAULTS") == "all"
	table := &faultTable{rows: map[string]map[string]int{}}
	t.Cleanup(func() {
		for _, row := range slices.Sorted(maps.Keys(table.rows)) {
			t.Logf("%-30s %v", row, table.rows[row])
		}
	})
	for _, in := range injections {
		if !all && (in.name == "EDQUOT" || in.name == "ENOSPC" && in.call != "pwrite64") {
			continue
		}
		t.Run(in.call+"_"+in.name, func(t *testing.T) {
			t.Parallel()
			for first := 1; first <= most && (all || len(table.missing(in)) > 0) && !t.Failed(); first++ {
				injectInto(t, in, first, table)
			}
			if missing := table.missing(in); len(missing) > 0 && !t.Failed() {
				t.Errorf("never failed: %v", missing)
			}
		})
	}
}

// missing gives the steps in which the call has not failed yet.
func (f *faultTable) missing(in injection) (steps []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for step := range rightOutcome {
		if strings.HasSuffix(step, " "+in.call) && len(f.rows[step+" × "+in.name]) == 0 {
			steps = append(steps, step)
		}
	}
	return steps
}

// faultRun is one bankd under strace.
type faultRun struct {
	t     *testing.T
	h     home
	in    injection
	table *faultTable

	trace  string
	read   int64  // of the trace
	step   string // of the database's last commit
	c      *client.Client
	stored map[string]bool // name of account → must be there; false: must not be there
}

// injectInto has each 13th call fail, from the first one after the start on, until bankd ends or has taken many writes.
func injectInto(t *testing.T, in injection, first int, table *faultTable) {
	t.Helper()
	h := newHome(t)
	h.t = t
	p := h.start()
	r := &faultRun{t: t, h: h, in: in, table: table, trace: filepath.Join(h.dir, "trace"), c: h.client(), stored: map[string]bool{}}
	for i := range 3 { // so that the file is about to grow
		if _, err := r.add(fmt.Sprintf("before-%d", i)); err != nil {
			t.Fatal(err)
		}
		r.stored[fmt.Sprintf("before-%d", i)] = true
	}
	p.stop()
	cutToSize(t, h.db())
	p = h.start()
	r.traced(p, first)
	r.check()
}

// cutToSize cuts off the room that the file has beyond its pages, so that the next writes must make it grow.
func cutToSize(t *testing.T, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) error { return os.Truncate(path, tx.Size()) }); err != nil {
		t.Fatal(err)
	}
}

var wholePage = page.Request{Page: 1, Limit: page.MaxLimit}

// traced attaches strace to the running bankd and writes.
func (r *faultRun) traced(p *process, first int) {
	t := r.t
	when := strconv.Itoa(first) + "+13"
	if r.in.call == "ftruncate" || r.in.call == "fsync" { // of growth, which comes once in hundreds of writes
		when = "1+2"
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", "-f", "-o", r.trace, "-s", "0", "-P", r.h.db(), "-p", strconv.Itoa(p.cmd.Process.Pid),
		"-e", "trace=pwrite64,fdatasync,ftruncate,fsync", "-e", fmt.Sprintf("inject=%s:%s:when=%s", r.in.call, r.in.as, when))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // strace detaches
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() || !strings.Contains(lines.Text(), "attached") {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: strace may not attach here: %s", lines.Text())
	}
	go func() {
		for lines.Scan() { //nolint:revive // strace must not wait for a reader
		}
	}()
	for i := range 40 {
		if r.write(fmt.Sprintf("write-%d", i), p) == unknown {
			break
		}
	}
	cancel()
	_ = cmd.Wait()
	p.stop()
}

// write writes once, and holds the outcome against what the trace says about the calls meanwhile.
func (r *faultRun) write(name string, p *process) string {
	got, err := r.add(name)
	outcome := acknowledged
	switch {
	case err == nil:
		r.stored[got] = true
	case strings.Contains(err.Error(), "nothing of this write was stored"):
		outcome = refused
		r.stored[name] = false
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), r.h.data()) {
			r.t.Errorf("%s: it does not name the disk: %v", name, err)
		}
	default:
		outcome = unknown
		p.exits(r.t, 5*time.Second)
	}
	failed := r.failures()
	if outcome == acknowledged && len(failed) > 0 || outcome != acknowledged && len(failed) == 0 {
		r.t.Errorf("%s: %s, while these calls failed: %v", name, outcome, failed)
	}
	for _, step := range failed {
		r.table.add(step, r.in.name, outcome)
		if rightOutcome[step] != outcome {
			r.t.Errorf("%s: a failed %s (%s) gives %q, want %q: %v", name, step, r.in.name, outcome, rightOutcome[step], err)
		}
	}
	return outcome
}

// strace splits a call in two lines where another thread comes between.
var (
	pwriteAt = regexp.MustCompile(`pwrite64\(.*, (\d+)(\) += | <unfinished)`)
	resumed  = regexp.MustCompile(`<\.\.\. (\w+) resumed>`)
)

// failures reads on in the trace and gives the steps in which a call failed.
func (r *faultRun) failures() (steps []string) {
	f, err := os.Open(r.trace)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(r.read, 0); err != nil {
		r.t.Fatal(err)
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		r.read += int64(len(line)) + 1
		call := ""
		switch at := pwriteAt.FindStringSubmatch(line); {
		case at != nil && (at[1] == "0" || at[1] == "4096"):
			r.step, call = "meta", "pwrite64"
		case at != nil:
			r.step, call = "data", "pwrite64"
		case resumed.MatchString(line):
			call = resumed.FindStringSubmatch(line)[1]
		case strings.Contains(line, "fdatasync("):
			call = "fdatasync"
		case strings.Contains(line, "ftruncate("):
			r.step, call = "grow", "ftruncate"
		case strings.Contains(line, "fsync("):
			r.step, call = "grow", "fsync"
		}
		if strings.HasSuffix(line, "(INJECTED)") {
			steps = append(steps, r.step+" "+call)
		}
	}
	return steps
}

// add adds an account large enough for the file to grow every few writes.
func (r *faultRun) add(name string) (string, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	a, err := r.c.AddAccount(ctx, account.AddParams{UserID: "u", Name: name, BankName: "b", EmployerID: "e"})
	return a.Name, err
}

// check starts bankd without faults: what was acknowledged is there, what was refused is not, and the store is whole.
func (r *faultRun) check() {
	p := r.h.start()
	defer p.stop()
	found := map[string]bool{}
	accounts, _, err := r.c.ListAccounts(r.t.Context(), account.Query{}, wholePage)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, a := range accounts {
		found[a.Name] = true
	}
	for name, want := range r.stored {
		if found[name] != want {
			r.t.Errorf("%s: there is %v, want %v", name, found[name], want)
		}
	}
	examineData(r.t, r.c)
	if _, err := r.add("after"); err != nil {
		r.t.Errorf("a write after the restart: %v", err)
	}
}

// examineData has bankd read all records and the audit chain.
func examineData(t *testing.T, c *client.Client) {
	t.Helper()
	e, err := c.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range e.Checks {
		if (check.Name == "data" || check.Name == "audit") && check.Result != status.Fine {
			t.Errorf("the store is not whole: %+v", check)
		}
	}
}

// TestFaultsAtStart has calls fail while bankd starts in an empty home, and again on what that left: it is ready, or ends
// with the reason, and the next start without faults is ready and takes writes.
func TestFaultsAtStart(t *testing.T) {
	t.Parallel()
	mayTrace(t)
	last := 2
	if os.Getenv("BANKD_FAULTS") == "all" {
		last = 10
	}
	for _, call := range []string{"pwrite64", "fdatasync", "fsync", "ftruncate", "renameat", "linkat", "mkdirat"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			for k := range last {
				for _, as := range []string{"ENOSPC", "EIO"} {
					h := newHome(t)
					h.t = t
					faulty := func() string {
						strace := []string{"-f", "-qq", "-o", os.DevNull, "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", call, as, k+1), h.bin}
						p, ready, said := launch(t, h.env(), "strace", strace...)
						if ready {
							p.stopTraced(t)
							return "ready"
						}
						if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said, "bankd: error: ") {
							t.Errorf("%s %s at call %d: it ends with %d and says: %s", call, as, k+1, code, said)
						}
						return "refused"
					}
					one, two := faulty(), faulty()
					p := h.start()
					if _, err := h.client().AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e"}); err != nil {
						t.Errorf("%s %s at call %d: %s, then %s, then a write fails: %v", call, as, k+1, one, two, err)
					}
					p.stop()
				}
			}
		})
	}
}

// stopTraced stops a bankd that runs under strace, which ends after it.
func (p *process) stopTraced(t *testing.T) {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", p.cmd.Process.Pid))
	pid, bad := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil || bad != nil {
		t.Fatalf("no child of strace: %q %v", children, err)
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	<-p.done
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ends with %d: %s", code, p.said)
	}
}

// TestFullDisk fills a disk of its own and empties it: reads go on all through, a start works, writes are refused with the
// cause, and the first write after there is room succeeds.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	disk := filepath.Join(h.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: a disk to fill needs root and mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	data, sock := filepath.Join(disk, "data"), filepath.Join(h.dir, "run", "s")
	args := []string{"--data-dir", data, "--socket", sock}
	p := h.start(args...)
	c := h.clientAt(sock)
	add := func() error {
		_, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: strings.Repeat("n", 60), BankName: "b", EmployerID: "e"})
		return err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}

	// Readers read all through.
	stop, reads := make(chan struct{}), atomic.Int64{}
	var readers sync.WaitGroup
	read := func() error {
		_, _, err := c.ListAccounts(t.Context(), account.Query{}, wholePage)
		return err
	}
	readWhile := func() {
		stop = make(chan struct{})
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := read(); err != nil {
					t.Errorf("a read failed: %v", err)
					return
				}
				reads.Add(1)
			}
		})
	}
	filler := filepath.Join(disk, "filler")
	for round := range 3 {
		readWhile()
		fill(t, filler)
		var err error
		writes := 0
		for err = add(); err == nil && writes < 3000; err = add() { // the file has room left for some
			writes++
		}
		f, _ := errors.AsType[*fault.Error](err)
		if f == nil || f.Code != fault.Unavailable || f.Code.Status() != http.StatusServiceUnavailable || !f.Retryable ||
			f.Message != "the disk that holds "+data+" is full: nothing of this write was stored" {
			t.Fatalf("after %d writes: %v", writes, err)
		}
		st, err := c.GetStatus(t.Context())
		if err != nil || !st.Ready || len(st.Notices) != 1 || !strings.Contains(st.Notices[0], "is full") {
			t.Errorf("status on a full disk: %+v %v", st, err)
		}
		seen := reads.Load()
		for reads.Load() < seen+20 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		close(stop)
		readers.Wait()
		if round == 1 { // a stop and a start on the full disk
			p.stop()
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("a stop on a full disk ends with %d", code)
			}
			p = h.start(args...)
			if err := read(); err != nil {
				t.Errorf("a read after a start on a full disk: %v", err)
			}
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := add(); err != nil {
			t.Errorf("the first write with room again: %v", err)
		}
		if st, err := c.GetStatus(t.Context()); err != nil || len(st.Notices) != 0 {
			t.Errorf("status with room again: %+v %v", st, err)
		}
		t.Logf("round %d: %d writes until the file was full, %d reads meanwhile", round, writes, reads.Load())
	}
	examineData(t, c)
	p.stop()
}

// fill writes a file until the disk takes no byte more.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}
