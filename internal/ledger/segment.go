package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// A segment is stored in two parts. The head holds, in big endian: the version; the number of rows; for each row a
// fixed header, so that sums, filters and the index need no strings, and the length of its text; and for each row that
// replaced a pending one, in the rows' order, the tag of the pending id. The body holds the rows' texts, escaped for
// JSON, so that a page can copy them.
const (
	version    = 1
	headerSize = 4 + 2 + 1 + 1 + 8 + 4 + 2
	maxRows    = 32
	maxText    = math.MaxUint16
)

// Flags of a row.
const (
	pending    = 1 << iota
	removed    // taken back by Plaid: a tombstone
	rounded    // the amount was finer than the currency's minor unit
	wasPending // it replaced a pending row, and keeps that row's id
	moved      // its row goes on in another place: nothing but an empty slot
	debit      // the exact amount is more than 0, and rounds to 0
)

var (
	errDamaged = errors.New("segment of another form")
	errTooLong = errors.New("a transaction's text is too long")
)

// rowHeader is the fixed part of a row.
type rowHeader struct {
	day      int32
	account  uint16
	currency uint8
	flags    uint8
	amount   int64
	tag      uint32 // of Plaid's id
}

// row is a whole row.
type row struct {
	rowHeader
	text
}

// text is a row's texts and times.
type text struct {
	txn.Details
	FirstSeen, UpdatedUnix int64 // microseconds
}

// segment is a parsed head; the body is read when a text is needed.
type segment struct {
	n      int
	head   []byte
	tags   []byte // tags of the pending ids
	ends   [maxRows]uint32
	body   []byte
	opened bool // the body was read

	from store.Blob
}

func parse(head []byte) (*segment, error) {
	s := &segment{}
	return s, s.parse(head)
}

func (s *segment) parse(head []byte) error {
	if len(head) < 2 || head[0] != version || head[1] == 0 || head[1] > maxRows {
		return errDamaged
	}
	s.n, s.head, s.opened = int(head[1]), head, false
	fixed := 2 + s.n*headerSize
	if len(head) < fixed {
		return errDamaged
	}
	end, posted := uint32(0), 0
	for i := range s.n {
		b := head[2+i*headerSize:]
		end += uint32(binary.BigEndian.Uint16(b[headerSize-2:]))
		s.ends[i] = end
		if b[7]&wasPending != 0 {
			posted++
		}
	}
	if s.tags = head[fixed:]; len(s.tags) != 4*posted {
		return errDamaged
	}
	return nil
}

func (s *segment) header(i int) rowHeader {
	b := s.head[2+i*headerSize:]
	return rowHeader{
		day: int32(binary.BigEndian.Uint32(b)), account: binary.BigEndian.Uint16(b[4:]), currency: b[6], flags: b[7],
		amount: int64(binary.BigEndian.Uint64(b[8:])), tag: binary.BigEndian.Uint32(b[16:]),
	}
}

func (s *segment) info() segmentInfo {
	in := segmentInfo{minDay: math.MaxInt32, maxDay: math.MinInt32, rows: uint8(s.n)}
	for i := range s.n {
		day := s.header(i).day
		in.minDay, in.maxDay = min(in.minDay, day), max(in.maxDay, day)
	}
	return in
}

// text returns the bytes of a row in the body.
func (s *segment) text(i int) ([]byte, error) {
	if !s.opened {
		b, err := s.from.Body(s.body[:0])
		if err != nil {
			return nil, err
		}
		s.body, s.opened = b, true
	}
	if len(s.body) != int(s.ends[s.n-1]) {
		return nil, errDamaged
	}
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	return s.body[from:s.ends[i]], nil
}

// escaped holds a row's times, and its strings as stored: escaped for JSON.
type escaped struct {
	part               [txn.TextCount][]byte
	firstSeen, updated int64
}

