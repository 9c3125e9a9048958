package store

import (
	"bytes"
	"strings"
)

// SystemTenant holds records that belong to no tenant. The first Open makes it.
const SystemTenant = "system"

// The store's own keys start with a byte that tenants' names cannot contain.
const (
	keyHeader       = "!header"
	keySealed       = "!header.sealed"
	keyMigration    = "!migration"
	keyRotation     = "!rotation"
	keyRecipients   = "!recipients"
	prefixEscrow    = "!escrow/"   // and a tenant
	prefixDoomed    = "!doomed/"   // and a tenant
	prefixRoot      = "!root/"     // and a lane
	prefixKeyset    = "!keyset/"   // and a tenant
	prefixManifest  = "!manifest/" // and a lane, a tenant and a collection
	prefixOwn       = "!"
	prefixOwnsAfter = "\"" // the first prefix after all own keys
)

// OwnLane is the store's own lane: the only one where a single process writes the store, and everywhere that of keys
// and header.
const OwnLane = "0"

const maxLane = 8

// ValidLane reports whether s can name a lane: 1 to 8 of a-z and 0-9.
func ValidLane(s string) bool {
	return len(s) > 0 && len(s) <= maxLane && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func rootKey(lane string) []byte { return []byte(prefixRoot + lane) }

// laneOf returns the lane whose root covers one of the store's own entries.
func laneOf(key []byte) string {
	if rest, ok := bytes.CutPrefix(key, []byte(prefixManifest)); ok {
		lane, _, _ := bytes.Cut(rest, []byte("/"))
		return string(lane)
	}
	return OwnLane
}

const maxName = 128

func recordKey(tenant, collection, id string) []byte {
	return appendRecordKey(make([]byte, 0, len(tenant)+len(collection)+len(id)+2), tenant, collection, id)
}

func appendRecordKey(key []byte, tenant, collection, id string) []byte {
	key = append(key, tenant...)
	key = append(key, '/')
	key = append(key, collection...)
	key = append(key, '/')
	return append(key, id...)
}

// splitKey is the inverse of recordKey.
func splitKey(key []byte) (tenant, collection, id string, ok bool) {
	parts := strings.Split(string(key), "/")
	if len(parts) != 3 || !ValidID(parts[0]) || !validCollection(parts[1]) || !ValidID(parts[2]) {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

func manifestKey(lane, tenant, collection string) []byte {
	return []byte(prefixManifest + lane + "/" + collectionName(tenant, collection))
}

// collectionName names a tenant's collection, across lanes.
func collectionName(tenant, collection string) string { return tenant + "/" + collection }

// collectionOf is the collectionName of a manifest's key.
func collectionOf(manifestKey []byte) string {
	_, name, _ := bytes.Cut(bytes.TrimPrefix(manifestKey, []byte(prefixManifest)), []byte("/"))
	return string(name)
}

func keysetKey(tenant string) []byte { return []byte(prefixKeyset + tenant) }

func doomedKey(tenant string) []byte { return []byte(prefixDoomed + tenant) }

func escrowKey(tenant string) []byte { return []byte(prefixEscrow + tenant) }

// ValidID reports whether s can name a tenant or a record: 1 to 128 of A-Z a-z 0-9 _ . -
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

func validCollection(s string) bool {
	return len(s) > 0 && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// prefixEnd returns the first key after all keys with the prefix; nil means to the end.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
