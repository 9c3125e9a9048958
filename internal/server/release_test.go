package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// The numbers of verified accounts, typed by hand among them, reach the registered recipient and nobody else; each is
// audited; no reply shows them (R49, R103).
func TestReleaseACH(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	b := banktest.Start(t)
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Owner().AddRecipient(ctx, account.RecipientParams{Name: "payroll", Key: id.Recipient().String()}); err != nil {
		t.Fatal(err)
	}
	typed := func(employer, number string, attested bool) account.ACH {
		t.Helper()
		p := account.AddACHParams{OwnerType: "employer", OwnerID: employer, BankName: "b", AccountType: "checking"}
		p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("011401533"), ach.NewAccountNumber(number)
		a, err := b.Client.AddACH(ctx, p)
		if err == nil && attested {
			_, err = b.Client.VerifyACH(ctx, a.ID, account.VerifyACHParams{Method: "attest", Reason: "voided check"})
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	one, two := typed("e1", "1111222233330000", true), typed("e1", "1111222233331111", true)
	open, foreign := typed("e1", "1111222233332222", false), typed("e2", "1111222233330000", true)
	narrow := b.NewClient(tenant.ClientParams{Name: "n", Role: tenant.Operator, Employers: tenant.Scope{IDs: []string{"e1"}}})

	release := func(p account.ReleaseParams) (map[string]string, error) {
		var out bytes.Buffer
		n, err := narrow.ReleaseACH(ctx, p, &out)
		if err != nil {
			return nil, err
		}
		for _, digits := range []string{"1111222233330000", "1111222233331111", "011401533"} {
			if strings.Contains(out.String(), digits) {
				t.Error("the file shows a number")
			}
		}
		stranger, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := age.Decrypt(bytes.NewReader(out.Bytes()), stranger); err == nil {
			t.Error("somebody else opens the file")
		}
		plain, err := age.Decrypt(&out, id)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for dec := json.NewDecoder(plain); ; {
			var line struct {
				ID      string `json:"_id"`
				Number  string `json:"account_number"`
				Routing string `json:"routing_number"`
			}
			if err := dec.Decode(&line); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			got[line.ID] = line.Routing + "/" + line.Number
		}
		if len(got) != n {
			t.Errorf("%d lines, told %d", len(got), n)
		}
		return got, nil
	}
	got, err := release(account.ReleaseParams{To: "payroll", OwnerType: "employer", OwnerID: "e1"})
	if err != nil || len(got) != 2 || got[one.ID] != "011401533/1111222233330000" || got[two.ID] != "011401533/1111222233331111" {
		t.Errorf("of the owner: %d accounts, %v", len(got), err)
	}
	if got, err = release(account.ReleaseParams{To: "payroll", IDs: []string{two.ID}}); err != nil || len(got) != 1 || got[two.ID] == "" {
		t.Errorf("by id: %d accounts, %v", len(got), err)
	}
	told, err := b.Client.ListAudit(ctx, trail.Query{Action: "ach.release"})
	if err != nil || len(told) != 3 || told[0].Object != "ach:"+two.ID || told[0].Details["to"] != "payroll" || told[0].ClientID != narrow.ClientID {
		t.Errorf("audit: %+v %v", told, err)
	}
	for name, tt := range map[string]struct {
		p    account.ReleaseParams
		want fault.Code
	}{
		"unverified":       {account.ReleaseParams{To: "payroll", IDs: []string{one.ID, open.ID}}, fault.Conflict},
		"another's":        {account.ReleaseParams{To: "payroll", IDs: []string{foreign.ID}}, fault.NotFound},
		"another owner":    {account.ReleaseParams{To: "payroll", OwnerType: "employer", OwnerID: "e2"}, fault.NotFound},
		"nobody":           {account.ReleaseParams{To: "nobody", IDs: []string{one.ID}}, fault.Invalid},
		"twice":            {account.ReleaseParams{To: "payroll", IDs: []string{one.ID, one.ID}}, fault.Invalid},
		"nothing":          {account.ReleaseParams{To: "payroll"}, fault.Invalid},
		"a name as a path": {account.ReleaseParams{To: "../x", IDs: []string{one.ID}}, fault.Invalid},
	} {
		if _, err := release(tt.p); !fault.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, p := range []account.RecipientParams{{Name: "payroll", Key: id.Recipient().String()}} {
		if _, err := b.Owner().AddRecipient(ctx, p); !fault.Is(err, fault.Duplicate) {
			t.Errorf("a name twice: %v", err)
		}
	}
	if _, err := b.Client.AddRecipient(ctx, account.RecipientParams{Name: "mine", Key: id.Recipient().String()}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an admin registers a recipient: %v", err)
	}
	if _, err := b.Owner().RemoveRecipient(ctx, "payroll"); err != nil {
		t.Fatal(err)
	}
	if _, err := release(account.ReleaseParams{To: "payroll", IDs: []string{one.ID}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("to a recipient that was removed: %v", err)
	}
	if rows, _, err := b.Owner().ListRecipients(ctx, page.Request{Page: 1, Limit: 10}); err != nil || len(rows) != 0 {
		t.Errorf("%v %v", rows, err)
	}
	again, err := b.Client.ListAudit(ctx, trail.Query{Action: "ach.release"})
	if err != nil || len(again) != 3 {
		t.Errorf("a refused release is audited as one: %d", len(again))
	}
}