func (s *segment) escaped(i int) (e escaped, err error) {
	b, err := s.text(i)
	if err != nil {
		return e, err
	}
	for k := range e.part {
		n, used := uint64(0), 1
		if len(b) > 0 && b[0] < 0x80 { // the common case: one byte
			n = uint64(b[0])
		} else {
			n, used = binary.Uvarint(b)
		}
		if used <= 0 || n > uint64(len(b)-used) {
			return e, errDamaged
		}
		e.part[k], b = b[used:used+int(n)], b[used+int(n):]
	}
	for _, to := range []*int64{&e.firstSeen, &e.updated} {
		v, used := binary.Varint(b)
		if used <= 0 {
			return e, errDamaged
		}
		*to, b = v, b[used:]
	}
	if len(b) != 0 {
		return e, errDamaged
	}
	return e, nil
}

func (s *segment) row(i int) (row, error) {
	r := row{rowHeader: s.header(i)}
	e, err := s.escaped(i)
	if err != nil {
		return row{}, err
	}
	b, err := s.text(i)
	if err != nil {
		return row{}, err
	}
	whole := string(b) // one allocation a row: the strings are slices of this one
	for k, to := range r.Texts() {
		part := e.part[k]
		if txn.IsPlain(part) {
			from := cap(b) - cap(part)
			*to = whole[from : from+len(part)]
		} else if *to, err = unescape(part); err != nil {
			return row{}, err
		}
	}
	r.FirstSeen, r.UpdatedUnix = e.firstSeen, e.updated
	return r, nil
}

func (s *segment) rows() ([]row, error) {
	out := make([]row, s.n, maxRows)
	for i := range out {
		r, err := s.row(i)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// encode writes rows as a segment's head and body.
func encode(rows []row) (head, body []byte, err error) {
	if len(rows) == 0 || len(rows) > maxRows {
		return nil, nil, errDamaged
	}
	head = append(make([]byte, 0, 2+len(rows)*(headerSize+4)), version, byte(len(rows)))
	body = make([]byte, 0, len(rows)*256)
	for i := range rows {
		r := &rows[i]
		from := len(body)
		body = r.appendText(body)
		if len(body)-from > maxText {
			return nil, nil, errTooLong
		}
		head = binary.BigEndian.AppendUint32(head, uint32(r.day))
		head = binary.BigEndian.AppendUint16(head, r.account)
		head = append(head, r.currency, r.flags)
		head = binary.BigEndian.AppendUint64(head, uint64(r.amount))
		head = binary.BigEndian.AppendUint32(head, r.tag)
		head = binary.BigEndian.AppendUint16(head, uint16(len(body)-from))
	}
	for i := range rows {
		if rows[i].flags&wasPending != 0 {
			head = binary.BigEndian.AppendUint32(head, tagOf(rows[i].PendingTransactionID))
		}
	}
	return head, body, nil
}

func (t *text) appendText(b []byte) []byte {
	for _, s := range t.Texts() {
		if txn.IsPlain(*s) {
			b = binary.AppendUvarint(b, uint64(len(*s)))
			b = append(b, *s...)
			continue
		}
		quoted := escape(*s)
		b = binary.AppendUvarint(b, uint64(len(quoted)))
		b = append(b, quoted...)
	}
	b = binary.AppendVarint(b, t.FirstSeen)
	return binary.AppendVarint(b, t.UpdatedUnix)
}

// escape returns a string as encoding/json writes it between the quotes; it replaces broken UTF-8.
func escape(s string) []byte {
	if !utf8.ValidString(s) {
		s = string([]rune(s))
	}
	quoted, _ := json.Marshal(s) // marshalling a string cannot fail
	return quoted[1 : len(quoted)-1]
}

func unescape(b []byte) (string, error) {
	var plain string
	if json.Unmarshal(append(append([]byte{'"'}, b...), '"'), &plain) != nil {
		return "", errDamaged
	}
	return plain, nil
}
