package employee_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func good() employee.AddParams {
	return employee.AddParams{
		AccountHolderName: owner, AccountNumber: ach.NewAccountNumber(checking), RoutingNumber: ach.NewRoutingNumber(platypusRouting),
		AccountType: employee.Checking, VerificationType: employee.ByPlaid,
	}
}

func TestAddReadsWordsInAnyCase(t *testing.T) { // A34, R118-R124
	for body, want := range map[string][2]string{
		`{"accountType":"Checking","verificationType":"Plaid"}`:       {"Checking", "Plaid"},
		`{"accountType":"SAVINGS","verificationType":"manual"}`:       {"Savings", "Manual"},
		`{"accountType":" savings ","verificationType":"Pl\u0061id"}`: {"Savings", "Plaid"},
		`{"accountType":"checking","verificationType":3}`:             {"Checking", "Plaid"},
	} {
		var p employee.AddParams
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatal(err)
		}
		if got := [2]string{string(p.AccountType), string(p.VerificationType)}; got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
	for _, body := range []string{`{"verificationType":1}`, `{"verificationType":3.0}`, `{"accountType":1}`, `{"accountType":true}`, `{"verificationType":{}}`} {
		var p employee.AddParams
		if json.Unmarshal([]byte(body), &p) == nil {
			t.Errorf("%s is taken", body)
		}
	}
}

func TestAddNamesEveryBadField(t *testing.T) {
	if err := good().Check(); err != nil {
		t.Fatal(err)
	}
	all := []string{"accountHolderName", "accountNumber", "routingNumber", "accountType", "verificationType"}
	for _, p := range []employee.AddParams{{}, {
		AccountHolderName: checking, AccountNumber: ach.NewAccountNumber("1234"), RoutingNumber: ach.NewRoutingNumber("021000022"),
		AccountType: "Loan", VerificationType: "Guess",
	}} {
		e := fault.As(p.Check())
		for _, f := range all {
			if e.Fields[f] == "" {
				t.Errorf("%s is not named", f)
			}
		}
		for _, secret := range []string{"1234", "021000022", checking} {
			if text := fmt.Sprint(e.Message, e.Fields); strings.Contains(text, secret) {
				t.Errorf("a value is echoed: %s", text)
			}
		}
	}
	for holder, ok := range map[string]bool{
		owner: true, "Smith & Sons 2 LLC": true, "王小明": true, "": false, "  ": false, "-": false, "Jane 1234567890": false,
		"Jane\nSmith": false, strings.Repeat("a", 201): false,
	} {
		p := good()
		p.AccountHolderName = holder
		if (p.Check() == nil) != ok {
			t.Errorf("holder %q: %v", holder, p.Check())
		}
	}
}

