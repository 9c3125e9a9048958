package plaidsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// ItemInfo is an Item without its secrets.
type ItemInfo struct {
	ID, Client  string
	Institution string // empty for an Item of typed numbers
	Error       string // error code while broken
	Removed     bool
	TokenHash   string // SHA-256 of the access token, in hex; empty if no token works
	Created     time.Time
}

// Items lists all Items ever made, the oldest first, so that tests can compare the Items at Plaid with those that a
// program knows.
func (s *Server) Items() []ItemInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	var out []ItemInfo
	for _, it := range s.st.Items {
		info := ItemInfo{ID: it.ID, Client: it.Client, Institution: it.Institution, Error: it.Error, Removed: it.Removed, Created: it.Created}
		if it.Token != "" && !it.Removed {
			sum := sha256.Sum256([]byte(it.Token))
			info.TokenHash = hex.EncodeToString(sum[:])
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b ItemInfo) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out
}
