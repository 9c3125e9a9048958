package cli

import (
	"cmp"
	"context"
	"encoding/xml"
	"io"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

const ofxHead = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
`

// ofxSet is one of OFX's message sets, by the names of its parts.
type ofxSet struct {
	name, reply, statement, from string
	credit                       bool
}

var ofxSets = []ofxSet{
	{"BANKMSGSRSV1", "STMTTRNRS", "STMTRS", "BANKACCTFROM", false},
	{"CREDITCARDMSGSRSV1", "CCSTMTTRNRS", "CCSTMTRS", "CCACCTFROM", true},
}

// ofx writes tags. It keeps the first error.
type ofx struct {
	w   io.Writer
	err error
}

func (o *ofx) raw(text string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, text)
	}
}

func (o *ofx) open(tags ...string) {
	for _, t := range tags {
		o.raw("<" + t + ">")
	}
	o.raw("\n")
}

func (o *ofx) close(tags ...string) {
	for _, t := range tags {
		o.raw("</" + t + ">")
	}
	o.raw("\n")
}

// value writes an element, cut to OFX's maximum length; it leaves empty ones out.
func (o *ofx) value(tag, text string, most int) {
	runes := []rune(strings.TrimSpace(clean(text)))
	runes = runes[:min(len(runes), most)]
	if len(runes) == 0 || o.err != nil {
		return
	}
	o.raw("<" + tag + ">")
	if o.err == nil {
		o.err = xml.EscapeText(o.w, []byte(string(runes)))
	}
	o.raw("</" + tag + ">\n")
}

func (o *ofx) ok() {
	o.open("STATUS")
	o.value("CODE", "0", 6)
	o.value("SEVERITY", "INFO", 5)
	o.close("STATUS")
}

// writeOFX writes a statement for each account and currency, one after the other: OFX sorts by account.
func (e *export) writeOFX(ctx context.Context, w io.Writer) error {
	sums, err := e.client.SummarizeTransactions(ctx, e.query, true, "account")
	if err != nil {
		return err
	}
	accounts, err := e.linkedAccounts(ctx)
	if err != nil {
		return err
	}
	o := &ofx{w: w}
	o.raw(ofxHead)
	o.open("OFX", "SIGNONMSGSRSV1", "SONRS")
	o.ok()
	o.value("DTSERVER", e.serverTime(), 30)
	o.value("LANGUAGE", "ENG", 3)
	o.close("SONRS", "SIGNONMSGSRSV1")
	for _, set := range ofxSets {
		begun := false
		for _, s := range sums.By {
			acc, known := accounts[s.Key]
			if (known && acc.Type == "credit") != set.credit {
				continue
			}
			acc.PlaidAccountID = s.Key
			st := statement{export: e, ofx: o, set: set, account: acc, currency: s.Currency, begun: &begun}
			if err := st.write(ctx); err != nil {
				return err
			}
		}
		if begun {
			o.close(set.name)
		}
	}
	o.close("OFX")
	return o.err
}

// serverTime is the time of the latest sync among the connections.
func (e *export) serverTime() string {
	latest := ofxDay("1970-01-01")
	for _, c := range e.connections {
		if c.Transactions != nil {
			latest = max(latest, c.Transactions.SyncedAt.UTC().Format("20060102150405"))
		}
	}
	return latest
}

func (e *export) linkedAccounts(ctx context.Context) (map[string]account.Account, error) {
	rows, err := allRows(ctx, filtered(e.client.ListAccounts, account.Query{}))
	all := map[string]account.Account{}
	for _, x := range rows {
		all[cmp.Or(x.PlaidAccountID, x.ID)] = x
	}
	return all, err
}

// ofxDay writes a calendar day at noon, so that it is the same day in every time zone.
func ofxDay(date string) string {
	if date == "" {
		return ""
	}
	return strings.ReplaceAll(date, "-", "") + "120000"
}

// statement is one account's rows of one currency.
type statement struct {
	*export
	*ofx
	set      ofxSet
	account  account.Account
	currency string
	begun    *bool // the message set
	rowsOf   int
}

func (s *statement) write(ctx context.Context) error {
	q := s.query
	q.AccountID, q.Currency = s.account.PlaidAccountID, s.currency
	err := s.each(ctx, q, func(t txn.Transaction) error {
		if s.rowsOf == 0 {
			oldest, err := s.oldest(ctx, q, t.Date)
			if err != nil {
				return err
			}
			s.begin(oldest, t)
		}
		s.rowsOf++
		s.row(t)
		return s.err
	})
	if err != nil || s.rowsOf == 0 {
		return err
	}
	s.close("BANKTRANLIST")
	if b := s.account.Balance; b != nil && b.Current != nil && b.Currency == s.currency {
		s.ofx.open("LEDGERBAL")
		s.value("BALAMT", s.owed(*b.Current), 32)
		s.value("DTASOF", b.AsOf.UTC().Format("20060102150405"), 30)
		s.close("LEDGERBAL")
	}
	s.close(s.set.statement, s.set.reply)
	return s.err
}

// owed gives a balance with OFX's sign: debts, as on a card, are negative.
func (s *statement) owed(minor int64) string {
	if s.set.credit {
		return negated(minor, s.currency)
	}
	return decimal(minor, s.currency)
}

// negated changes a decimal's sign. It works on the text, where no number can overflow.
func negated(minor int64, currency string) string {
	text := decimal(minor, currency)
	if rest, ok := strings.CutPrefix(text, "-"); ok || minor == 0 {
		return rest
	}
	return "-" + text
}

// oldest finds the day of a listing's last row.
func (s *statement) oldest(ctx context.Context, q txn.Query, newest string) (string, error) {
	q.Request = page.Request{Limit: 1}
	first, err := s.client.ListTransactions(ctx, q)
	if err != nil || first.Info.Pages < 1 {
		return newest, err
	}
	q.Page = first.Info.Pages
	last, err := s.client.ListTransactions(ctx, q)
	if err != nil || len(last.Rows) == 0 {
		return newest, err
	}
	return min(newest, last.Rows[0].Date), nil
}

func (s *statement) begin(oldest string, t txn.Transaction) {
	if !*s.begun {
		*s.begun = true
		s.ofx.open(s.set.name)
	}
	s.ofx.open(s.set.reply)
	s.value("TRNUID", "0", 36)
	s.ok()
	s.ofx.open(s.set.statement)
	s.value("CURDEF", s.currency, 3)
	s.ofx.open(s.set.from)
	if !s.set.credit {
		bank := s.connections[t.ConnectionID].Institution.ID
		s.value("BANKID", cmp.Or(strings.TrimPrefix(bank, "ins_"), "0"), 9)
	}
	s.value("ACCTID", tail(s.account.PlaidAccountID, 22), 22)
	if !s.set.credit {
		s.value("ACCTTYPE", ofxAccountType(s.account.Subtype), 10)
	}
	s.close(s.set.from)
	s.ofx.open("BANKTRANLIST")
	s.value("DTSTART", ofxDay(oldest), 30)
	s.value("DTEND", ofxDay(t.Date), 30)
}

// tail gives the end of an id: OFX allows 22 characters, and Plaid's ids are random to the last one.
func tail(id string, most int) string { return id[max(0, len(id)-most):] }

func ofxAccountType(subtype string) string {
	switch subtype {
	case "savings":
		return "SAVINGS"
	case "money market":
		return "MONEYMRKT"
	case "cd":
		return "CD"
	case "line of credit":
		return "CREDITLINE"
	}
	return "CHECKING"
}

func (s *statement) row(t txn.Transaction) {
	kind := strings.ToUpper(t.Direction)
	if t.CheckNumber != "" && t.Direction == txn.Debit {
		kind = "CHECK"
	}
	s.ofx.open("STMTTRN")
	s.value("TRNTYPE", kind, 13)
	s.value("DTPOSTED", ofxDay(t.Date), 30)
	s.value("DTUSER", ofxDay(t.AuthorizedDate), 30)
	s.value("TRNAMT", negated(t.Amount, t.Currency), 32)
	s.value("FITID", t.ID, 255)
	s.value("CHECKNUM", t.CheckNumber, 12)
	name := cmp.Or(t.MerchantName, t.Name, t.ID)
	s.value("NAME", name, 32)
	if name != t.Name || len([]rune(name)) > 32 {
		s.value("MEMO", t.Name, 255)
	}
	s.close("STMTTRN")
}