func TestNumbersAsTyped(t *testing.T) {
	for given, want := range map[string]string{
		"1111 2222 3333 0000": checking, " 1111-2222-3333-0000\t": checking, "1111\u20132222\u20113333\u00a00000": checking,
		"00012345": "00012345", "000-12345": "00012345",
	} {
		p := good()
		p.AccountNumber = ach.NewAccountNumber(given)
		if p.Check() != nil || p.Numbers().Account.Reveal() != want {
			t.Errorf("%q: %v", given, p.Check())
		}
	}
	for _, bad := range []string{"1111.2222", "1111_2222", "٠١٢٣٤٥", "12 34", "x12345", "+12345", "１２３４５", "1234567890 12345678"} {
		p := good()
		p.AccountNumber = ach.NewAccountNumber(bad)
		if p.Check() == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Any spaces and dashes between digits are removed, and leading zeros stay.
func TestNormalisingRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{5,17}`).Draw(t, "digits")
		var typed strings.Builder
		for _, d := range digits {
			typed.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", "  ", "\u00a0", "\u2013", "\t"}).Draw(t, "between"))
			typed.WriteRune(d)
		}
		p := good()
		p.AccountNumber = ach.NewAccountNumber(typed.String())
		if p.Check() != nil || p.Numbers().Account.Reveal() != digits {
			t.Fatalf("%q", typed.String())
		}
	})
}

func FuzzNumbers(f *testing.F) {
	f.Add(checking, platypusRouting)
	f.Add("0001-2345", "0114 0153 3")
	f.Add("\u2212\u200b\u00ad12345", "")
	f.Fuzz(func(t *testing.T, account, routing string) {
		p := good()
		p.AccountNumber, p.RoutingNumber = ach.NewAccountNumber(account), ach.NewRoutingNumber(routing)
		once := p.Numbers()
		p.AccountNumber, p.RoutingNumber = once.Account, once.Routing
		twice := p.Numbers()
		if !once.Account.Equal(twice.Account) || !once.Routing.Equal(twice.Routing) {
			t.Fatal("normalising twice differs from once")
		}
		if onlyDigits(once.Account.Reveal()) != onlyDigits(account) || onlyDigits(once.Routing.Reveal()) != onlyDigits(routing) {
			t.Fatal("digits are lost, added or moved")
		}
		if p.Check() == nil && (once.Account.Reveal() != onlyDigits(account) || once.Routing.Reveal() != onlyDigits(routing)) {
			t.Fatal("more than digits passes")
		}
	})
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func TestWireIsReadBack(t *testing.T) {
	p := good()
	p.AccountNumber = ach.NewAccountNumber("1111-2222 3333-0000")
	body, err := json.Marshal(p.Wire())
	if err != nil {
		t.Fatal(err)
	}
	var back employee.AddParams
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if back.Check() != nil || !back.AccountNumber.Equal(ach.NewAccountNumber(checking)) || !back.RoutingNumber.Equal(p.RoutingNumber) ||
		back.AccountHolderName != p.AccountHolderName || back.AccountType != p.AccountType || back.VerificationType != p.VerificationType {
		t.Error("the body loses something")
	}
}

// A45, R105: a reply has the last four digits and no more; types that hold numbers do not print them.
func TestNothingPrintsANumber(t *testing.T) {
	p := good()
	made := employee.New(p, strings.Repeat("a", 24), "c1", "e1", noon)
	said := answer(aliased)
	v := employee.Match(employee.Typed{Numbers: p.Numbers(), HolderName: owner}, said, employee.PolicyAdopt)
	var out bytes.Buffer
	for _, x := range []any{p, &p, made, made.Judged(v, noon), v, said, employee.Typed{Numbers: p.Numbers()}, p.Check()} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", x, x, x, x)
		b, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "x", x)
	}
	for _, digits := range []string{checking, alias, platypusRouting} {
		if strings.Contains(out.String(), digits) {
			t.Errorf("a number ending %s is printed", digits[len(digits)-4:])
		}
	}
	if made.AccountLast4 != "0000" || made.RoutingLast4 != "1533" {
		t.Error("the last four are not told")
	}
}

func TestReplyShape(t *testing.T) { // A33, A45, R126, R149, R150
	a := employee.New(good(), strings.Repeat("a", 24), "c1", "e1", noon)
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"verificationMessage", "nextStep"} {
		if got[name] == "" {
			t.Errorf("%s is empty", name)
		}
		delete(got, name)
	}
	want := map[string]any{
		"accountId": strings.Repeat("a", 24), "companyId": "c1", "employeeId": "e1", "accountHolderName": owner, "accountType": "Checking",
		"verificationType": "Plaid", "isVerified": false, "verificationReason": "not_started", "accountLast4": "0000", "routingLast4": "1533",
		"createdAt": "2026-03-04T12:00:00Z", "updatedAt": "2026-03-04T12:00:00Z", "verifiedAt": nil,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestManualAccountIsNotToldToOpenALink(t *testing.T) { // R155
	p := good()
	byPlaid := employee.New(p, "", "", "", noon)
	p.VerificationType = employee.Manual
	manual := employee.New(p, "", "", "", noon)
	if manual.IsVerified || manual.VerificationReason != employee.NotStarted || manual.NextStep == byPlaid.NextStep || strings.Contains(manual.NextStep, "link") {
		t.Errorf("%+v", manual)
	}
}

func TestAttestNeedsAReasonWithoutNumbers(t *testing.T) {
	for reason, ok := range map[string]bool{
		"bank letter seen on paper, ticket 12345": true, "": false, " ": false, "account " + checking: false,
		"1111 2222-3333 0000 seen": false, "a\x00b": false, strings.Repeat("x", 501): false,
	} {
		if (employee.AttestParams{Reason: reason}.Check() == nil) != ok {
			t.Errorf("%q", reason)
		}
	}
}

func linked() employee.LinkParams {
	return employee.LinkParams{PublicToken: "public-sandbox-1", AccountID: "a", AccountMask: "0000", AccountName: "Plaid Checking", AccountType: "depository",
		AccountSubtype: "checking", InstitutionID: "ins_109508", InstitutionName: "First Platypus Bank"}
}

func TestLinkFields(t *testing.T) { // R136-R144
	if err := linked().Check(); err != nil {
		t.Fatal(err)
	}
	e := fault.As(employee.LinkParams{}.Check())
	var named []string
	for name := range e.Fields {
		named = append(named, name)
	}
	slices.Sort(named)
	if d := cmp.Diff([]string{"accountId", "accountName", "accountType", "institutionId", "institutionName"}, named); d != "" {
		t.Error(d)
	}
	var p employee.LinkParams
	null := `{"publicToken":"p","accountId":"a","accountMask":null,"accountName":"n","accountType":"depository","accountSubtype":null,"institutionId":"i","institutionName":"n","verificationStatus":null}`
	if err := json.Unmarshal([]byte(null), &p); err != nil || p.Check() != nil {
		t.Error("null is refused where the contract allows it")
	}
	typedThere := linked()
	typedThere.InstitutionID, typedThere.InstitutionName, typedThere.VerificationStatus = "", "", "pending_manual_verification"
	if err := typedThere.Check(); err != nil {
		t.Error("an Item of typed numbers has no institution:", err)
	}
	long := linked()
	long.PublicToken, long.AccountMask = strings.Repeat("p", 513), strings.Repeat("0", 17)
	if e := fault.As(long.Check()); e.Fields["publicToken"] == "" || e.Fields["accountMask"] == "" {
		t.Error("long values pass")
	}
}

func TestPublicTokenIsNeededOnce(t *testing.T) { // A36
	none := linked()
	none.PublicToken = ""
	a := employee.New(good(), "", "", "", noon)
	if none.CheckPublicToken(a) == nil || linked().CheckPublicToken(a) != nil {
		t.Error("a first link needs a public token")
	}
	a.PlaidItemID = "item"
	if none.CheckPublicToken(a) == nil {
		t.Error("a joined account needs one too, unless the last session was an update")
	}
	a.LastSession = &employee.Session{Mode: employee.ModeUpdate}
	if none.CheckPublicToken(a) != nil {
		t.Error("an update session gives none")
	}
}
