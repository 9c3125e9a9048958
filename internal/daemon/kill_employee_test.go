package daemon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// Points where verify and retry wait for Plaid or for the disk.
var employeePoints = []string{
	"link.ask", "link.asked", "link.stored", "poll.asked", "poll.stored", "exchange.intended", "exchange.ask", "exchange.asked",
	"exchange.stored", "employee.join", "employee.joined", "employee.ask", "employee.asked", "employee.judged",
}

var employeeRoutes = []string{
	"/link/token/create", "/link/token/get", "/item/public_token/exchange", "/auth/get", "/accounts/get", "/identity/match",
	"/institutions/get_by_id", "/item/remove",
}

var employeeFaults = []string{"500", "429", "html502", "reset", "hang", "lost"}

// Random kills and failures at every call of verify and retry: no account is doubled, no Item whose reply reached the
// disk is lost, none is verified wrongly, and every one can be finished with the same accountId (by a fresh link, if
// Plaid's reply itself was lost). BANKD_CRASH_RUNS times 15 runs; BANKD_SEED repeats one.
func TestKillEmployeeVerification(t *testing.T) {
	t.Parallel()
	bin, err := crashing()
	if err != nil {
		t.Fatal(err)
	}
	runs := 6
	if n, err := strconv.Atoi(os.Getenv("BANKD_CRASH_RUNS")); err == nil && n > 0 {
		runs = 15 * n
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("BANKD_SEED"), 10, 64); err == nil {
		seed, runs = n, 1
	}
	var mu sync.Mutex
	var total struct{ kills, faults, lost, verified, refused, tries int }
	t.Cleanup(func() {
		t.Logf("%d runs from seed %d: %d kills, %d with injected failures, %d tries; %d verified, %d rightly refused, %d Items lost with their reply",
			runs, seed, total.kills, total.faults, total.tries, total.verified, total.refused, total.lost)
	})
	for i := range runs {
		t.Run(fmt.Sprint(seed+uint64(i)), func(t *testing.T) {
			t.Parallel()
			v := newVerification(t, bin, seed+uint64(i))
			v.run()
			mu.Lock()
			defer mu.Unlock()
			total.kills += v.kills
			total.lost += v.lost
			total.tries += v.tries
			if v.faults != "" {
				total.faults++
			}
			if v.right {
				total.verified++
			} else {
				total.refused++
			}
		})
	}
}

// verification is one employee's account from its creation to its verdict, with kills and failures on the way.
type verification struct {
	run_   run
	seed   uint64
	rnd    *rand.Rand
	right  bool // the typed numbers are the bank's
	faults string
	state  string

	account            string
	kills, lost, tries int
}

func newVerification(t *testing.T, bin string, seed uint64) *verification {
	t.Helper()
	v := &verification{seed: seed, rnd: rand.New(rand.NewPCG(seed, 1))}
	v.right = v.rnd.IntN(3) > 0
	dir, err := os.MkdirTemp("", "emp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	v.run_ = run{t: t, dir: dir, bin: bin}
	v.state = filepath.Join(dir, "sim.json")
	return v
}

func (v *verification) fatal(format string, args ...any) {
	v.run_.t.Helper()
	v.run_.t.Fatalf("seed %d (faults %s): %s", v.seed, v.faults, fmt.Sprintf(format, args...))
}

// chance picks failures for about half of the runs.
func (v *verification) chance() string {
	if v.rnd.IntN(2) == 0 {
		return ""
	}
	var parts []string
	for range 1 + v.rnd.IntN(2) {
		parts = append(parts, fmt.Sprintf("%s:%s:%d", employeeRoutes[v.rnd.IntN(len(employeeRoutes))], employeeFaults[v.rnd.IntN(len(employeeFaults))], 1+v.rnd.IntN(3)))
	}
	return strings.Join(parts, ",")
}

func (v *verification) run() {
	r := &v.run_
	v.faults = v.chance()
	sim := start(r.t, nil, r.bin, "plaid-sim", "--state", v.state, "--limits", "off", "--fault", v.faults)
	defer sim.stop()
	r.simURL = strings.TrimPrefix(sim.line, "plaid-sim: ready url=")
	crashAt := fmt.Sprintf("%s:%d", employeePoints[v.rnd.IntN(len(employeePoints))], 1+v.rnd.IntN(2))
	v.up(crashAt)
	defer func() { r.bankd.stop() }()
	v.prepare()
	for v.tries = 1; v.tries <= 12; v.tries++ {
		a, ok := v.try()
		if !ok {
			continue
		}
		if a.IsVerified && !v.right {
			v.fatal("verified wrongly: %+v", a.Evidence)
		}
		if v.right == a.IsVerified && (a.IsVerified || a.VerificationReason == employee.NumberMismatch) {
			v.compare()
			return
		}
	}
	v.fatal("not finished after 12 tries")
}

func (v *verification) up(crashAt string) {
	r := &v.run_
	r.bankd = start(r.t, []string{"BANKD_CRASH_AT=" + crashAt, "HOME=" + r.dir}, r.bin, "--data-dir", filepath.Join(r.dir, "data"),
		"--key-file", filepath.Join(r.dir, "kek"), "--socket", filepath.Join(r.dir, "run", "s"), "--plaid-url", r.simURL,
		"--plaid-timeout", "1s", "--log-level", "error")
}

func (v *verification) prepare() {
	r := &v.run_
	ctx := r.t.Context()
	r.client = client.New(filepath.Join(r.dir, "run", "s"))
	r.t.Cleanup(r.client.Close)
	m, err := r.client.AddClient(ctx, tenant.ClientParams{Name: "hr", Role: tenant.Admin, Companies: tenant.Everything, ActAsEmployee: true})
	if err != nil {
		v.fatal("%v", err)
	}
	r.client.ClientID, r.client.Secret = m.ID, m.Secret
	if _, err := r.client.EnableCapability(ctx, "c1", employee.VerifyCapability, employee.CapabilityParams{}); err != nil {
		v.fatal("%v", err)
	}
	number := "1111222233330000"
	if !v.right {
		number = "1111222233339999"
	}
	var p employee.AddParams
	body := fmt.Sprintf(`{"accountHolderName":"Alberta Bobbeth Charleson","accountNumber":%q,"routingNumber":"011401533","accountType":"Checking","verificationType":"Plaid"}`, number)
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		v.fatal("%v", err)
	}
	a, err := r.client.AddEmployeeAccount(ctx, "c1", "p1", p)
	if err != nil {
		v.fatal("%v", err)
	}
	v.account = a.AccountID
}

