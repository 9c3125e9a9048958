package ledger

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/txn"
)

func genRow(t *rapid.T) row {
	r := row{
		rowHeader: rowHeader{
			day: rapid.Int32().Draw(t, "day"), account: rapid.Uint16().Draw(t, "account"), currency: rapid.Uint8().Draw(t, "currency"),
			flags: rapid.Uint8Range(0, 15).Draw(t, "flags"), amount: rapid.Int64().Draw(t, "amount"),
		},
		text: text{FirstSeen: rapid.Int64().Draw(t, "seen"), UpdatedUnix: rapid.Int64().Draw(t, "updated")},
	}
	for _, s := range r.Texts() {
		*s = rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[ -~]{0,40}`), rapid.String()).Draw(t, "string")
	}
	r.tag = tagOf(r.PlaidTransactionID)
	return r
}

// An encoded segment decodes to the same rows, and texts are read only on demand.
func TestSegmentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(genRow), 1, maxRows).Draw(t, "rows")
		head, body, err := encode(rows)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parse(head)
		if err != nil {
			t.Fatal(err)
		}
		s.body, s.opened = body, true
		got, err := s.rows()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, got, sameRow); d != "" {
			t.Fatal(d)
		}
		if s.info() != infoOf(rows) {
			t.Fatalf("%+v, want %+v", s.info(), infoOf(rows))
		}
	})
}

func TestSegmentBounds(t *testing.T) {
	if _, _, err := encode(nil); err == nil {
		t.Error("no rows are a segment")
	}
	if _, _, err := encode(make([]row, maxRows+1)); err == nil {
		t.Error("too many rows are a segment")
	}
	long := row{text: text{Details: txn.Details{Name: string(bytes.Repeat([]byte("x"), maxText))}}}
	if _, _, err := encode([]row{long}); !errors.Is(err, errTooLong) {
		t.Errorf("a text that is too long: %v", err)
	}
}

// Reading arbitrary bytes ends or is refused, without a panic or a read out of bounds.
func FuzzSegment(f *testing.F) {
	rows := []row{{text: text{Details: txn.Details{PlaidTransactionID: "a", Name: `Say "hi" <b>`}}}, {rowHeader: rowHeader{flags: wasPending}, text: text{Details: txn.Details{PlaidTransactionID: "b", PendingTransactionID: "p", Name: "☕"}}}}
	head, body, err := encode(rows)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(head, body)
	f.Add([]byte{version, 1}, []byte{})
	f.Add([]byte{version, 255}, body)
	f.Fuzz(func(t *testing.T, head, body []byte) {
		s, err := parse(head)
		if err != nil {
			return
		}
		s.body, s.opened = body, true
		_ = s.info()
		it := newItem(headOf(1))
		_ = it.addSegment(segmentID(1, 0), head)
		rows, err := s.rows()
		if err != nil {
			return
		}
		again, texts, err := encode(rows) // rows that were read can be written, and read as the same
		if err != nil {
			return // escaping may have made the text longer
		}
		second, err := parse(again)
		if err != nil {
			t.Fatal(err)
		}
		second.body, second.opened = texts, true
		back, err := second.rows()
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows, back, sameRow); d != "" {
			t.Fatal(d)
		}
	})
}

func headOf(segments uint32) head {
	return head{No: 1, Accounts: []string{"a"}, Currencies: []string{"USD"}, Segments: segments}
}

func (s idCipher) id(at locator) string {
	return string(s.appendID(make([]byte, 0, idSize), at, new(scratch)))
}

// An id decrypts to its locator; other ids are refused.
func FuzzID(f *testing.F) {
	s := testScrambler(f)
	f.Add(s.id(locate(1, 2, 3)))
	f.Add("000000000000000000000000")
	f.Add("not hex at all..........")
	f.Fuzz(func(t *testing.T, id string) {
		at, ok := s.locator(id)
		if ok && s.id(at) != string(bytes.ToLower([]byte(id))) {
			t.Fatalf("%q leads to a row with another id", id)
		}
		b := &tenantItems{ids: s}
		if p, err := b.readCursor(id); err == nil && b.cursor(p) != string(bytes.ToLower([]byte(id))) {
			t.Fatalf("cursor %q reads as another", id)
		}
	})
}

func TestIDs(t *testing.T) {
	s := testScrambler(t)
	rapid.Check(t, func(t *rapid.T) {
		at := locate(rapid.Uint32().Draw(t, "item"), rapid.Uint32Range(0, maxSegments).Draw(t, "segment"), rapid.IntRange(0, 63).Draw(t, "row"))
		if back, ok := s.locator(s.id(at)); !ok || back != at || len(s.id(at)) != idSize {
			t.Fatalf("%x comes back as %x", at, back)
		}
		b := &tenantItems{ids: s}
		p := place{at: at, day: rapid.Int32().Draw(t, "day")}
		if back, err := b.readCursor(b.cursor(p)); err != nil || back != p {
			t.Fatalf("%+v %v", back, err)
		}
	})
}

// The index finds every place of a tag, even if all rows collide.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		if rapid.Bool().Draw(t, "reserved") {
			x.reserve(rapid.IntRange(0, 300).Draw(t, "room"))
		}
		tags := rapid.SampledFrom([]uint32{0, 1, 7, 1 << 31, 1<<32 - 1})
		want := map[uint32]map[locator]bool{}
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			tag := rapid.OneOf(tags, rapid.Uint32()).Draw(t, "tag")
			at := locate(9, rapid.Uint32Range(0, 3).Draw(t, "segment"), rapid.IntRange(0, 63).Draw(t, "row"))
			x.put(tag, at)
			if want[tag] == nil {
				want[tag] = map[locator]bool{}
			}
			want[tag][at] = true
		}
		if want[12345] == nil { // unless the random tags had it
			want[12345] = map[locator]bool{}
		}
		for tag, places := range want {
			got := map[locator]bool{}
			for at := range x.find(9, tag) {
				if got[at] {
					t.Fatalf("%x stands twice", at)
				}
				got[at] = true
			}
			if d := cmp.Diff(places, got); d != "" {
				t.Fatal(d)
			}
		}
	})
}

// The prefix sums equal the sums of the cells, also near the largest that fits.
func TestGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := newItem(headOf(0))
		amount := rapid.SampledFrom([]int64{1, -1, 500, 1 << 40, 1 << 61, -(1 << 61)})
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			h := rowHeader{day: rapid.Int32Range(-5, 5).Draw(t, "day"), account: uint16(rapid.IntRange(0, 2).Draw(t, "account")), amount: amount.Draw(t, "amount")}
			it.bound.add(h.amount)
			if it.count(change{h, false}) != nil {
				return // Apply refuses this
			}
			it.refresh(h.day)
		}
		c := selectedItem{item: it, account: -1, currency: -1}
		from, to := rapid.Int32Range(-7, 7).Draw(t, "from"), rapid.Int32Range(-7, 7).Draw(t, "to")
		s := selection{items: []selectedItem{c}, from: from, to: to}
		want, got := map[kind]txn.Cell{}, map[kind]txn.Cell{}
		var wantErr, gotErr error
		for cell := range s.cells(c) {
			if wantErr = join(want, cell.kind, cell.Cell); wantErr != nil {
				break
			}
		}
		gotErr = s.eachKind(c, from, to, func(k kind, sum txn.Cell) error { return join(got, k, sum) })
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("%v, want %v", gotErr, wantErr)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(kind{})); d != "" && wantErr == nil {
			t.Fatal(d)
		}
	})
}

var sameRow = cmp.AllowUnexported(row{}, rowHeader{}, text{})
