package vault

import "encoding/binary"

// Bind joins parts so that no two lists of parts give the same bytes: each is
// led by its length. It is how associated data is built.
func Bind(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	return AppendBind(make([]byte, 0, n), parts...)
}

// AppendBind is Bind behind what dst holds.
func AppendBind(dst []byte, parts ...string) []byte {
	for _, p := range parts {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(p)))
		dst = append(dst, p...)
	}
	return dst
}