// alive starts the daemon again after a kill.
func (v *verification) alive(err error) {
	if !fault.Is(err, fault.Unavailable) {
		return
	}
	select {
	case <-v.run_.bankd.done:
		v.kills++
		v.up("")
	case <-time.After(5 * time.Second):
	}
}

// try goes once through the document's steps: token, Link, save, reload. It returns false if a step failed, to be tried
// again with the same accountId.
func (v *verification) try() (employee.BankAccount, bool) {
	r := &v.run_
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	token, err := r.client.GetEmployeeToken(ctx, "c1", "p1", v.account, true)
	if err != nil {
		v.expected(err)
		return employee.BankAccount{}, false
	}
	_, err = r.client.CompleteSession(ctx, token.SessionID, connection.CompleteParams{InstitutionID: "ins_109508", Masks: []string{"0000"}})
	v.alive(err)
	s, err := r.client.GetSession(ctx, token.SessionID, 5*time.Second)
	if err != nil || s.State != connection.Succeeded {
		v.expected(err)
		return employee.BankAccount{}, false
	}
	p := employee.LinkParams{PublicToken: s.PublicToken, AccountID: "unknown", AccountName: "n", AccountType: "depository", InstitutionID: "ins_109508", InstitutionName: "b"}
	if len(s.Accounts) > 0 {
		p.AccountID = s.Accounts[0].ID
	} else if a, err := r.client.GetEmployeeAccount(ctx, "c1", "p1", v.account); err == nil {
		p.AccountID = a.PlaidAccountID
	}
	if _, err = r.client.LinkEmployeeAccount(ctx, "c1", "p1", v.account, p); err != nil {
		v.expected(err)
		return employee.BankAccount{}, false
	}
	a, err := r.client.GetEmployeeAccount(ctx, "c1", "p1", v.account)
	if err != nil {
		v.expected(err)
		return employee.BankAccount{}, false
	}
	return a, true
}

// expected accepts errors that a kill or an injected fault may cause, and no others.
func (v *verification) expected(err error) {
	v.alive(err)
	switch f := fault.As(err); f.Code {
	case fault.Unavailable, fault.PlaidError, fault.PlaidTimeout, fault.RateLimited, fault.RelinkRequired:
	case fault.Invalid, fault.Conflict: // a public token or a session that is used up: the next try gets its own
	default:
		if err != nil {
			v.fatal("%v", err)
		}
	}
}

// compare compares accounts and Items with the audit log.
func (v *verification) compare() {
	r := &v.run_
	ctx := r.t.Context()
	all, info, err := r.client.ListCompanyAccounts(ctx, employee.Query{CompanyID: "c1"}, page.Request{})
	if err != nil || info.Total != 1 || all[0].AccountID != v.account {
		v.fatal("%d accounts %v", info.Total, err)
	}
	report, err := r.client.VerifyAudit(ctx)
	if err != nil || !report.Intact {
		v.fatal("audit chain: %+v %v", report, err)
	}
	count := func(action string) int {
		lines, err := r.client.ListAudit(ctx, trail.Query{Action: action, Limit: 1000})
		if err != nil {
			v.fatal("%v", err)
		}
		return len(lines)
	}
	// The background finds Items left over by a lost reply.
	items, ours := 0, 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if items, ours, v.lost = everExchanged(v), count("connection.add"), count("connection.lose"); items == ours+v.lost {
			return
		}
	}
	v.fatal("%d Items at the simulator, %d here, %d lost", items, ours, v.lost)
}

func everExchanged(v *verification) int {
	b, err := os.ReadFile(v.state)
	if err != nil {
		v.fatal("%v", err)
	}
	var s struct {
		Items map[string]struct {
			Token   string
			Removed bool
		}
	}
	if err := json.Unmarshal(b, &s); err != nil {
		v.fatal("%v", err)
	}
	n := 0
	for _, i := range s.Items {
		if i.Token != "" || i.Removed {
			n++
		}
	}
	return n
}
