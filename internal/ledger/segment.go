package ledger

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bankctl/bankctl/internal/txn"
)

// A segment is, in big endian: version, number of rows, then for each row a fixed header (so that sums and filters need
// no strings), then for each row the length of its text as a u16, then the texts. Strings are stored escaped as JSON
// wants them, so that a page is written out without reading them.
const (
	version    = 1
	headerSize = 4 + 2 + 1 + 1 + 8 + 8
	maxRows    = 64
	maxText    = math.MaxUint16
)

// Flags of a row.
const (
	pending    = 1 << iota
	removed    // taken back by Plaid: a tombstone
	rounded    // the amount was finer than the currency's minor unit
	wasPending // it took a pending one's place, whose id it keeps
)

var errDamaged = errors.New("segment of another form")

// rowHeader is the fixed part of a row.
type rowHeader struct {
	day      int32
	account  uint16
	currency uint8
	flags    uint8
	amount   int64
	hash     uint64 // of Plaid's id
}

// row is a whole row.
type row struct {
	rowHeader
	text
}

// text is a row's strings and times.
type text struct {
	ID, PendingID          string
	AuthorizedDate         string
	Datetime               string
	Name, Merchant         string
	Category, Detail       string
	Channel, Check         string
	FirstSeen, UpdatedUnix int64 // microseconds
}

func (t *text) strings() []*string {
	return []*string{&t.ID, &t.PendingID, &t.AuthorizedDate, &t.Datetime, &t.Name, &t.Merchant, &t.Category, &t.Detail, &t.Channel, &t.Check}
}

// segment is a parsed one; its texts are read when they are wanted.
type segment struct {
	n     int
	bytes []byte
	texts []byte
	ends  [maxRows]uint32
}

func parse(b []byte) (*segment, error) {
	if len(b) < 2 || b[0] != version || b[1] == 0 || b[1] > maxRows {
		return nil, errDamaged
	}
	s := &segment{n: int(b[1]), bytes: b}
	lengths := 2 + s.n*headerSize
	if len(b) < lengths+2*s.n {
		return nil, errDamaged
	}
	end := uint32(0)
	for i := range s.n {
		end += uint32(binary.BigEndian.Uint16(b[lengths+2*i:]))
		s.ends[i] = end
	}
	if s.texts = b[lengths+2*s.n:]; len(s.texts) != int(end) {
		return nil, errDamaged
	}
	return s, nil
}

func (s *segment) header(i int) rowHeader {
	b := s.bytes[2+i*headerSize:]
	return rowHeader{
		day: int32(binary.BigEndian.Uint32(b)), account: binary.BigEndian.Uint16(b[4:]), currency: b[6], flags: b[7],
		amount: int64(binary.BigEndian.Uint64(b[8:])), hash: binary.BigEndian.Uint64(b[16:]),
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

// escaped gives a row's strings as they are stored, and its times.
func (s *segment) escaped(i int) (parts [10][]byte, firstSeen, updated int64, err error) {
	from := uint32(0)
	if i > 0 {
		from = s.ends[i-1]
	}
	b := s.texts[from:s.ends[i]]
	for k := range parts {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return parts, 0, 0, errDamaged
		}
		parts[k], b = b[used:used+int(n)], b[used+int(n):]
	}
	for _, to := range []*int64{&firstSeen, &updated} {
		v, used := binary.Varint(b)
		if used <= 0 {
			return parts, 0, 0, errDamaged
		}
		*to, b = v, b[used:]
	}
	if len(b) != 0 {
		return parts, 0, 0, errDamaged
	}
	return parts, firstSeen, updated, nil
}

func (s *segment) row(i int) (row, error) {
	r := row{rowHeader: s.header(i)}
	parts, first, updated, err := s.escaped(i)
	if err != nil {
		return row{}, err
	}
	for k, to := range r.strings() {
		plain, err := unescape(parts[k])
		if err != nil {
			return row{}, errDamaged
		}
		*to = plain
	}
	r.FirstSeen, r.UpdatedUnix = first, updated
	return r, nil
}

func (s *segment) rows() ([]row, error) {
	out := make([]row, s.n)
	for i := range out {
		r, err := s.row(i)
		if err != nil {
			return nil, err
		}
		out[i] = r
	}
	return out, nil
}

// encode writes rows as a segment.
func encode(rows []row) ([]byte, error) {
	if len(rows) == 0 || len(rows) > maxRows {
		return nil, errDamaged
	}
	b := make([]byte, 0, 64+len(rows)*320)
	b = append(b, version, byte(len(rows)))
	for _, r := range rows {
		b = binary.BigEndian.AppendUint32(b, uint32(r.day))
		b = binary.BigEndian.AppendUint16(b, r.account)
		b = append(b, r.currency, r.flags)
		b = binary.BigEndian.AppendUint64(b, uint64(r.amount))
		b = binary.BigEndian.AppendUint64(b, r.hash)
	}
	lengths := len(b)
	b = append(b, make([]byte, 2*len(rows))...)
	for i := range rows {
		from := len(b)
		b = rows[i].appendText(b)
		if len(b)-from > maxText {
			return nil, errors.New("a transaction's text is too long")
		}
		binary.BigEndian.PutUint16(b[lengths+2*i:], uint16(len(b)-from))
	}
	return b, nil
}

func (t *text) appendText(b []byte) []byte {
	for _, s := range t.strings() {
		quoted := escape(*s)
		b = binary.AppendUvarint(b, uint64(len(quoted)))
		b = append(b, quoted...)
	}
	b = binary.AppendVarint(b, t.FirstSeen)
	return binary.AppendVarint(b, t.UpdatedUnix)
}

// escape gives a string as it stands between JSON's quotes.
func escape(s string) []byte {
	if plainText(s) {
		return []byte(s)
	}
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil { // broken UTF-8: what is broken is replaced
		quoted, _ = jsontext.AppendQuote(nil, string([]rune(s)))
	}
	return quoted[1 : len(quoted)-1]
}

func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func unescape(b []byte) (string, error) {
	for _, c := range b {
		if c == '\\' {
			quoted := append(append([]byte{'"'}, b...), '"')
			plain, err := jsontext.AppendUnquote(nil, quoted)
			return string(plain), err
		}
	}
	return string(b), nil
}

// hashOf is of a Plaid id. Two ids may share one: whoever looks up compares the id itself.
func hashOf(id string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}

// raw gives a row as Plaid told it.
func (t text) sameAs(r txn.Raw) bool {
	return t.AuthorizedDate == r.AuthorizedDate && t.Datetime == r.Datetime && t.Name == r.Name && t.Merchant == r.MerchantName &&
		t.Category == r.Category && t.Detail == r.CategoryDetail && t.Channel == r.PaymentChannel && t.Check == r.CheckNumber
}
