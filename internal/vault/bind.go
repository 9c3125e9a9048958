package vault

import "encoding/binary"

// Bind joins parts to associated data. Each part is led by its length, so that no two lists of parts give the same
// bytes.
func Bind(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	return AppendBind(make([]byte, 0, n), parts...)
}

// AppendBind appends Bind of the parts to dst.
func AppendBind(dst []byte, parts ...string) []byte {
	for _, p := range parts {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(p)))
		dst = append(dst, p...)
	}
	return dst
}
