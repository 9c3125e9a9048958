// Package backup owns the form of a backup: every entry of a store as it is stored, sealed values and plain keys, in one
// file that age encrypts to the recipients' keys. It knows neither the store's keys nor what the entries mean.
package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"
)

// Header describes the store that a backup was made of.
type Header struct {
	Version     int               `json:"version"` // of the backup's form
	DB          string            `json:"db_id"`
	Environment string            `json:"environment"`
	Format      int               `json:"format"`
	Schema      int               `json:"schema"`
	KEK         string            `json:"kek_id"`
	Commits     map[string]uint64 `json:"commits"` // by lane
	At          time.Time         `json:"at"`
	Program     string            `json:"program"` // version of the bankd that wrote it
}

// Version is the form that Writer writes.
const Version = 1

// Counts sums a backup up.
type Counts struct {
	Entries uint64 `json:"entries"`
	Bytes   uint64 `json:"bytes"` // of keys and values
}

// ErrDamaged means that a backup was cut short or changed, or is none.
var ErrDamaged = errors.New("the backup is damaged or cut short")

// The plain text inside age is: the magic, the header as JSON led by its length, then entries (length of key, length of
// value, key, value; lengths are 4 bytes, big-endian), then a length of endOfEntries, the counts, and the SHA-256 of
// everything before.
const (
	magic        = "bankd-backup\n"
	endOfEntries = ^uint32(0)
	maxHeader    = 1 << 20
	maxKey       = 64 << 10
	maxValue     = 1 << 30
)

// Writer writes one backup.
type Writer struct {
	age    io.WriteCloser
	buf    *bufio.Writer
	sum    hash.Hash
	counts Counts
}

// NewWriter begins a backup that each of the recipients alone can read.
func NewWriter(w io.Writer, recipients []age.Recipient, h Header) (*Writer, error) {
	sealed, err := age.Encrypt(w, recipients...)
	if err != nil {
		return nil, fmt.Errorf("begin backup: %w", err)
	}
	b := &Writer{age: sealed, sum: sha256.New()}
	b.buf = bufio.NewWriterSize(io.MultiWriter(sealed, b.sum), 256<<10)
	h.Version = Version
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("begin backup: %w", err)
	}
	_, _ = b.buf.WriteString(magic) // a bufio.Writer keeps its first error until Flush
	_, _ = b.buf.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
	_, _ = b.buf.Write(text)
	return b, nil
}

// Add writes one entry.
func (b *Writer) Add(key, value []byte) error {
	var lengths [8]byte
	binary.BigEndian.PutUint32(lengths[:], uint32(len(key)))
	binary.BigEndian.PutUint32(lengths[4:], uint32(len(value)))
	_, _ = b.buf.Write(lengths[:])
	_, _ = b.buf.Write(key)
	if _, err := b.buf.Write(value); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	b.counts.Entries++
	b.counts.Bytes += uint64(len(key) + len(value))
	return nil
}

// Close ends the backup. Without it the backup is refused as cut short.
func (b *Writer) Close() (Counts, error) {
	end := binary.BigEndian.AppendUint32(nil, endOfEntries)
	end = binary.BigEndian.AppendUint64(end, b.counts.Entries)
	end = binary.BigEndian.AppendUint64(end, b.counts.Bytes)
	_, _ = b.buf.Write(end)
	if err := b.buf.Flush(); err != nil {
		return b.counts, fmt.Errorf("end backup: %w", err)
	}
	if _, err := b.age.Write(b.sum.Sum(nil)); err != nil {
		return b.counts, fmt.Errorf("end backup: %w", err)
	}
	if err := b.age.Close(); err != nil {
		return b.counts, fmt.Errorf("end backup: %w", err)
	}
	return b.counts, nil
}

// Reader reads one backup.
type Reader struct {
	Header Header
	buf    *bufio.Reader
	sum    hash.Hash
	counts Counts
}

// NewReader opens a backup with the secret key of one of its recipients.
func NewReader(r io.Reader, identities ...age.Identity) (*Reader, error) {
	plain, err := age.Decrypt(bufio.NewReaderSize(r, 256<<10), identities...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, fmt.Errorf("open backup: it was made for other recipients than this identity: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open backup: %w: %w", ErrDamaged, err)
	}
	b := &Reader{buf: bufio.NewReaderSize(plain, 256<<10), sum: sha256.New()}
	lead, err := b.take(len(magic) + 4)
	if err != nil || !bytes.HasPrefix(lead, []byte(magic)) {
		return nil, fmt.Errorf("open backup: %w: it is not one of bankd's", ErrDamaged)
	}
	n := binary.BigEndian.Uint32(lead[len(magic):])
	if n > maxHeader {
		return nil, fmt.Errorf("open backup: %w", ErrDamaged)
	}
	text, err := b.take(int(n))
	if err != nil || json.Unmarshal(text, &b.Header) != nil {
		return nil, fmt.Errorf("open backup: %w", ErrDamaged)
	}
	if b.Header.Version != Version {
		return nil, fmt.Errorf("open backup: it has form %d, this bankd reads form %d: install the bankd that wrote it (%s) or a newer one", b.Header.Version, Version, b.Header.Program)
	}
	return b, nil
}

// take reads n bytes that the digest covers.
func (b *Reader) take(n int) ([]byte, error) {
	p := make([]byte, n)
	if _, err := io.ReadFull(b.buf, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	b.sum.Write(p)
	return p, nil
}

// Next returns the next entry, or io.EOF at the end of a backup that is complete.
func (b *Reader) Next() (key, value []byte, err error) {
	n, err := b.length()
	if err != nil {
		return nil, nil, err
	}
	if n == endOfEntries {
		return nil, nil, b.end()
	}
	m, err := b.length()
	if err != nil {
		return nil, nil, err
	}
	if n == 0 || n > maxKey || m > maxValue {
		return nil, nil, ErrDamaged
	}
	both, err := b.take(int(n) + int(m))
	if err != nil {
		return nil, nil, err
	}
	b.counts.Entries++
	b.counts.Bytes += uint64(len(both))
	return both[:n:n], both[n:], nil
}

func (b *Reader) length() (uint32, error) {
	p, err := b.take(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(p), nil
}

// end compares counts and digest, and that nothing follows.
func (b *Reader) end() error {
	p, err := b.take(16)
	if err != nil {
		return err
	}
	told := Counts{binary.BigEndian.Uint64(p), binary.BigEndian.Uint64(p[8:])}
	want := b.sum.Sum(nil)
	var got [sha256.Size + 1]byte
	n, err := io.ReadFull(b.buf, got[:])
	if !errors.Is(err, io.ErrUnexpectedEOF) || n != sha256.Size || !bytes.Equal(got[:n], want) || told != b.counts {
		return ErrDamaged
	}
	return io.EOF
}

// Counts returns what Next has read so far.
func (b *Reader) Counts() Counts { return b.counts }
