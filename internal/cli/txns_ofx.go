package cli

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/money"
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
			acc := accounts[s.Key]
			if ofxCard(acc) != set.credit || !money.ISO(s.Currency) {
				continue
			}
			acc.PlaidAccountID = s.Key
			st := statement{export: e, ofx: o, set: set, account: acc, sums: s, begun: &begun}
			if err := st.write(ctx); err != nil {
				return err
			}
		}
		if begun {
			o.close(set.name)
		}
	}
	o.close("OFX")
	if o.err != nil {
		return o.err
	}
	return e.countUnsaid(ctx, sums.By)
}

// countUnsaid counts the rows that OFX cannot say.
func (e *export) countUnsaid(ctx context.Context, sums []txn.Bucket) error {
	unsaid := map[string]int{}
	for _, s := range sums {
		if money.ISO(s.Currency) {
			continue
		}
		q := e.query
		q.AccountID, q.Currency = s.Key, money.Filter(s.Currency)
		err := e.visit(ctx, q, func(txn.Transaction) error {
			unsaid[codeText(s.Currency)]++
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, code := range sortedKeys(unsaid) {
		e.notes = append(e.notes, fmt.Sprintf("left out: %s in %s, for OFX knows the currencies of ISO 4217 alone; csv and jsonl have them", counted(unsaid[code], "transaction"), code))
	}
	return nil
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
	set     ofxSet
	account account.Account
	sums    txn.Bucket
	begun   *bool // the message set
	rowsOf  int
}

func (s *statement) write(ctx context.Context) error {
	q := s.query
	q.AccountID, q.Currency = s.account.PlaidAccountID, money.Filter(s.sums.Currency)
	var newest txn.Transaction
	err := s.each(ctx, q, func(t txn.Transaction) error {
		if s.rowsOf == 0 {
			newest = t
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
	s.balance(newest)
	s.close(s.set.statement, s.set.reply)
	return s.err
}

// balance writes the account's balance with OFX's sign: a debt is negative. OFX wants one of every statement, so where
// the bank gives none in its currency, it is the sum of the rows.
func (s *statement) balance(newest txn.Transaction) {
	own, asOf := s.sums.Net, ofxDay(newest.Date)
	if b := s.account.Balance; b != nil && b.Current != nil && b.Currency == s.sums.Currency {
		own, _ = b.Own()
		asOf = b.AsOf.UTC().Format("20060102150405")
	} else {
		s.notes = append(s.notes, fmt.Sprintf("the bank gives no balance in %s of account %s: its statement's is the sum of the transactions selected", s.sums.Currency, cmp.Or(newest.BankAccountID, newest.PlaidAccountID)))
	}
	s.ofx.open("LEDGERBAL")
	s.value("BALAMT", decimal(own, s.sums.Currency), 32)
	s.value("DTASOF", asOf, 30)
	s.close("LEDGERBAL")
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
	s.value("CURDEF", s.sums.Currency, 3)
	s.ofx.open(s.set.from)
	if !s.set.credit {
		bank := s.connections[t.ConnectionID].Institution.ID
		s.value("BANKID", cmp.Or(strings.TrimPrefix(bank, "ins_"), "0"), 9)
	}
	s.value("ACCTID", ofxAccountID(cmp.Or(t.BankAccountID, t.PlaidAccountID), s.sums.Currency), 22)
	if !s.set.credit {
		s.value("ACCTTYPE", ofxAccountType(s.account), 10)
	}
	s.close(s.set.from)
	s.ofx.open("BANKTRANLIST")
	s.value("DTSTART", ofxDay(oldest), 30)
	s.value("DTEND", ofxDay(t.Date), 30)
}

// ofxAccountID gives an account's id in OFX, which allows 22 characters: the end of ours, which is random to the last.
// A program has one currency for each of its accounts, so all but US dollars add theirs.
func ofxAccountID(id, currency string) string {
	mark := ""
	if currency != "USD" {
		mark = "-" + currency
	}
	return id[max(0, len(id)-22+len(mark)):] + mark
}

// ofxCard reports whether an account's statement is a credit card's.
func ofxCard(a account.Account) bool { return a.Type == "credit" }

// ofxAccountType gives OFX's word for an account that is no card. A loan is the nearest that OFX has: a line of credit.
func ofxAccountType(a account.Account) string {
	if account.Owes(a.Type) {
		return "CREDITLINE"
	}
	switch a.Subtype {
	case "savings", "hsa", "isa", "cash isa":
		return "SAVINGS"
	case "money market":
		return "MONEYMRKT"
	case "cd", "gic":
		return "CD"
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
	name := cmp.Or(strings.TrimSpace(clean(t.MerchantName)), strings.TrimSpace(clean(t.Name)), t.ID)
	s.value("NAME", name, 32)
	if name != t.Name || len([]rune(name)) > 32 {
		s.value("MEMO", t.Name, 255)
	}
	s.close("STMTTRN")
}
