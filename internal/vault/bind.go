package vault

import "encoding/binary"

// Bind joins parts so that no two lists of parts give the same bytes: each is
// led by its length. It is how associated data is built.
func Bind(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}
